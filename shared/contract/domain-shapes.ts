/** What operations about domains answer, as schemas. Days are `YYYY-MM-DD`, both included. Pure. */
import * as v from "valibot";
import { ROLES } from "../guidance/roles.ts";
import { SETUP_STATES } from "../guidance/setup-state.ts";
import { storedCheck } from "../guidance/stored-check.ts";
import { storedReason } from "../guidance/stored-verdict.ts";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import { cursor, known, period } from "./common-shapes.ts";
import { decidedSender, verdict } from "./sender-shapes.ts";
import { incident, notice } from "./watch-shapes.ts";

/** What a list of domains says of each: its verdict, setUp: no report has come yet, notJudged: no verdict was computed. */
export const LISTED_STATUSES = [...VERDICT_STATES, "setUp", "notJudged"] as const;

const listedDomain = v.object({
  domain: v.string(),
  /** Whose it is: of the accounts that are asked about. */
  accounts: v.array(v.string()),
  status: v.picklist(LISTED_STATUSES),
  /** Of a domain without a report: how far it is; "" of others. */
  setup: v.picklist([...SETUP_STATES, ""]),
  messages: v.number(),
  passed: v.number(),
  /** Messages of the period of the same length before. */
  messagesBefore: v.number(),
  reports: v.number(),
  /** End of the newest report's period, seconds since 1970 UTC; 0 = none. */
  lastEndSeconds: v.number(),
  /** Published policy of the newest report; "" without one. */
  policy: v.string(),
  /** Messages of the owner's senders that p=reject would hit. */
  atRisk: v.number(),
  /** Open ones, whatever their age. */
  deadLetters: v.number(),
  conflicts: v.number(),
  tags: v.array(v.string()),
  /** Where it is registered that its reports go; none for a domain that is not registered. */
  addresses: v.array(v.string()),
  /** First and last day that aggregate reports are about, in the period or not; null: none has come. */
  firstReportDay: v.nullable(v.string()),
  lastReportDay: v.nullable(v.string()),
});

/** A page of domains, with how many there are on all pages, by status, and by published policy ("" = none seen). */
export const domainPage = v.object({
  ...period,
  items: v.array(listedDomain),
  matching: v.number(),
  byStatus: v.record(v.string(), v.number()),
  byPolicy: v.record(v.string(), v.number()),
  cursor,
});

const policyTotals = v.object({
  /** As reports have it, such as `p=none; sp=none`. */
  policy: v.string(),
  firstDay: v.string(),
  lastDay: v.string(),
  reports: v.number(),
  /** Of days whose details are kept. */
  reporters: v.number(),
});

const dayTotals = v.object({
  day: v.string(),
  messages: v.number(),
  passed: v.number(),
  dkimAligned: v.number(),
  spfAligned: v.number(),
  quarantined: v.number(),
  rejected: v.number(),
  reports: v.number(),
  /** Of the messages, the day's share of reports over several days. */
  spread: v.number(),
  /** Of the messages, those of reports that the verdict leaves out, and the number of those reports. */
  uncounted: v.number(),
  uncountedReports: v.number(),
  /** Of the messages, those of reports whose sender could not be checked. */
  unchecked: v.number(),
});

const seenChange = v.object({
  seenSeconds: v.number(),
  name: v.string(),
  type: v.string(),
  before: v.array(v.string()),
  after: v.array(v.string()),
});

/** Something that changed on a day. */
const timelineEvent = v.variant("kind", [
  v.object({ kind: v.literal("record"), day: v.string(), change: seenChange }),
  v.object({ kind: v.literal("policy"), day: v.string(), policy: v.string() }),
  v.object({ kind: v.literal("decision"), day: v.string(), decision: decidedSender }),
  v.object({
    kind: v.literal("source"),
    day: v.string(),
    sources: v.array(v.object({ source: v.string(), service: v.string(), messages: v.number() })),
  }),
]);

/** A domain over a period. */
export const domainOverview = v.object({
  domain: v.string(),
  ...period,
  ...known,
  messages: v.number(),
  passed: v.number(),
  /** Of the period of the same length before. */
  messagesBefore: v.number(),
  passedBefore: v.number(),
  /** Every day from the first report on, oldest first. */
  days: v.array(dayTotals),
  dispositions: v.array(
    v.object({
      disposition: v.picklist(["none", "quarantine", "reject", "pass", "unknown"]),
      messages: v.number(),
      passed: v.number(),
    }),
  ),
  /** Policy overrides, as one report or record may have several. */
  reasons: v.array(v.object({ type: v.string(), comment: v.string(), disposition: v.string(), messages: v.number() })),
  /** Published policies that reports saw, of all the data, last seen first. */
  policies: v.array(policyTotals),
  /** What was changed, decided or seen first in the period, the newest first. */
  events: v.array(timelineEvent),
});

