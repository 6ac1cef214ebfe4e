/**
 * A domain's checks as they are kept, shown and answered as JSON: one shape for the ledger, the page, the API and
 * `dmarc check`. Pure.
 */
import * as v from "valibot";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { CHECK_KINDS, type CheckKind, worstFirst, worstState } from "./check.ts";
import { isDmarcRecord, POLICIES } from "./dmarc-record.ts";
import { type DomainCheck, listChecks } from "./domain-check.ts";
import { isSamePolicy, policyRecord } from "./mta-sts-policy.ts";
import { hostOfMx } from "./spf-tree.ts";
import { firstValue, readTagList } from "./tag-list.ts";

const state = v.picklist(["good", "attention", "broken", "unknown"]);
const policies = v.object({
  domain: v.optional(v.picklist(POLICIES)),
  subdomain: v.optional(v.picklist(POLICIES)),
  nonexistent: v.optional(v.picklist(POLICIES)),
});

const check = v.object({
  kind: v.picklist(CHECK_KINDS),
  state,
  summary: v.string(),
  findings: v.array(
    v.object({
      code: v.string(),
      state,
      sentence: v.string(),
      rule: v.string(),
      publish: v.optional(v.object({ name: v.string(), type: v.picklist(["TXT", "CNAME"]), value: v.string() })),
    }),
  ),
  asked: v.array(v.object({ name: v.string(), type: v.string(), status: v.string(), records: v.array(v.string()) })),
});

/** Fields are only ever added: a newer reader takes what an older check has kept. */
export const storedCheck = v.object({
  domain: v.string(),
  state,
  organizationalDomain: v.string(),
  /** Where the DMARC record in force is; missing if there is none. */
  policyDomain: v.optional(v.string()),
  /** What receivers apply by RFC 9989, and by RFC 7489. */
  policies,
  olderPolicies: policies,
  destinations: v.array(
    v.object({
      uri: v.string(),
      host: v.optional(v.string()),
      outcome: v.picklist(["inside", "authorized", "redirected", "refused", "notSupported", "unknown"]),
      recordName: v.optional(v.string()),
    }),
  ),
  spfLookups: v.number(),
  keys: v.array(
    v.object({
      domain: v.string(),
      selector: v.string(),
      lastSeenDay: v.optional(v.number()),
      keyType: v.picklist(["rsa", "ed25519", "other", "revoked", "missing", "unknown"]),
      bits: v.optional(v.number()),
      isTesting: v.boolean(),
    }),
  ),
  mtaStsPolicy: v.optional(
    v.object({
      mode: v.picklist(["enforce", "testing", "none"]),
      mx: v.array(v.string()),
      maxAgeSeconds: v.number(),
    }),
  ),
  checks: v.array(check),
  /** Checks that there were not enough questions for, that which asks first the next time first: they may be as found earlier. */
  unfinished: v.optional(v.array(v.picklist(CHECK_KINDS))),
});

export type StoredCheck = v.InferOutput<typeof storedCheck>;

/** What is kept of a check. */
export function storedCheckOf(found: DomainCheck): StoredCheck {
  const { dmarc, spf, dkim, mtaSts } = found;
  const checks = listChecks(found);
  const stored: StoredCheck = {
    domain: found.domain,
    state: worstState(checks.map((one) => one.state)),
    organizationalDomain: dmarc.organizationalDomain,
    policies: dmarc.policies,
    olderPolicies: dmarc.older.policies,
    destinations: dmarc.destinations,
    spfLookups: spf.tree.lookups,
    keys: dkim.keys,
    checks: checks.map(({ kind, state: own, summary, findings, asked }) => ({
      kind,
      state: own,
      summary,
      findings: worstFirst(findings).slice(0, GUIDANCE_LIMITS.maxFindings),
      asked,
    })),
  };
  if (dmarc.policyDomain !== undefined) stored.policyDomain = dmarc.policyDomain;
  if (mtaSts.policy !== undefined) stored.mtaStsPolicy = mtaSts.policy;
  return stored;
}

/**
 * A check with what only the one before it shows: the MTA-STS policy is another, and the id in DNS is not, so that senders who know
 * the earlier policy do not ask for the new one (RFC 8461 section 3.3). It is said until the id changes.
 */
export function withUnchangedId(after: StoredCheck, before: StoredCheck, nowSeconds: number): StoredCheck {
  const [then, now] = [before.mtaStsPolicy, after.mtaStsPolicy];
  const id = mtaStsIdOf(after);
  if (typeof id !== "string" || id !== mtaStsIdOf(before)) return after;
  const code = "id_unchanged";
  const wasSaid = before.checks.some((one) => one.findings.some((finding) => finding.code === code));
  const isChanged = then !== undefined && now !== undefined && !isSamePolicy(then, now);
  if (!wasSaid && !isChanged) return after;
  const sentence = `The policy file has changed, and the id in the record is still ${id.slice(0, 40)}: senders that know the earlier policy keep to it until its max_age is over. Publish the record with another id.`;
  const publish = policyRecord(after.domain, nowSeconds);
  const finding = { code, state: "attention" as const, sentence, rule: "RFC 8461 section 3.3", publish };
  const checks = after.checks.map((one) =>
    one.kind !== "mtaSts"
      ? one
      : { ...one, state: worstState([one.state, "attention"]), findings: worstFirst([...one.findings, finding]) },
  );
  return { ...after, state: worstState([after.state, "attention"]), checks };
}

