/** What operations about domains, their reports and their sources answer, as schemas. Days are `YYYY-MM-DD`, both included. Pure. */
import * as v from "valibot";
import { SENDER_STATES } from "../authentication/sender-state.ts";
import { ROLES } from "../guidance/roles.ts";
import { SETUP_STATES } from "../guidance/setup-state.ts";
import { storedCheck } from "../guidance/stored-check.ts";
import { storedReason } from "../guidance/stored-verdict.ts";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import { STEPS } from "../guidance/what-if.ts";
import { REPORT_KINDS, REPORT_STATES, type ReportDetails } from "../ledger/report-rows.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";
import { decidedSender, incident, notice, spfAdvice, verdict } from "./shapes.ts";

/** What a list of domains says of each: its verdict, setUp: no report has come yet, notJudged: no verdict was computed. */
export const LISTED_STATUSES = [...VERDICT_STATES, "setUp", "notJudged"] as const;

const period = { from: v.string(), to: v.string() };
const cursor = v.optional(v.string());

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

/** Where the data begins: days before are not known, which is not zero. */
const known = {
  /** First day of the first report; null: none has come. */
  firstReportDay: v.nullable(v.string()),
  /** First day whose details are kept: sources, dispositions and single reports; null: of none. */
  detailsSince: v.nullable(v.string()),
};

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

const reportPlace = {
  account: v.string(),
  domain: v.string(),
  /** The day it counts for first, as `getReport` and `readRecords` take it. */
  day: v.string(),
  uid: v.string(),
};

const listedReport = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    ...reportPlace,
    reporter: v.string(),
    reportId: v.string(),
    beginSeconds: v.number(),
    endSeconds: v.number(),
    receivedSeconds: v.number(),
    records: v.number(),
    messages: v.number(),
    passed: v.number(),
    senderState: v.picklist(SENDER_STATES),
    senderDomain: v.string(),
  }),
  v.object({
    kind: v.literal("tls"),
    ...reportPlace,
    reporter: v.string(),
    reportId: v.string(),
    beginSeconds: v.number(),
    endSeconds: v.number(),
    receivedSeconds: v.number(),
    policies: v.number(),
    /** Sessions. */
    successful: v.number(),
    failed: v.number(),
  }),
  v.object({
    kind: v.literal("failure"),
    ...reportPlace,
    reporter: v.string(),
    /** When the reported mail arrived; 0 if the report does not say. */
    arrivalSeconds: v.number(),
    receivedSeconds: v.number(),
    sourceIp: v.string(),
    authFailure: v.string(),
    deliveryResult: v.string(),
    incidents: v.number(),
  }),
]);

/** A page of reports about a domain, and how many there are on all pages. */
export const reportPage = v.object({
  domain: v.string(),
  ...period,
  items: v.array(listedReport),
  matching: v.number(),
  cursor,
});

const warnings = {
  warnings: v.array(v.object({ code: v.string(), path: v.string(), detail: v.string() })),
  /** Warnings that were not kept. */
  omittedWarnings: v.number(),
};

/** The fields that the ledger keeps of a report of one kind: one that is not answered is a type error. */
type DetailFields<Kind extends ReportDetails["kind"]> = Record<
  Exclude<keyof Extract<ReportDetails, { kind: Kind }>, "spread" | "whole">,
  v.GenericSchema
>;

/** What only a report of one kind has. */
const reportDetails = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    email: v.string(),
    extraContactInfo: v.string(),
    errors: v.array(v.string()),
    generator: v.string(),
    version: v.string(),
    format: v.picklist(["rfc7489", "rfc9990"]),
    policy: v.object({
      p: v.string(),
      sp: v.string(),
      np: v.string(),
      adkim: v.string(),
      aspf: v.string(),
      pct: v.number(),
      fo: v.string(),
      testing: v.boolean(),
      discoveryMethod: v.string(),
    }),
    skippedRecords: v.number(),
    /** Messages by disposition. */
    dispositions: v.record(v.string(), v.number()),
    ...warnings,
  } satisfies DetailFields<"aggregate">),
  v.object({
    kind: v.literal("tls"),
    contactInfo: v.string(),
    policies: v.array(
      v.object({
        policyType: v.string(),
        policyStrings: v.array(v.string()),
        mxHosts: v.array(v.string()),
        successfulSessionCount: v.number(),
        failedSessionCount: v.number(),
        /** How many there are; `readRecords` has them. */
        failureDetails: v.number(),
      }),
    ),
    ...warnings,
  } satisfies DetailFields<"tls">),
  v.object({
    kind: v.literal("failure"),
    sourceIp: v.string(),
    authFailure: v.string(),
    /** null: the report does not say; `arrivalDate` is then as written. */
    arrivalSeconds: v.nullable(v.number()),
    arrivalDate: v.string(),
    deliveryResult: v.string(),
    identityAlignment: v.string(),
    dkimDomain: v.string(),
    dkimSelector: v.string(),
    spfDomain: v.string(),
    mailFromDomain: v.string(),
    ...warnings,
  } satisfies DetailFields<"failure">),
]);

