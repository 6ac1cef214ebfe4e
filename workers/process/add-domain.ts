/**
 * Adds a domain: creates an unguessable RUA address, registers it, and returns the records to publish and the set-up
 * state.
 */
import type { Outputs } from "../../shared/contract/operations.ts";
import type { Answer } from "../../shared/contract/problems.ts";
import { boundedResolver, recordsOf } from "../../shared/dns/resolver.ts";
import { readDomainName } from "../../shared/domain-name.ts";
import { checkDmarc } from "../../shared/guidance/dmarc-check.ts";
import { isDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { recordsToPublish } from "../../shared/guidance/records-to-publish.ts";
import { setupState } from "../../shared/guidance/setup-state.ts";
import { addressesOfAccountQuery, removeAddress } from "../../shared/ledger/addresses.ts";
import { ask } from "../../shared/ledger/database.ts";
import { hasReportsQuery } from "../../shared/ledger/domain-checks.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { fail, ok } from "../../shared/result.ts";
import { type OutsideWorld, outsideWorld } from "./check-domains.ts";
import { type Invocation, inShardOf } from "./env.ts";
import { putRegistration } from "./put-registration.ts";

/** The request to add a domain. */
export interface NewDomain {
  account: string;
  /** As a person typed it. */
  domain: string;
}

/** Letters and digits that are not easily confused. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
/** 16 of 31 characters are 79 bits. */
const LOCAL_PART_CHARS = 16;

/**
 * Adds a domain, or finds the address that it has already.
 *
 * @param randomBytes returns the number of bytes asked for, from a cryptographically secure source
 */
export async function addDomain(
  { account, domain: typed }: NewDomain,
  invocation: Invocation,
  {
    randomBytes,
    outside = outsideWorld(invocation.env),
  }: { randomBytes: (count: number) => Uint8Array; outside?: OutsideWorld },
): Promise<Answer<Outputs["addDomain"]>> {
  const read = readDomainName(typed);
  if (!read.ok) return fail({ code: "bad_request", message: read.error });
  const { name: domain } = read.value;
  const known = await addressOf({ account, domain }, invocation);
  if (known !== undefined)
    return ok(await describe({ account, domain, rua: known, isNew: false }, invocation, outside));
  const host = invocation.env.RUA_HOST;
  if (host === "") {
    const message =
      "Where addresses for reports are made is not set: RUA_HOST of process, a domain whose mail comes here.";
    return fail({ code: "not_configured", message });
  }
  const rua = `${localPart(randomBytes)}@${host}`;
  const registered = await putRegistration(rua, { account, domains: [domain] }, invocation);
  if (!registered.ok) return registered;
  return ok(await describe({ account, domain, rua: registered.value.rua, isNew: true }, invocation, outside));
}

/** The set-up state of a domain that was added. @returns a problem if it was not */
export async function domainSetup(
  { account, domain: typed }: NewDomain,
  invocation: Invocation,
  outside: OutsideWorld = outsideWorld(invocation.env),
): Promise<Answer<Outputs["domainSetup"]>> {
  const read = readDomainName(typed);
  if (!read.ok) return fail({ code: "bad_request", message: read.error });
  const rua = await addressOf({ account, domain: read.value.name }, invocation);
  if (rua === undefined) return notAdded(account, read.value.name);
  return ok(await describe({ account, domain: read.value.name, rua, isNew: false }, invocation, outside));
}

/** Removes the domain's own address from the registry; its reports stay. @returns a problem if it was not added */
export async function removeDomain(
  { account, domain: typed }: NewDomain,
  invocation: Invocation,
): Promise<Answer<Outputs["removeDomain"]>> {
  const read = readDomainName(typed);
  if (!read.ok) return fail({ code: "bad_request", message: read.error });
  const rua = await addressOf({ account, domain: read.value.name }, invocation);
  if (rua === undefined) return notAdded(account, read.value.name);
  const { env, shards, nowSeconds } = invocation;
  await removeAddress(rua, { directory: shards.directory, copy: env.KV_DMARC_REPORTS }, nowSeconds);
  return ok({ rua });
}

function notAdded(account: string, domain: string): Answer<never> {
  return fail({ code: "not_found", message: `The account ${account} has no address for ${domain} alone.` });
}

/** The address that takes reports of this domain alone. */
async function addressOf({ account, domain }: NewDomain, { shards }: Invocation): Promise<string | undefined> {
  const registered = await ask(shards.directory, addressesOfAccountQuery(account));
  return registered.find(({ entry }) => entry.domains?.length === 1 && entry.domains[0] === domain)?.rua;
}

function localPart(randomBytes: (count: number) => Uint8Array): string {
  let text = "";
  // Bytes beyond the last full multiple of the alphabet's length are dropped: they would favour its first letters.
  const most = 256 - (256 % ALPHABET.length);
  while (text.length < LOCAL_PART_CHARS) {
    for (const byte of randomBytes(LOCAL_PART_CHARS)) {
      if (byte < most && text.length < LOCAL_PART_CHARS) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}

async function describe(
  { account, domain, rua, isNew }: { account: string; domain: string; rua: string; isNew: boolean },
  invocation: Invocation,
  { resolver }: OutsideWorld,
): Promise<Outputs["addDomain"]> {
  const { ledger } = await inShardOf(account, invocation);
  // The check looks up the domain's own record, too.
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerDomain);
  const [check, published, [reported]] = await Promise.all([
    checkDmarc(domain, bounded, rua),
    bounded.lookup(`_dmarc.${domain}`, "TXT"),
    ask(ledger, hasReportsQuery({ account, domain })),
  ]);
  const { state, sentence, missing } = setupState(rua, check, reported !== undefined);
  const records = recordsToPublish(domain, rua, recordsOf(published).filter(isDmarcRecord));
  return { account, domain, rua, isNew, state, sentence, missing, records };
}
