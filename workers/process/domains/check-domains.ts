/** Checks the records that domains publish: a daily round in bounded steps, and one domain on request. */
import type { Answer } from "../../../shared/contract/problems.ts";
import { boundedResolver, NO_RESOLVER } from "../../../shared/dns/resolver.ts";
import { addressesToName } from "../../../shared/guidance/addresses-to-name.ts";
import type { CheckKind } from "../../../shared/guidance/check.ts";
import { checkDomain } from "../../../shared/guidance/domain-check.ts";
import { mailBySender } from "../../../shared/guidance/mail-by-sender.ts";
import { seenSelectors } from "../../../shared/guidance/seen-selectors.ts";
import {
  changesBetween,
  isAllUnknown,
  type StoredCheck,
  storedCheckOf,
  unfinishedKinds,
  withEarlier,
  withUnchangedId,
} from "../../../shared/guidance/stored-check.ts";
import { addressesNamingQuery } from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import {
  type AccountDomain,
  addListedDomains,
  addReportedDomain,
  addReportedDomains,
  checksQuery,
  dueDomains,
  keepCheck,
  lastCheck,
  unfinishedDomains,
} from "../../../shared/ledger/domain-checks.ts";
import { addMissingDomains } from "../../../shared/ledger/registered-domains.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { type Mail, mailQuery } from "../../../shared/ledger/sources.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { fail, ok } from "../../../shared/result.ts";
import { notFound } from "../answers.ts";
import { type Invocation, inEachShard, inShardOf, type LogEntry } from "../env.ts";
import { checkDueSetups } from "./domain-setup.ts";
import { followWholeRegistry } from "./follow-registry.ts";
import { domainsPerRun, hasFewQuestions, type Lookups, lookupsOf } from "./lookups.ts";
import { nameUnknown } from "./name-unknown.ts";

/** The hourly round over all databases. @returns what was done, for the log */
export async function runDomainChecks(invocation: Invocation): Promise<LogEntry> {
  const lookups = lookupsOf(invocation.env);
  let checked = 0;
  let setups = 0;
  for (const place of inEachShard(invocation)) {
    checked += await checkDueDomains(place, lookups);
    setups += await checkDueSetups(place, lookups);
  }
  return { event: "domain_checks", checked, setups };
}

/**
 * Checks a domain now, on request. A result less than a minute old is returned again.
 *
 * @returns a problem if the account does not have the domain or DNS does not answer
 */
export async function checkNow(name: AccountDomain, invocation: Invocation): Promise<Answer<StoredCheck>> {
  const place = await inShardOf(name.account, invocation);
  const known = await findDomain(name, place);
  if (known === undefined) {
    return notFound(`The account has no reports about ${name.domain}, and no address for it.`);
  }
  if (known > place.nowSeconds - GUIDANCE_LIMITS.checkedNowSeconds) {
    const [kept] = await ask(place.ledger, checksQuery(name.domain, [name.account]));
    if (kept !== undefined) return ok(kept.check);
  }
  const check = await checkAndKeep(name, place, lookupsOf(place.env));
  if (check !== undefined) return ok(check);
  const message = place.env.DNS_OVER_HTTPS_URL === "" ? NO_DNS_SERVER : NO_ANSWER;
  return fail({ code: "dns_unavailable", message });
}

const NO_ANSWER = "DNS gave no answer. What was found before is kept; try again later.";
/** Retrying would not help: an operator has to configure one. */
const NO_DNS_SERVER =
  "No DNS server is set, so nothing can be looked up. On one machine start with npm start -- --dns https://cloudflare-dns.com/dns-query; deployed, set DNS_OVER_HTTPS_URL of process.";

/** @returns when the domain was last checked, 0 for never; undefined: the account has no such domain */
async function findDomain(name: AccountDomain, place: Invocation): Promise<number | undefined> {
  const sinceDay = Math.floor(place.nowSeconds / SECONDS_PER_DAY) - GUIDANCE_LIMITS.reportedDays;
  const [address] = await ask(place.shards.directory, addressesNamingQuery([name.account], [name.domain]));
  const registered =
    address === undefined ? [] : [addMissingDomains([{ ...name, rua: address.rua }], place.nowSeconds)];
  await change(place.ledger, [addReportedDomain(name, sinceDay), ...registered, addListedDomains(name)]);
  return lastCheck(place.ledger, name);
}

/**
 * Checks those domains of one database whose last check is oldest. Stops early when DNS does not answer at all; stored
 * results stay.
 *
 * @returns how many were checked
 */
