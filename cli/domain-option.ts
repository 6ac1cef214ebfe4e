/** Domain names of the command line. */
import { InvalidArgumentError } from "commander";
import { readDomainName } from "../shared/domain-name.ts";
import { printError } from "./terminal.ts";

/**
 * A domain name as A-labels; where it was taken out of more than a name, that is said on standard error.
 *
 * @throws InvalidArgumentError with a sentence about what is no domain name
 */
export function readDomain(typed: string): string {
  const domain = readDomainName(typed);
  if (!domain.ok) throw new InvalidArgumentError(domain.error);
  const { name, takenFrom } = domain.value;
  if (takenFrom !== undefined) printError(`${takenFrom} was taken for the domain ${name}.`);
  return name;
}

/** The same of an option or an argument that takes several. */
export function readDomains(typed: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), readDomain(typed)];
}