/** One report without its records. */
export const reportHeader = v.object({
  kind: v.picklist(REPORT_KINDS),
  ...reportPlace,
  /** All that it is about; sums are those of the one that is asked about. */
  domains: v.array(v.string()),
  /** Only operators are answered about a report that was taken back. */
  state: v.picklist(REPORT_STATES),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
  senderState: v.picklist(SENDER_STATES),
  senderDomain: v.string(),
  /** Where it was sent, and the raw object it was read from. */
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  generation: v.number(),
  records: v.number(),
  /** Messages, sessions or incidents, as the kind is. */
  total: v.number(),
  passed: v.number(),
  /** Published policy; of a TLS report the kinds of its policies, of a failure report "". */
  policy: v.string(),
  details: reportDetails,
  /** Who took it back, when and why; null: it was not. */
  takenBack: v.nullable(v.object({ takenBackSeconds: v.number(), takenBackBy: v.string(), reason: v.string() })),
  /** Who imported its file, and from where; null: it came by mail. */
  imported: v.nullable(v.object({ importedSeconds: v.number(), importedBy: v.string(), origin: v.string() })),
});

const figures = {
  messages: v.number(),
  passed: v.number(),
  dkimAligned: v.number(),
  spfAligned: v.number(),
  quarantined: v.number(),
  rejected: v.number(),
  /** Failing messages that receivers let through with a reason. */
  spared: v.number(),
  /** Of the messages, those only in reports that the verdict leaves out. */
  uncounted: v.number(),
  /** In all the details that are kept. */
  firstSeen: v.string(),
  lastSeen: v.string(),
};

/** How the verdict judges a source; null where it counts none of its mail. */
const judgement = v.nullable(
  v.object({
    role: v.picklist(ROLES),
    reason: v.object({ code: v.string(), sentence: v.string() }),
    /** Messages that the step would have hit. */
    hit: v.number(),
    /** Failing messages that receivers let through, and that they quarantined or rejected. */
    letThrough: v.number(),
    refused: v.number(),
  }),
);

const listedSource = v.object({
  /** Organizational domain, or address. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  /** Name of a known service, or "". */
  service: v.string(),
  ...figures,
  /** Messages with any DKIM pass, any SPF pass, aligned or not. */
  dkimPassed: v.number(),
  spfPassed: v.number(),
  /** First seen in the period, with data from before it. */
  isNew: v.boolean(),
  decision: v.picklist(SENDER_DECISIONS),
  judgement,
});

/** A page of a domain's sources, the largest first, and how many there are on all pages. */
export const sourcePage = v.object({
  domain: v.string(),
  ...period,
  ...known,
  step: v.picklist(STEPS),
  items: v.array(listedSource),
  matching: v.number(),
  /** false: there are more than are looked at; these are of the largest. */
  isComplete: v.boolean(),
  cursor,
});

const dkimResult = v.object({ domain: v.string(), selector: v.string(), result: v.string() });
const spfResult = v.object({ domain: v.string(), scope: v.string(), result: v.string() });

/** Equal records of a source that a step of the policy would have hit. */
const hit = v.object({
  /** As `listSources` names it; "" = many small sources together. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  service: v.string(),
  role: v.picklist(ROLES),
  sourceIp: v.string(),
  messages: v.number(),
  headerFrom: v.string(),
  disposition: v.string(),
  /** Aligned results. */
  dkim: v.string(),
  spf: v.string(),
  dkimResults: v.array(dkimResult),
  spfResults: v.array(spfResult),
  reasons: v.array(v.object({ type: v.string(), comment: v.string() })),
  firstSeen: v.string(),
  lastSeen: v.string(),
});

/** A page of them, most messages first; `messages` are those of all pages, as the verdict's `wouldHit` counts them. */
export const hitPage = v.object({
  domain: v.string(),
  ...period,
  step: v.picklist(STEPS),
  messages: v.number(),
  items: v.array(hit),
  matching: v.number(),
  /** false: there are more sources than are looked at; these are of the largest. */
  isComplete: v.boolean(),
  cursor,
});