export async function checkDueDomains(invocation: Invocation, lookups: Lookups): Promise<number> {
  const { ledger, nowSeconds } = invocation;
  const sinceDay = Math.floor(nowSeconds / SECONDS_PER_DAY) - GUIDANCE_LIMITS.reportedDays;
  await followWholeRegistry(invocation);
  await change(ledger, [addReportedDomains(sinceDay), addListedDomains()]);
  const limit = Math.ceil(domainsPerRun(invocation.env, GUIDANCE_LIMITS.checksPerRun) / invocation.shards.all.length);
  const dueSeconds = nowSeconds - GUIDANCE_LIMITS.checkAgainSeconds;
  const due = await dueDomains(ledger, { beforeSeconds: dueSeconds, limit });
  // Every other hour: in between the questions are for domains that wait for their first report.
  const isRestDue = hasFewQuestions(invocation.env) && Math.floor(nowSeconds / 3600) % 2 === 0;
  if (due.length < limit && isRestDue) {
    const beforeSeconds = nowSeconds - GUIDANCE_LIMITS.checkRestSeconds;
    due.push(
      ...(await unfinishedDomains(ledger, { sinceSeconds: dueSeconds, beforeSeconds, limit: limit - due.length })),
    );
  }
  let checked = 0;
  for (const one of due) {
    if ((await checkAndKeep(one, invocation, lookups)) === undefined) break;
    checked += 1;
  }
  return checked;
}

/**
 * Checks one domain and keeps what was found; then looks up the names of senders that its verdict leaves open.
 *
 * @returns undefined if DNS did not answer: the stored result stays
 */
export async function checkAndKeep(
  name: AccountDomain,
  invocation: Invocation,
  { resolver, nameResolver, fetchPolicy }: Lookups,
): Promise<StoredCheck | undefined> {
  const { ledger, nowSeconds } = invocation;
  const { mail, countedMail } = await lastMail(name, invocation);
  // A single forged report may name more selectors than are looked up, none of them with a key.
  const { sources } = countedMail.sources.length > 0 ? countedMail : mail;
  const selectors = seenSelectors(name.domain, sources);
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerDomain);
  const [before] = await ask(ledger, checksQuery(name.domain, [name.account]));
  const first = hasFewQuestions(invocation.env) && before !== undefined ? firstKinds(before.check) : undefined;
  const found = storedCheckOf(await checkDomain(name.domain, { resolver: bounded, fetchPolicy, selectors, first }));
  if (isAllUnknown(found)) return undefined;
  const told = before === undefined ? found : withUnchangedId(found, before.check, nowSeconds);
  const check = before === undefined || first === undefined ? told : withEarlier(told, before.check, first);
  const changes = before === undefined ? [] : changesBetween(before.check, check);
  await change(ledger, keepCheck({ ...name, checkedSeconds: nowSeconds, check }, changes));
  // Counted mail comes first: forged reports must not use up the look-ups that the verdict needs.
  const addresses = [...new Set([countedMail, mail].flatMap((some) => openAddresses(some, name.domain)))];
  const most = GUIDANCE_LIMITS.namedPerCheck;
  if (addresses.length > 0 && nameResolver !== NO_RESOLVER) {
    await nameUnknown({ addresses, most }, invocation, nameResolver);
  }
  return check;
}

/** What asks first where there may not be questions for everything: what was left out the last time. */
function firstKinds(before: StoredCheck): readonly CheckKind[] {
  return before.unfinished ?? unfinishedKinds(before);
}

type LastMail = Pick<Mail, "sources" | "evidence" | "homeAddresses">;

const NO_MAIL: LastMail = { sources: [], evidence: [], homeAddresses: [] };

/** A domain's mail of the last month: all of it, and what the verdict counts. */
async function lastMail(
  { account, domain }: AccountDomain,
  { ledger, nowSeconds }: Invocation,
): Promise<{ mail: LastMail; countedMail: LastMail }> {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const scope = {
    accounts: [account],
    domains: [domain] as const,
    firstDay: lastDay - GUIDANCE_LIMITS.selectorDays,
    lastDay,
  };
  const [mail = NO_MAIL] = await askAll([ledger], mailQuery(scope));
  if (mail.sources.every(({ uncounted }) => uncounted === 0)) return { mail, countedMail: mail };
  const [countedMail = NO_MAIL] = await askAll([ledger], mailQuery({ ...scope, onlyCounted: true }));
  return { mail, countedMail };
}

function openAddresses({ evidence, homeAddresses }: LastMail, domain: string): string[] {
  return addressesToName(mailBySender(evidence, domain), homeAddresses);
}