const sessions = { successful: v.number(), failed: v.number() };

/** TLS reports about a domain over a period; sessions throughout. */
export const tlsSummary = v.object({
  domain: v.string(),
  ...period,
  ...known,
  ...sessions,
  /** Days with reports, oldest first. */
  days: v.array(v.object({ day: v.string(), ...sessions, spread: v.number() })),
  policies: v.array(
    v.object({
      reporter: v.string(),
      policyType: v.string(),
      mxHosts: v.array(v.string()),
      ...sessions,
      reports: v.number(),
      lastDay: v.string(),
    }),
  ),
  /** By reason, machines and reporter, most sessions first. */
  failures: v.array(
    v.object({
      reporter: v.string(),
      resultType: v.string(),
      sendingMtaIp: v.string(),
      receivingMxHostname: v.string(),
      receivingIp: v.string(),
      failureReasonCode: v.string(),
      sessions: v.number(),
      lastDay: v.string(),
    }),
  ),
  isComplete: v.boolean(),
});

/** Failure reports about a domain over a period: by address and what failed, most incidents first. */
export const failureSummary = v.object({
  domain: v.string(),
  ...period,
  incidents: v.number(),
  items: v.array(
    v.object({
      sourceIp: v.string(),
      authFailure: v.string(),
      deliveryResult: v.string(),
      dkimDomain: v.string(),
      spfDomain: v.string(),
      mailFromDomain: v.string(),
      reportingMta: v.string(),
      incidents: v.number(),
      lastDay: v.string(),
    }),
  ),
  isComplete: v.boolean(),
});

/** What a domain published when it was last checked, and what changed since the first check. */
export const keptCheck = v.object({
  account: v.string(),
  domain: v.string(),
  /** When, seconds since 1970 UTC; 0 = never. */
  checkedSeconds: v.number(),
  /** null: it was never checked. */
  check: v.nullable(storedCheck),
  /** The newest first. */
  changes: v.array(seenChange),
});

/** Domains that only TLS or failure reports are about, such as mail servers. */
export const otherDomains = v.object({
  ...period,
  items: v.array(
    v.object({
      domain: v.string(),
      sessions: v.number(),
      failedSessions: v.number(),
      incidents: v.number(),
    }),
  ),
  isComplete: v.boolean(),
});

const monthFigures = v.object({
  messages: v.number(),
  passed: v.number(),
  /** Quarantined or rejected. */
  refused: v.number(),
  reports: v.number(),
});

const monthOf = {
  /** `2026-10`, and its days. */
  month: v.string(),
  ...period,
  figures: monthFigures,
  figuresBefore: monthFigures,
};

/** A domain's month. */
export const domainMonth = v.object({
  domain: v.string(),
  /** Whose it is, and what that account is called; "" where nobody has reports about it. */
  account: v.string(),
  accountName: v.string(),
  ...monthOf,
  /** Over the month. */
  verdict,
  /** What its state means, for readers who do not know DMARC. */
  meaning: v.string(),
  /** Days with reports, oldest first. */
  days: v.array(dayTotals),
  /** Of the month, the worst first; at most 200, as changes and decisions are. */
  notices: v.array(notice),
  /** Open today. */
  openIncidents: v.array(incident),
  /** Of the month, the newest first. */
  changes: v.array(seenChange),
  decisions: v.array(decidedSender),
  /** The largest, at most 1,000; `sendersInAll` says how many there are. */
  senders: v.array(
    v.object({
      source: v.string(),
      kind: v.picklist(["own", "other", "none"]),
      service: v.string(),
      role: v.picklist(ROLES),
      messages: v.number(),
      passed: v.number(),
      refused: v.number(),
    }),
  ),
  sendersInAll: v.number(),
});

/** An account's month over all its domains. */
export const accountMonth = v.object({
  account: v.string(),
  accountName: v.string(),
  ...monthOf,
  /** The state of all of them in a sentence, and domains by state: both of today. */
  headline: v.string(),
  byState: v.record(v.string(), v.number()),
  /** Of the month, the worst first; at most 200, as decisions are. */
  notices: v.array(notice),
  decisions: v.array(decidedSender),
  /** The worst first: states and reasons are those of today, figures those of the month. */
  items: v.array(
    v.object({
      domain: v.string(),
      state: v.picklist(VERDICT_STATES),
      reasons: v.array(storedReason),
      messages: v.number(),
      passed: v.number(),
    }),
  ),
  matching: v.number(),
  cursor,
});