/** The same mail put together in another way: by service, address, network or reverse domain. */
export const sourceGroupPage = v.object({
  domain: v.string(),
  ...period,
  items: v.array(
    v.object({
      name: v.string(),
      /** Distinct addresses in it; by service: sources. */
      addresses: v.number(),
      ...figures,
    }),
  ),
  matching: v.number(),
  isComplete: v.boolean(),
  cursor,
});

/** One source of a domain's mail, or one address. */
export const sourceDetails = v.object({
  domain: v.string(),
  source: v.string(),
  ...period,
  ...known,
  /** Sums of all of it; null: no mail of it was reported in the period. */
  figures: v.nullable(v.object(figures)),
  /** Days with mail, oldest first. */
  days: v.array(v.object({ day: v.string(), messages: v.number(), passed: v.number() })),
  /** The largest first; what they are called as far as it was looked up ("" and 0: not known). */
  addresses: v.array(
    v.object({
      address: v.string(),
      ...figures,
      dkimPassed: v.number(),
      spfPassed: v.number(),
      host: v.string(),
      asn: v.number(),
      holder: v.string(),
      country: v.string(),
    }),
  ),
  dkim: v.array(v.object({ ...dkimResult.entries, messages: v.number() })),
  spf: v.array(v.object({ ...spfResult.entries, messages: v.number() })),
  /** The domains in its header and envelope From. */
  fromDomains: v.array(
    v.object({ headerFrom: v.string(), envelopeFrom: v.string(), messages: v.number(), passed: v.number() }),
  ),
  /** The newest records, equal ones of a report together. */
  records: v.array(
    v.object({
      ...reportPlace,
      reporter: v.string(),
      sourceIp: v.string(),
      messages: v.number(),
      disposition: v.string(),
      dkim: v.string(),
      spf: v.string(),
      isPass: v.boolean(),
      headerFrom: v.string(),
      envelopeFrom: v.string(),
      dkimResults: v.array(dkimResult),
      spfResults: v.array(spfResult),
      reasons: v.array(v.object({ type: v.string(), comment: v.string() })),
    }),
  ),
  /** The newest reports that name it, with its sums in each. */
  reports: v.array(
    v.object({
      ...reportPlace,
      reporter: v.string(),
      beginSeconds: v.number(),
      endSeconds: v.number(),
      messages: v.number(),
      passed: v.number(),
    }),
  ),
  /** false: there is more of it than is looked at. */
  isComplete: v.boolean(),
  decision: v.object({
    /** Whose domain it is, for a decision; null where nobody has reports about it. */
    account: v.nullable(v.string()),
    /** The decision in force, and its subject. */
    holds: v.object({ decision: v.picklist(SENDER_DECISIONS), source: v.string() }),
    /** The newest first. */
    history: v.array(decidedSender),
    /** The source, then wider subjects that a decision may be about. */
    subjects: v.array(v.string()),
  }),
  /** What is the matter with it; null: no mail. `spf`: of a source that was decided to be the owner's. */
  advice: v.nullable(
    v.object({
      code: v.string(),
      sentence: v.string(),
      guide: v.nullable(v.object({ setting: v.string(), url: v.string() })),
      spf: v.nullable(spfAdvice),
    }),
  ),
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

/** Reporters of a domain's aggregate reports, by name. */
export const reporterList = v.object({
  domain: v.string(),
  ...period,
  items: v.array(v.object({ reporter: v.string() })),
  isComplete: v.boolean(),
});

/** Current decisions about a domain's senders, newest first. */
export const decisionList = v.object({ domain: v.string(), items: v.array(decidedSender) });

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
  /** How it stands in a sentence, and domains by the state they are in: both of today. */
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

/** What became of reports over a period, and how long they took. For operators. */
export const outcomeHistory = v.object({
  ...period,
  /** What outcomes are counted by: a single day by the hour. */
  step: v.picklist(["day", "hour"]),
  /** When the day or hour begins, seconds since 1970 UTC; steps without an outcome are left out. */
  outcomes: v.array(v.object({ beginSeconds: v.number(), outcome: v.string(), events: v.number() })),
  /** From a mail's arrival to its outcome: half within the median, 95 % within p95. Days without any are left out. */
  latency: v.array(
    v.object({
      day: v.string(),
      medianSeconds: v.number(),
      p95Seconds: v.number(),
      maxSeconds: v.number(),
    }),
  ),
});
