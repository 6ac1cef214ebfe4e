/** Support: the mail of one domain over 30 days as its reports tell of it, and the verdict about it. */
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import type { Decision } from "../../shared/guidance/roles.ts";
import { judge, type Verdict, type VerdictInput } from "../../shared/guidance/verdict.ts";
import { decideBy } from "../../shared/guidance/verdict-input.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { type DatedRecord, evidenceOf, sumEvidence } from "./evidence.ts";
import { sampleRecord } from "./ledger-fill.ts";

export const DOMAIN = "acme.example";
export const FIRST_DAY = 20_000;
export const PERIOD = { firstDay: FIRST_DAY, lastDay: FIRST_DAY + 29 };
/** Yesterday and today are still to be reported. */
export const DAYS = Array.from({ length: 28 }, (_, i) => FIRST_DAY + i);

export type Changes = Partial<AggregateRecord>;

/** The same record on every one of some days. */
export function daily(changes: Changes, days: readonly number[] = DAYS): DatedRecord[] {
  return days.map((day) => ({
    day,
    record: sampleRecord(DOMAIN, { spf: "pass", spfResults: [spf(DOMAIN)], ...changes }),
  }));
}

export function spf(domain: string, result: "pass" | "fail" | "softfail" = "pass") {
  return { domain, scope: "mfrom" as const, result, rawResult: result, humanResult: "" };
}

export function dkim(domain: string, result: "pass" | "fail" = "pass", selector = "s1") {
  return { domain, selector, result, rawResult: result, humanResult: "" };
}

/** Failing mail that nothing authenticates. */
export const UNAUTHENTICATED: Changes = {
  dkim: "fail",
  spf: "fail",
  dkimResults: [],
  spfResults: [spf(DOMAIN, "fail")],
};

/** A service that passes for its own domain only. */
export function service(domain: string, changes: Changes = {}): Changes {
  const results = { dkimResults: [dkim(domain, "pass", "k1")], spfResults: [spf(domain)] };
  return { dkim: "fail", spf: "fail", ...results, sourceIp: "198.51.100.7", ...changes };
}

export const OWN = daily({ count: 100 });

export interface Setting {
  policy?: string;
  /** First day on which reports saw the policy. */
  since?: number;
  decisions?: Record<string, Decision>;
  ruaAddresses?: string[];
  /** The domain's own record as DNS has it. */
  published?: string;
  domain?: string;
}

export function inputOf(records: readonly DatedRecord[], setting: Setting = {}): VerdictInput {
  const { policy = "p=none; sp=none; np=none; adkim=r; aspf=r; pct=100", since = FIRST_DAY, decisions = {} } = setting;
  const evidence = evidenceOf(records, PERIOD);
  return {
    domain: setting.domain ?? DOMAIN,
    period: PERIOD,
    mail: mailBySender(evidence, setting.domain ?? DOMAIN),
    totals: sumEvidence(evidence),
    days: [...new Set(records.map(({ day }) => day))].sort((a, b) => a - b),
    policies: [
      { policy, firstDay: since, lastDay: PERIOD.lastDay },
      { policy: policy.startsWith("p=reject") ? "p=none" : "p=reject", firstDay: FIRST_DAY - 300, lastDay: since },
    ],
    ruaAddresses: setting.ruaAddresses ?? ["r1@rua.example"],
    decide: decideBy(new Map(Object.entries(decisions))),
    ...(setting.published === undefined ? {} : { published: setting.published }),
  };
}

export const verdictOf = (records: readonly DatedRecord[], setting?: Setting): Verdict =>
  judge(inputOf(records, setting));
