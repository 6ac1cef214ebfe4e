/** Adds domains: makes addresses nobody can guess, registers them, and says what to publish and how far a domain's set-up is. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { readDomainName } from "../../../shared/domain-name.ts";
import { copyDue, narrowAddress, removeAddress } from "../../../shared/ledger/addresses.ts";
import { change } from "../../../shared/ledger/database.ts";
import {
  type DomainAddress,
  forgetUnreported,
  removeRegisteredDomains,
} from "../../../shared/ledger/registered-domains.ts";
import { normalizeRua } from "../../../shared/registry.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, notFound } from "../answers.ts";
import { describe } from "../domains/domain-setup.ts";
import { type Lookups, lookupsOf } from "../domains/lookups.ts";
import { knownAddresses, type RandomBytes, type Registered, registerDomains } from "../domains/register-domains.ts";
import { type Invocation, inShardOf } from "../env.ts";

/** A domain of an account, as a person typed it. */
export interface TypedDomain {
  account: string;
  domain: string;
}

/** What is to be added. */
export interface NewDomain extends TypedDomain {
  /** An address chosen by the operator; absent = one is made. */
  rua?: string | undefined;
}

/** Why an address that the caller chose is refused. */
export const FOREIGN_ADDRESS = { code: "forbidden", message: "Only operators may choose the address." } as const;

/** Only operators may choose an address: it may belong to anybody, and they know whose mail comes here. */
export function mayChooseAddress(rua: string | undefined, { authority }: Caller): boolean {
  return rua === undefined || authority.isOperator;
}

/**
 * Adds a domain, or finds the address that it already has, and says what to publish.
 *
 * @returns a problem if the domain has another address than the given one
 */
export async function addDomain(
  { account, domain: typed, rua: given }: NewDomain,
  invocation: Invocation,
  { randomBytes, lookups = lookupsOf(invocation.env) }: { randomBytes: RandomBytes; lookups?: Lookups },
): Promise<Answer<Outputs["addDomain"]>> {
  const read = readDomainName(typed);
  if (!read.ok) return badRequest(read.error);
  const { name: domain } = read.value;
  const registered = await registerDomains({ account, domains: [domain], rua: given }, invocation, randomBytes);
  if (!registered.ok) return registered;
  const added = registered.value.get(domain);
  if (added === undefined) throw new Error(`${domain} was registered, and is not.`);
  const other = otherAddress({ account, domain, given }, added);
  if (other !== undefined) return fail({ code: "already_exists", message: other });
  return ok(await describe({ account, domain, ...added }, invocation, lookups));
}

/** @returns a sentence if the domain has another address than the given one, which is kept */
function otherAddress(
  { account, domain, given }: { account: string; domain: string; given: string | undefined },
  { rua }: Registered,
): string | undefined {
  if (given === undefined || normalizeRua(given) === rua) return undefined;
  return `${domain} of the account ${account} has the address ${rua} already; nothing was changed. To use another address, remove the domain first and add it again: its reports stay.`;
}

/**
 * Adds a list of domains, or finds the addresses that they already have; an invalid name, or a domain with another
 * address than the given one, does not affect the others.
 */
export async function addDomains(
  { account, domains: typed, rua }: { account: string; domains: readonly string[]; rua?: string | undefined },
  invocation: Invocation,
  randomBytes: RandomBytes,
): Promise<Answer<Outputs["addDomains"]>> {
  const lines = typed.map((line) => ({ line, read: readDomainName(line) }));
  const domains = [...new Set(lines.flatMap(({ read }) => (read.ok ? [read.value.name] : [])))];
  const registered = await registerDomains({ account, domains, rua }, invocation, randomBytes);
  if (!registered.ok) return registered;
  const seen = new Set<string>();
  const items = lines.map(({ line, read }) => {
    if (!read.ok) return { typed: line, problem: read.error };
    const { name: domain } = read.value;
    const added = registered.value.get(domain);
    if (added === undefined) throw new Error(`${domain} was registered, and is not.`);
    const problem = otherAddress({ account, domain, given: rua }, added);
    // A domain that is in the list twice is added once.
    const isNew = added.isNew && !seen.has(domain);
    seen.add(domain);
    return problem === undefined ? { typed: line, domain, ...added, isNew } : { typed: line, domain, problem };
  });
  return ok({ items });
}

/** How far the set-up of an added domain is: asks DNS, and stores the answer. @returns a problem where it was not added */
export async function domainSetup(
  { account, domain: typed }: TypedDomain,
  invocation: Invocation,
  lookups: Lookups = lookupsOf(invocation.env),
): Promise<Answer<Outputs["domainSetup"]>> {
  const found = await findAdded({ account, domain: typed }, invocation);
  return found.ok ? ok(await describe({ ...found.value, isNew: false }, invocation, lookups)) : found;
}

/**
 * Removes a domain: its address where that is the domain's own, else the domain from those that the address accepts. Its
 * reports stay.
 *
 * @returns a problem where it was not added
 */
export async function removeDomain(
  { account, domain: typed }: TypedDomain,
  invocation: Invocation,
): Promise<Answer<Outputs["removeDomain"]>> {
  const found = await findAdded({ account, domain: typed }, invocation);
  if (!found.ok) return found;
  const { domain, rua, accepts } = found.value;
  const { env, shards, nowSeconds } = invocation;
  const place = { directory: shards.directory, copy: env.KV_DMARC_REPORTS };
  const isAddressRemoved = accepts?.length === 1 && accepts[0] === domain;
  if (isAddressRemoved) {
    await removeAddress(rua, place, nowSeconds);
  } else if (accepts?.includes(domain)) {
    await change(shards.directory, [narrowAddress(rua, domain, nowSeconds)]);
    await copyDue(place, [rua]);
  }
  const { ledger } = await inShardOf(account, invocation);
  await change(ledger, [removeRegisteredDomains([{ account, domain }]), ...forgetUnreported({ account, domain })]);
  return ok({ rua, isAddressRemoved });
}

/** A domain that was added, and what its address accepts. */
async function findAdded(
  { account, domain: typed }: TypedDomain,
  invocation: Invocation,
): Promise<Answer<DomainAddress & { accepts: readonly string[] | undefined }>> {
  const read = readDomainName(typed);
  if (!read.ok) return badRequest(read.error);
  const { name: domain } = read.value;
  const address = (await knownAddresses(account, [domain], invocation)).get(domain);
  if (address !== undefined) return ok({ account, domain, rua: address.rua, accepts: address.entry.domains });
  return notFound(`The account ${account} has not added ${domain}.`);
}
