/** Registers domains, each with its own address or all with a given one. It does not ask DNS. */
import type { Answer } from "../../../shared/contract/problems.ts";
import {
  addressesNamingQuery,
  copyDue,
  findAddresses,
  insertAddresses,
  widenAddresses,
} from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import {
  putRegisteredDomains,
  registeredCountQuery,
  registeredDomainsQuery,
} from "../../../shared/ledger/registered-domains.ts";
import { SETUP_LIMITS } from "../../../shared/limits.ts";
import { acceptsDomain, normalizeRua, type Registration } from "../../../shared/registry.ts";
import { fail, ok } from "../../../shared/result.ts";
import { type Invocation, inShardOf } from "../env.ts";
import { addRegistration, readRegistration } from "./registrations.ts";

/** Returns this many random bytes from an unpredictable source. */
export type RandomBytes = (count: number) => Uint8Array;

/** Domains to register. */
export interface WantedDomains {
  account: string;
  /** A-labels, each once. */
  domains: readonly string[];
  /** An address that already exists elsewhere; absent = a new one is made for each domain. */
  rua?: string | undefined;
}

/** Where a domain's reports go. */
export interface Registered {
  rua: string;
  /** Whether it was registered just now. */
  isNew: boolean;
}

/** Letters and digits that are not easily confused. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
/** 16 of 31 characters are 79 bits. */
const LOCAL_PART_CHARS = 16;

/**
 * Registers domains; those that are registered keep their address.
 *
 * @returns where the reports of each go, or why none was registered
 */
export async function registerDomains(
  { account, domains, rua }: WantedDomains,
  invocation: Invocation,
  randomBytes: RandomBytes,
): Promise<Answer<ReadonlyMap<string, Registered>>> {
  const known = await knownAddresses(account, domains, invocation);
  const missing = domains.filter((domain) => !known.has(domain));
  const found = [...known].map(([domain, { rua }]): [string, Registered] => [domain, { rua, isNew: false }]);
  if (missing.length > 0) {
    const full = await whyFull(account, missing.length, invocation);
    if (full !== undefined) return full;
    const made =
      rua === undefined
        ? await makeAddresses(account, missing, { invocation, randomBytes })
        : await useAddress(rua, { account, domains: missing }, invocation);
    if (!made.ok) return made;
    found.push(...made.value.map(({ domain, rua }): [string, Registered] => [domain, { rua, isNew: true }]));
  }
  const listed = found.map(([domain, { rua }]) => ({ account, domain, rua }));
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  await change(ledger, [putRegisteredDomains(listed, nowSeconds)]);
  return ok(new Map(found));
}

/** The addresses that take the reports of an account's domains: those on the list, else those that name the domain. */
export async function knownAddresses(
  account: string,
  domains: readonly string[],
  invocation: Invocation,
): Promise<Map<string, Registration>> {
  const { ledger, shards } = await inShardOf(account, invocation);
  const [naming, listed] = await Promise.all([
    ask(shards.directory, addressesNamingQuery([account], domains)),
    ask(ledger, registeredDomainsQuery(account, domains)),
  ]);
  const others = await findAddresses(
    shards.directory,
    listed.map(({ rua }) => rua),
  );
  const byAddress = new Map(others.map((one) => [one.rua, one]));
  const known = new Map<string, Registration>();
  for (const domain of domains) {
    const onList = byAddress.get(listed.find((one) => one.domain === domain)?.rua ?? "");
    const isItsOwn = onList !== undefined && onList.entry.account === account && acceptsDomain(onList.entry, domain);
    const address = isItsOwn ? onList : naming.find(({ entry }) => entry.domains?.includes(domain));
    if (address !== undefined) known.set(domain, address);
  }
  return known;
}

async function whyFull(account: string, more: number, invocation: Invocation): Promise<Answer<never> | undefined> {
  const { ledger } = await inShardOf(account, invocation);
  const [count = 0] = await ask(ledger, registeredCountQuery(account));
  if (count + more <= SETUP_LIMITS.domainsOfAccount) return undefined;
  const message = `An account has at most ${SETUP_LIMITS.domainsOfAccount} domains, and ${account} has ${count}.`;
  return fail({ code: "too_large", message });
}

/** @returns a domain's address each, or a problem */
async function makeAddresses(
  account: string,
  domains: readonly string[],
  { invocation, randomBytes }: { invocation: Invocation; randomBytes: RandomBytes },
): Promise<Answer<{ domain: string; rua: string }[]>> {
  const { env, shards, nowSeconds } = invocation;
  if (env.RUA_HOST === "") {
    const message =
      "No address can be made: RUA_HOST of process is not set. Set it to a domain whose mail all goes to ingest, " +
      "or to an address whose sub-addresses do, or add the domain with your own address.";
    return fail({ code: "not_configured", message });
  }
  const made = domains.map((domain) => ({ domain, rua: addressAt(env.RUA_HOST, localPart(randomBytes)) }));
  // Checking one is enough: the others differ only in the characters made here.
  const [first] = made;
  const read = await readRegistration(first?.rua ?? "", { account, domains: [...domains] }, invocation);
  if (!read.ok) return read;
  const newAccountShard = Number(env.NEW_ACCOUNTS_SHARD);
  await change(shards.directory, insertAddresses(account, made, { newAccountShard, nowSeconds }));
  await copyDue(
    { directory: shards.directory, copy: env.KV_DMARC_REPORTS },
    made.slice(0, SETUP_LIMITS.copiedWhenAdded).map(({ rua }) => rua),
  );
  return ok(made);
}

/** Sends the reports of some domains to a given address: registers it, or adds to what it accepts. */
async function useAddress(
  given: string,
  { account, domains }: { account: string; domains: readonly string[] },
  invocation: Invocation,
): Promise<Answer<{ domain: string; rua: string }[]>> {
  const { env, shards, nowSeconds } = invocation;
  const rua = normalizeRua(given);
  const all = domains.map((domain) => ({ domain, rua }));
  const [present] = await findAddresses(shards.directory, [rua]);
  if (present === undefined) {
    const added = await addRegistration(rua, { account, domains: [...domains] }, invocation);
    return added.ok ? ok(all) : added;
  }
  if (present.entry.account !== account) {
    return fail({ code: "already_exists", message: `${rua} is registered for another account.` });
  }
  if (domains.some((domain) => !acceptsDomain(present.entry, domain))) {
    await change(shards.directory, [widenAddresses([{ rua, domains }], nowSeconds)]);
    await copyDue({ directory: shards.directory, copy: env.KV_DMARC_REPORTS }, [rua]);
  }
  return ok(all);
}

/** The address of a new domain. @param host a domain, or an address whose sub-addresses are made (RFC 5233) */
export function addressAt(host: string, name: string): string {
  const place = host.toLowerCase();
  const at = place.lastIndexOf("@");
  return at < 0 ? `${name}@${place}` : `${place.slice(0, at)}+${name}${place.slice(at)}`;
}

/** A local part nobody can guess. */
export function localPart(randomBytes: RandomBytes): string {
  let text = "";
  // Bytes beyond the last whole multiple of the alphabet's length would make its first letters more likely.
  const most = 256 - (256 % ALPHABET.length);
  while (text.length < LOCAL_PART_CHARS) {
    for (const byte of randomBytes(LOCAL_PART_CHARS)) {
      if (byte < most && text.length < LOCAL_PART_CHARS) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}
