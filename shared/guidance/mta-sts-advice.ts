/**
 * Advises the next step for a hosted MTA-STS policy: from testing to enforce only once TLS reports show that nothing
 * would be lost, and back if mail is being lost. Pure.
 */
import { GUIDANCE_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import type { CheckState } from "./check.ts";
import { coversHost, type MtaStsPolicy } from "./mta-sts-check.ts";
import { type MtaStsMode, policyId } from "./mta-sts-policy.ts";

/** Failed sessions of one kind at one mail host. */
export interface TlsFailureKind {
  /** RFC 8460 section 4.3; "" where reports do not say. */
  resultType: string;
  receivingHost: string;
  sessions: number;
  /** Day since 1970 UTC on which it was last seen. */
  lastDay: number;
}

/** TLS reports over several days. */
export interface TlsEvidence {
  /** Days with sessions under the MTA-STS policy. */
  days: number;
  sessions: number;
  /** Of them. Reports need not say why. */
  failed: number;
  lastFailedDay: number;
  failures: TlsFailureKind[];
}

/** The state of a domain's policy. */
export interface InboundState {
  domain: string;
  /** Undefined: none is served. */
  policy: MtaStsPolicy | undefined;
  changedSeconds: number;
  /** When it got its current mode. */
  modeSinceSeconds: number;
  /** Whether the domain is still registered; otherwise nothing is served. */
  isRegistered: boolean;
  /** Hosts of the MX records as last checked; undefined: not known. */
  hosts: readonly string[] | undefined;
  /** The id in the record as last checked since the policy changed; null: no record; undefined: not known. */
  publishedId: string | null | undefined;
  tls: TlsEvidence;
  nowSeconds: number;
}

/** For programs; a code keeps its meaning. */
export const MTA_STS_ADVICE = [
  "off",
  "notRegistered",
  "publishRecord",
  "modeNone",
  "uncoveredHosts",
  "noReports",
  "tooEarly",
  "failures",
  "ready",
  "protected",
  "enforcedFailures",
] as const;
export type MtaStsAdviceCode = (typeof MTA_STS_ADVICE)[number];

/** The next step. */
export interface MtaStsAdvice {
  code: MtaStsAdviceCode;
  state: CheckState;
  sentence: string;
  /** The mode to go to now. */
  mode?: MtaStsMode;
  /** Failures in the way, most frequent first. */
  failures: TlsFailureKind[];
}

/**
 * Results that would keep mail from being delivered under an enforced policy, or keep senders from the policy (RFC 8460
 * section 4.3). Those of DANE say nothing about MTA-STS.
 */
const OF_POLICY = new Set([
  "starttls-not-supported",
  "certificate-host-mismatch",
  "certificate-expired",
  "certificate-not-trusted",
  "validation-failure",
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
]);

/** How many days back failures count, for a mode. */
export function failureDays(mode: MtaStsMode | undefined): number {
  return mode === "enforce" ? GUIDANCE_LIMITS.mtaStsFailureDays : GUIDANCE_LIMITS.mtaStsTestingDays;
}

/** Mail hosts not covered by a policy; none if the hosts are unknown. */
export function uncoveredHosts({ mx }: MtaStsPolicy, hosts: readonly string[] | undefined): string[] {
  return (hosts ?? []).filter((host) => !mx.some((pattern) => coversHost(pattern, host)));
}

/** The next step for a domain. */
export function adviseMtaSts(known: InboundState): MtaStsAdvice {
  const { domain, policy } = known;
  if (policy === undefined) {
    const sentence =
      `No policy is served for ${domain}. Begin with mode testing: it does not affect the delivery of mail, and ` +
      "TLS reports show what enforce would refuse.";
    return { code: "off", state: "attention", sentence, mode: "testing", failures: [] };
  }
  if (!known.isRegistered) {
    const sentence =
      `The policy is not served: the address that ${domain} was registered with is gone. Register the domain, then ` +
      "save the policy again.";
    return { code: "notRegistered", state: "broken", sentence, failures: [] };
  }
  const open = uncoveredHosts(policy, known.hosts);
  const unpublished = adviceAboutRecord(known);
  switch (policy.mode) {
    case "none": {
      const sentence =
        "Mode none: senders forget the policy. Once they all have, after the max_age of the policy before, stop " +
        "serving it and remove the record.";
      return unpublished ?? { code: "modeNone", state: "attention", sentence, failures: [] };
    }
    case "testing":
      return unpublished ?? adviceAboutHosts(open, "would be") ?? adviceOfTesting(known);
    case "enforce":
      return adviceAboutHosts(open, "is") ?? unpublished ?? adviceOfEnforce(known);
  }
}

function adviceAboutRecord({ publishedId, changedSeconds }: InboundState): MtaStsAdvice | undefined {
  if (publishedId === undefined || publishedId === policyId(changedSeconds)) return undefined;
  const sentence =
    publishedId === null
      ? "No sender knows of the policy yet: publish the record below."
      : `The record still has the id ${publishedId}, so senders keep the policy before. Publish the record below.`;
  return { code: "publishRecord", state: "attention", sentence, failures: [] };
}

function adviceAboutHosts(open: readonly string[], tense: "is" | "would be"): MtaStsAdvice | undefined {
  if (open.length === 0) return undefined;
  const hosts = open.slice(0, 5).join(", ");
  const sentence =
    tense === "is"
      ? `Mail to ${hosts} is refused by senders, since the policy does not name it. Add it, or go back to testing.`
      : `The policy does not name ${hosts}: with enforce, mail to it would be refused. Add it.`;
  const advice: MtaStsAdvice = {
    code: "uncoveredHosts",
    state: tense === "is" ? "broken" : "attention",
    sentence,
    failures: [],
  };
  return tense === "is" ? { ...advice, mode: "testing" } : advice;
}

function adviceOfTesting(known: InboundState): MtaStsAdvice {
  const { tls, modeSinceSeconds, nowSeconds, domain } = known;
  const { mtaStsTestingDays, mtaStsReportDays } = GUIDANCE_LIMITS;
  const failures = failuresOfPolicy(tls);
  if (failures.length > 0) {
    const sentence =
      `Stay with testing: with enforce, senders would have refused to deliver in ${sum(failures)} sessions of the ` +
      `last ${mtaStsTestingDays} days. Fix what stands below first.`;
    return { code: "failures", state: "attention", sentence, failures };
  }
  const testedDays = Math.floor((nowSeconds - modeSinceSeconds) / SECONDS_PER_DAY);
  if (testedDays < mtaStsTestingDays) {
    const sentence = `Testing for ${days(testedDays)}, no failure so far. Enforce is advised after ${mtaStsTestingDays} days without one.`;
    return { code: "tooEarly", state: "attention", sentence, failures };
  }
  if (tls.days < mtaStsReportDays) {
    const sentence =
      `TLS reports cover sessions under this policy on ${days(tls.days)} of the last ${mtaStsTestingDays}; enforce ` +
      `is advised from ${mtaStsReportDays} on. Look whether _smtp._tls.${domain} asks for reports.`;
    return { code: "noReports", state: "attention", sentence, failures };
  }
  const sentence =
    `Ready for enforce: ${days(testedDays)} of testing, ${tls.sessions} sessions on ${days(tls.days)} of the last ` +
    `${mtaStsTestingDays}, and no failure.`;
  return { code: "ready", state: "good", sentence, mode: "enforce", failures };
}

function adviceOfEnforce({ tls }: InboundState): MtaStsAdvice {
  const failures = failuresOfPolicy(tls);
  const { mtaStsFailureDays } = GUIDANCE_LIMITS;
  if (failures.length > 0) {
    const sentence =
      `Senders couldn't deliver in ${sum(failures)} sessions of the last ${mtaStsFailureDays} days. Fix what ` +
      "stands below; until then, go back to testing.";
    return { code: "enforcedFailures", state: "broken", sentence, mode: "testing", failures };
  }
  const sentence = "Senders that know MTA-STS deliver to your mail hosts over verified encrypted connections only.";
  return { code: "protected", state: "good", sentence, failures };
}

function failuresOfPolicy({ failures, failed, lastFailedDay }: TlsEvidence): TlsFailureKind[] {
  const known = failures.filter(({ resultType }) => OF_POLICY.has(resultType)).sort((a, b) => b.sessions - a.sessions);
  const sessions = failed - sum(failures);
  if (sessions <= 0) return known;
  return [...known, { resultType: "", receivingHost: "", sessions, lastDay: lastFailedDay }];
}

function sum(failures: readonly TlsFailureKind[]): number {
  return failures.reduce((total, { sessions }) => total + sessions, 0);
}

function days(count: number): string {
  return `${count} ${count === 1 ? "day" : "days"}`;
}
