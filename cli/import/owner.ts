/**
 * The owner of a file: the registered address that takes its reports, by what the person chose, by the recipients of its
 * mail, or by the domains it is about. Pure.
 */
import type { Outputs } from "../../shared/contract/operations.ts";
import { acceptsDomain, ruaCandidates } from "../../shared/registry.ts";
import { fail, ok, type Result } from "../../shared/result.ts";

export type Registration = Outputs["listRegistrations"]["items"][number];

/** What a person said. */
export interface OwnerChoice {
  rua?: string | undefined;
  account?: string | undefined;
}

/** What a file says. */
export interface OwnerFacts {
  /** Policy domains of its reports, A-labels; none where no report can be read. */
  domains: readonly string[];
  /** Addresses its mail was sent to. */
  recipients: readonly string[];
}

/**
 * The addresses a person left to choose from.
 *
 * @returns a sentence where what they named does not exist
 */
export function chosenAddresses(
  registrations: readonly Registration[],
  { rua, account }: OwnerChoice,
): Result<Registration[], string> {
  if (registrations.length === 0) return fail("No address is registered yet: dmarc rua add ADDRESS --account NAME.");
  const ofAccount = registrations.filter(({ entry }) => account === undefined || entry.account === account);
  if (ofAccount.length === 0) {
    const accounts = [...new Set(registrations.map(({ entry }) => entry.account))].sort();
    return fail(`There is no account '${account}' with a registered address; there are ${listed(accounts)}.`);
  }
  const candidates = rua === undefined ? [] : ruaCandidates(rua);
  const named = ofAccount.filter((one) => rua === undefined || candidates.includes(one.rua));
  if (named.length > 0) return ok(named);
  const of = account === undefined ? "" : ` for the account '${account}'`;
  return fail(`The address '${rua}' is not registered${of}: dmarc rua list shows those that are.`);
}

/**
 * The address a file goes to: of those that accept most of its domains, the one its mail was sent to, otherwise one that
 * lists a domain rather than taking any.
 *
 * @returns a sentence where none takes it, or addresses of several accounts do
 */
export function ownerOf({ domains, recipients }: OwnerFacts, chosen: readonly Registration[]): Result<string, string> {
  const counted = chosen.map((registration) => ({
    registration,
    accepted: domains.filter((domain) => acceptsDomain(registration.entry, domain)).length,
  }));
  const most = Math.max(0, ...counted.map(({ accepted }) => accepted));
  if (domains.length > 0 && most === 0) {
    return fail(
      `No registered address takes reports about ${listed(domains)}: dmarc rua add --domain, or dmarc domain add.`,
    );
  }
  const best = counted.filter(({ accepted }) => accepted === most).map(({ registration }) => registration);
  const asked = new Set(recipients.flatMap(ruaCandidates));
  const narrowed = firstNonEmpty([
    best.filter(({ rua }) => asked.has(rua)),
    domains.length === 0 ? [] : best.filter(({ entry }) => entry.domains !== undefined),
    best,
  ]);
  const accounts = [...new Set(narrowed.map(({ entry }) => entry.account))].sort();
  const [first] = narrowed.map(({ rua }) => rua).sort();
  if (first !== undefined && accounts.length === 1) return ok(first);
  const about = domains.length === 0 ? "it can't be read" : `it is about ${listed(domains)}`;
  return fail(`It may belong to several accounts (${listed(accounts)}; ${about}): name one with --account.`);
}

function firstNonEmpty<T>(lists: readonly T[][]): T[] {
  return lists.find((list) => list.length > 0) ?? [];
}

/** Ours: names listed in a sentence. */
const MAX_LISTED = 5;

function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