/** The checks whose questions were not all asked, because there were none left. */
export function unfinishedKinds({ checks }: Pick<StoredCheck, "checks">): CheckKind[] {
  return checks.filter(({ asked }) => asked.some(({ status }) => status === "unknown")).map(({ kind }) => kind);
}

/** What else of a check is from one kind of it. */
const FIELDS: Partial<Record<CheckKind, readonly (keyof StoredCheck)[]>> = {
  dmarc: ["organizationalDomain", "policyDomain", "policies", "olderPolicies", "destinations"],
  spf: ["spfLookups"],
  dkim: ["keys"],
  mtaSts: ["mtaStsPolicy"],
};

/**
 * A check for which there may be too few questions, with what the one before it found where its own were not all asked. Of the check
 * that asked first nothing earlier is kept: there are never enough for it.
 *
 * @param first the checks that asked before the others
 */
export function withEarlier(
  after: StoredCheck,
  before: StoredCheck,
  [first, ...next]: readonly CheckKind[],
): StoredCheck {
  const unfinished = unfinishedKinds(after);
  const never = new Set([first, ...unfinishedKinds(before)]);
  const kept = unfinished.filter((kind) => !never.has(kind));
  const checks = after.checks.map((one) => (kept.includes(one.kind) ? checkOf(before, one.kind) : undefined) ?? one);
  const earlier = kept.flatMap((kind) => FIELDS[kind] ?? []).map((field) => [field, before[field]]);
  // In turn: otherwise one of them could take all questions for ever.
  const [turn, others] = [[...next, ...unfinished], unfinished.filter((kind) => kind === first)];
  const waiting = [...new Set(turn.filter((kind) => kind !== first && unfinished.includes(kind))), ...others];
  const state = worstState(checks.map((one) => one.state));
  return { ...after, ...Object.fromEntries(earlier), checks, state, unfinished: waiting };
}

function checkOf({ checks }: StoredCheck, wanted: CheckKind): StoredCheck["checks"][number] | undefined {
  return checks.find(({ kind }) => kind === wanted);
}

/** A record that differs between two checks. */
export interface RecordChange {
  name: string;
  type: string;
  before: string[];
  after: string[];
}

/**
 * What changed from one check to the next: names of the domain itself and below it, where both times DNS gave an answer.
 * What services change in the records that they lend to others is theirs.
 */
export function changesBetween(before: StoredCheck, after: StoredCheck): RecordChange[] {
  const earlier = answered(before);
  const changes: RecordChange[] = [];
  for (const [key, { name, type, records }] of answered(after)) {
    const known = earlier.get(key);
    const isOurs = name === after.domain || name.endsWith(`.${after.domain}`);
    if (known === undefined || !isOurs) continue;
    const [then, now] = [known.records, records].map((texts) => [...texts].sort());
    if (JSON.stringify(then) !== JSON.stringify(now))
      changes.push({ name, type, before: known.records, after: records });
  }
  return changes;
}

type Asked = StoredCheck["checks"][number]["asked"][number];

function answered({ checks }: StoredCheck): Map<string, Asked> {
  const asked = checks.flatMap((one) => one.asked).filter(({ status }) => ANSWERED.has(status));
  return new Map(asked.map((one) => [`${one.type} ${one.name}`, one]));
}

const ANSWERED = new Set(["answers", "nxdomain", "nodata"]);

/** Hosts of a domain's MX records as a check found them, none for a null MX; undefined where DNS gave no answer. */
export function mailHostsOf(check: StoredCheck): string[] | undefined {
  const found = answered(check).get(`MX ${check.domain}`);
  return found?.records.map(hostOfMx).filter((host) => host !== "");
}

/** The id in a domain's MTA-STS record as a check found it; null: no usable record; undefined: DNS gave no answer. */
export function mtaStsIdOf(check: StoredCheck): string | null | undefined {
  const found = answered(check).get(`TXT _mta-sts.${check.domain}`);
  if (found === undefined) return undefined;
  const records = found.records.filter((text) => /^v=STSv1[ \t]*(;|$)/.test(text));
  const [text] = records;
  return text === undefined || records.length > 1 ? null : (firstValue(readTagList(text), "id") ?? null);
}

/**
 * The one DMARC record at a domain's own `_dmarc` as a check found it; undefined where there is none, there are several, DNS
 * gave no answer, or the check kept a part of it alone.
 */
export function dmarcTextOf(check: StoredCheck): string | undefined {
  const records = answered(check).get(`TXT _dmarc.${check.domain}`)?.records ?? [];
  const [text, ...others] = records.filter(isDmarcRecord);
  const isWhole = text !== undefined && text.length < GUIDANCE_LIMITS.maxShownRecordChars;
  return isWhole && others.length === 0 ? text : undefined;
}

/** TXT records at a domain's `_smtp._tls` as a check found them; undefined: DNS gave no answer. */
export function tlsRecordsOf(check: StoredCheck): string[] | undefined {
  return answered(check).get(`TXT _smtp._tls.${check.domain}`)?.records;
}

/** Whether DNS answered nothing at all: such a check takes the place of none. */
export function isAllUnknown({ checks }: StoredCheck): boolean {
  return checks.flatMap(({ asked }) => asked).every(({ status }) => !ANSWERED.has(status));
}
