/** Domain names on the command line. */
import { InvalidArgumentError } from "commander";
import { readDomainName } from "../shared/domain-name.ts";
import { printError } from "./terminal.ts";

/**
 * A domain name as A-labels; if it was extracted from a longer text, a note goes to standard error.
 *
 * @throws InvalidArgumentError with a sentence if it is not a domain name
 */
export function readDomain(typed: string): string {
  const domain = readDomainName(typed);
  if (!domain.ok) throw new InvalidArgumentError(domain.error);
  const { name, takenFrom } = domain.value;
  if (takenFrom !== undefined) printError(`${takenFrom} was taken for the domain ${name}.`);
  return name;
}

/** The same for an option or argument that accepts several. */
export function readDomains(typed: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), readDomain(typed)];
}
