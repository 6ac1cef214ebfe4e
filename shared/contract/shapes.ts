/** The outputs of operations as schemas, and how rows of the ledger become them. Pure. */
import * as v from "valibot";
import { reportSender, UNCHECKED } from "../authentication/sender-state.ts";
import { type ForwardTarget, TARGET_KINDS } from "../forward/target.ts";
import { MTA_STS_ADVICE } from "../guidance/mta-sts-advice.ts";
import { MTA_STS_MODES, mtaStsPolicy } from "../guidance/mta-sts-policy.ts";
import { ROLES } from "../guidance/roles.ts";
import { SETUP_STATES } from "../guidance/setup-state.ts";
import { SPF_ADVICE } from "../guidance/spf-advice.ts";

import { SUGGESTION_CODES } from "../guidance/suggest.ts";
import { IMPORT_RESULTS } from "../import-lines.ts";
import { AUDIT_OUTCOMES } from "../ledger/audit.ts";
import { DELIVERY_KINDS, DELIVERY_STATES } from "../ledger/channels.ts";
import type { ConflictRow, ReportVersion } from "../ledger/conflicts.ts";
import type { DeadLetterRow } from "../ledger/dead-letters.ts";
import type { WaitingReports } from "../ledger/forwards.ts";
import { JOB_KINDS, JOB_STATES } from "../ledger/jobs.ts";
import { mailOrigin, reportFile } from "../ledger/mail-origin.ts";
import { domainSetup } from "../ledger/registered-domains.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";
import { LOGO_TYPES } from "../logo.ts";
import { CHANNEL_KINDS, type Channel, DIGEST_INTERVALS, shownTarget } from "../notify/channel.ts";
import { ACCOUNT_ROLES, personEntry } from "../people.ts";
import { adviceOnDeadLetter } from "../problem-advice.ts";
import { registryEntry } from "../registry.ts";
import { DISPOSITIONS, DKIM_RESULTS, OVERRIDE_TYPES, SPF_RESULTS } from "../report/vocabulary.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { isoDate } from "../storage.ts";
import { TOKEN_SCOPES, TOKEN_STATES, type Token, tokenState } from "../tokens.ts";
import { RULE_CODES, SEVERITIES, STEPS, URGENCIES } from "../watch/finding.ts";
import { WORK_CODES } from "../watch/work.ts";

/** A complete list. */
export function listOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item) });
}

/** A page of a list; `cursor` continues it and is absent on the last page. A page may be empty and not the last. */
export function pageOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item), cursor: v.optional(v.string()) });
}

/** The same of a list whose length is known. */
export function countedPageOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item), /** On all pages. */ matching: v.number(), cursor: v.optional(v.string()) });
}

export const registration = v.object({ rua: v.string(), entry: registryEntry });
export const person = v.object({ email: v.string(), entry: personEntry });

export const accountHead = v.object({
  account: v.string(),
  /** What it is called. */
  name: v.string(),
  /** When its logo was set, seconds since 1970 UTC; 0 = it has none. */
  logoSeconds: v.number(),
});

export const accountLogo = v.object({
  account: v.string(),
  mediaType: v.picklist(LOGO_TYPES),
  /** The picture's bytes. */
  base64: v.string(),
  /** When it was set, seconds since 1970 UTC. */
  logoSeconds: v.number(),
});

export const account = v.object({
  account: v.string(),
  /** "" = none was given. */
  name: v.string(),
  createdSeconds: v.number(),
  /** Number of the D1 database that its ledger is in. */
  database: v.number(),
  /** People with a role in it; operators are not counted. */
  people: v.number(),
  /** RUA addresses. */
  addresses: v.number(),
});

export const accountPerson = v.object({
  account: v.string(),
  email: v.string(),
  role: v.picklist(ACCOUNT_ROLES),
  addedBy: v.string(),
  addedSeconds: v.number(),
  /** When the person first came through Access; 0 = invited. */
  firstSeenSeconds: v.number(),
});

export const importedLine = v.object({
  /** As given. */
  line: v.number(),
  account: v.string(),
  domain: v.optional(v.string()),
  /** The address its reports go to. */
  rua: v.optional(v.string()),
  result: v.picklist(IMPORT_RESULTS),
  /** What is new, or wrong. */
  message: v.string(),
});

export const auditEntry = v.object({
  id: v.number(),
  atSeconds: v.number(),
  who: v.string(),
  operation: v.string(),
  /** "" = no account, or several. */
  account: v.string(),
  domain: v.string(),
  outcome: v.picklist(AUDIT_OUTCOMES),
  /** Why it was refused or failed. */
  message: v.string(),
  /** Without secrets, cut where long. */
  input: v.unknown(),
  before: v.unknown(),
  after: v.unknown(),
});

const queueBacklog = v.object({
  queue: v.string(),
  messages: v.number(),
  bytes: v.number(),
  /** When its oldest message was sent, seconds since 1970 UTC; 0 when it is empty or unknown. */
  oldestSeconds: v.number(),
});

/** What is waiting. */
export const pipelineStatus = v.object({
  queues: v.array(queueBacklog),
  /** Raw objects without an outcome, however old: received and not yet processed. */
  unfinished: v.number(),
  /** By the day the mail arrived (`YYYY-MM-DD`), newest first; recent days are current, others as last counted. */
  unfinishedDays: v.array(v.object({ day: v.string(), objects: v.number(), countedSeconds: v.number() })),
  /** Raw objects that jobs have enqueued and that are not finished yet. */
  runningAgain: v.number(),
  /** Reports with slices of points still to be written. */
  reportsWithDueSlices: v.number(),
  /** The ledger's D1 databases by number, with the accounts in each. `bytes`: its size; 0 = not known. */
  databases: v.array(v.object({ database: v.number(), accounts: v.number(), bytes: v.number() })),
});

const outcomeCounts = v.record(v.string(), v.number());

/** What is waiting, and the outcomes of the rest. */
export const status = v.object({
  ...pipelineStatus.entries,
  /** null if the ledger did not answer; `outcomesProblem` says why. */
  outcomes: v.nullable(outcomeCounts),
  outcomesProblem: v.optional(v.string()),
  /**
   * Parts of mail of the last week: found = outcomes + passed over, by kind. null if the ledger did not answer.
   */
  parts: v.nullable(
    v.object({ found: v.number(), outcomes: outcomeCounts, passedOver: v.record(v.string(), v.number()) }),
  ),
  /** Mails of the last week to unregistered addresses, at least; absent if the ledger did not answer. */
  refusedMails: v.optional(v.number()),
  /** Those of them that look like reports, by their addresses. */
  refusedReports: v.optional(v.number()),
  /** First part of the names of the deployment's Workers, queues and databases. */
  prefix: v.optional(v.string()),
});

/** Mail to one unregistered address; `isAtLeast`: the count reached its limit. */
export const refusedAddress = v.object({
  /** "" = addresses beyond the daily limit. */
  rua: v.string(),
  mails: v.number(),
  isAtLeast: v.boolean(),
  lastSeconds: v.number(),
  /** Envelope sender of the last one. */
  lastSender: v.string(),
});

export const activity = v.object({
  seconds: v.number(),
  settled: v.number(),
  failed: v.number(),
  outcomes: outcomeCounts,
});

export const stats = v.object({
  reports: v.number(),
  records: v.number(),
  messages: v.number(),
  passed: v.number(),
  sources: v.number(),
  /** Whether several databases contribute: an address in two of them is counted twice. */
  sourcesAreAtMost: v.boolean(),
  deadLetters: v.number(),
});

/** Sums of one kind of report by domain and day. */
export const domainDays = v.object({
  items: v.array(
    v.object({
      domain: v.string(),
      /** `YYYY-MM-DD`, the day of the reports (report-day.ts). */
      day: v.string(),
      reports: v.number(),
      records: v.number(),
      /** Messages of aggregate reports, sessions of TLS reports, incidents of failure reports. */
      total: v.number(),
      /** Of aggregate reports: messages that pass; of TLS reports: successful sessions. */
      passed: v.number(),
      /** Of the total, the day's share of reports over several days. */
      spread: v.number(),
    }),
  ),
  /** false: `cursor` continues the list. */
  isComplete: v.boolean(),
  cursor: v.optional(v.string()),
});

/** A dead letter: a file or message that could not be processed, with the reason. */
export const deadLetter = v.object({
  /** `<YYYYMMDD>-<hash>`: the day the mail arrived, and what failed. */
  id: v.string(),
  reason: v.object({
    code: v.string(),
    message: v.string(),
    /** Of too_many_problems: how often each reason occurred. */
    counts: v.optional(v.record(v.string(), v.number())),
  }),
  stage: v.picklist(["read", "queue"]),
  /** Deliveries used up. */
  attempts: v.number(),
  /** When it was filed, ISO 8601. */
  at: v.string(),
  account: v.string(),
  rua: v.string(),
  /** Policy domain where the document told it. */
  domain: v.string(),
  /** "" for a message that names no raw object. */
  rawKey: v.string(),
  part: v.string(),
  generation: v.number(),
  /** When the mail arrived, seconds since 1970 UTC; when the message was sent, if it names no mail. */
  receivedSeconds: v.number(),
  /** The queue message, whatever it was. */
  message: v.unknown(),
  /** Of a message that ran out of retries: its last error, or that none was kept. */
  lastError: v.optional(v.string()),
  /** What to do about it, for people. */
  advice: v.string(),
  /** The domain was taken from the file's name: the document did not tell it. */
  isDomainGuessed: v.optional(v.boolean()),
  /** Of the mail that brought it, as it says itself. */
  mail: v.optional(mailOrigin),
  /** The file it is about, as the mail names and declares it; `format`: what its first bytes are. */
  file: v.optional(reportFile),
  /** When a person discarded it, ISO 8601, and who; absent while it is open. */
  discarded: v.optional(v.object({ at: v.string(), by: v.string() })),
});

export type DeadLetter = v.InferOutput<typeof deadLetter>;

/** A dead letter as output. */
export function deadLetterOf(row: DeadLetterRow): DeadLetter {
  const { discardedSeconds = 0, discardedBy = "" } = row;
  return {
    id: row.id,
    reason: { code: row.code, message: row.message, counts: row.counts as Record<string, number> | undefined },
    stage: row.stage,
    attempts: row.attempts,
    at: new Date(row.filedSeconds * 1000).toISOString(),
    account: row.account,
    rua: row.rua,
    domain: row.domain,
    rawKey: row.rawKey,
    part: row.part,
    generation: row.generation,
    receivedSeconds: row.receivedSeconds,
    message: row.queueMessage,
    lastError: row.lastError,
    advice: adviceOnDeadLetter(row.code),
    isDomainGuessed: row.isDomainGuessed,
    mail: row.mail,
    file: row.file,
    discarded:
      discardedSeconds === 0 ? undefined : { at: new Date(discardedSeconds * 1000).toISOString(), by: discardedBy },
  };
}

/** A raw object in R2. */
export const rawObject = v.object({
  key: v.string(),
  sizeBytes: v.number(),
  /** When it was stored, ISO 8601. */
  storedAt: v.string(),
  metadata: v.object({
    rua: v.string(),
    sender: v.string(),
    from: v.string(),
    subject: v.string(),
    messageId: v.string(),
    receivedSeconds: v.number(),
    fileName: v.string(),
    mimeType: v.string(),
    tlsReportDomain: v.string(),
    objectsOfMail: v.number(),
    passedOver: v.record(v.string(), v.number()),
    /** Where it was found, if a person imported it; "" if it came by mail. */
    importedFrom: v.optional(v.string(), ""),
  }),
});

/** A file that was imported. */
export const importedFile = v.object({
  sha256: v.string(),
  /** R2 key of its raw object. */
  key: v.string(),
  /** false: it was imported before. */
  isNew: v.boolean(),
});

/** A file that was imported before, to one address. */
export const knownImport = v.object({
  sha256: v.string(),
  rua: v.string(),
  key: v.string(),
  /** When, ISO 8601. */
  importedAt: v.string(),
  /** Whether all of it has an outcome; until then it waits in a queue. */
  isDone: v.boolean(),
  /** Outcome → parts of the file: accepted, duplicate, conflict, dead_letter, discarded, taken_back. */
  outcomes: v.record(v.string(), v.number()),
});

/** `raw` is absent when the dead letter names no raw object, or it no longer exists. */
export const deadLetterDetails = v.object({ letter: deadLetter, raw: v.optional(rawObject) });

export type DeadLetterDetails = v.InferOutput<typeof deadLetterDetails>;

/** The result for one dead letter. */
export const deadLetterResult = v.object({
  id: v.string(),
  code: v.string(),
  /** `selected`: a dry run would have done it. */
  result: v.picklist(["requeued", "discarded", "restored", "selected", "refused"]),
  /** Why it was refused. */
  reason: v.optional(v.string()),
});

export type DeadLetterResult = v.InferOutput<typeof deadLetterResult>;

const conflictVersion = v.object({
  rawKey: v.string(),
  rua: v.string(),
  part: v.string(),
  contentHash: v.string(),
  receivedSeconds: v.number(),
  generation: v.number(),
  records: v.number(),
  /** Messages, sessions or incidents, as the kind is. */
  messages: v.number(),
  passed: v.number(),
  /** Whether its mail proves who sent it (docs/authentication.md), and for which domain. */
  sender: v.optional(reportSender, UNCHECKED),
  /** Of the mail that brought it, as it says itself; absent where the raw object is gone. */
  mail: v.optional(mailOrigin),
});

export type ConflictVersion = v.InferOutput<typeof conflictVersion>;

/** A report with the identity of an accepted one and other content. */
export const conflict = v.object({
  id: v.string(),
  /** When it was filed, ISO 8601. */
  at: v.string(),
  account: v.string(),
  /** The address the other version was sent to. */
  rua: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  /** `YYYY-MM-DD`, the first day the report counts for. */
  day: v.string(),
  reporter: v.string(),
  reportId: v.string(),
  uid: v.string(),
  accepted: conflictVersion,
  other: conflictVersion,
});

export type Conflict = v.InferOutput<typeof conflict>;

/** The differences of two versions, largest first; gone: one of them can no longer be read. */
export const comparison = v.variant("kind", [
  v.object({
    kind: v.literal("compared"),
    differences: v.array(v.object({ label: v.string(), accepted: v.number(), other: v.number() })),
    /** The total number, including those listed. */
    count: v.number(),
    /** Whether there were too many records to compare all of them. */
    isComplete: v.boolean(),
  }),
  v.object({ kind: v.literal("gone"), reason: v.string() }),
]);

/** Conflicts of one reporter about one domain in which a verified report counts and nothing proves the other version. */
export const doubtedConflicts = v.object({
  account: v.string(),
  domain: v.string(),
  kind: v.picklist(REPORT_KINDS),
  reporter: v.string(),
  conflicts: v.number(),
  /** Messages, sessions or incidents that the other versions would count. */
  messages: v.number(),
  /** When the first and the last of them were filed, seconds since 1970 UTC. */
  firstFiledSeconds: v.number(),
  lastFiledSeconds: v.number(),
});

export type DoubtedConflicts = v.InferOutput<typeof doubtedConflicts>;

/** A conflict as output. */
export function conflictOf(row: ConflictRow): Conflict {
  return {
    id: row.id,
    at: new Date(row.filedSeconds * 1000).toISOString(),
    account: row.account,
    rua: row.other.rua,
    kind: row.kind,
    domain: row.domain,
    day: isoDate(row.day * SECONDS_PER_DAY),
    reporter: row.reporter,
    reportId: row.reportId,
    uid: row.uid,
    accepted: versionOf(row.accepted),
    other: versionOf(row.other),
  };
}

function versionOf({ total, ...version }: ReportVersion): ConflictVersion {
  return { ...version, messages: total };
}

/** Which raw objects a job is about; all fields given hold. */
const jobFilter = v.object({
  key: v.optional(v.string()),
  prefix: v.optional(v.string()),
  domain: v.optional(v.string()),
  since: v.optional(v.string()),
  until: v.optional(v.string()),
  /** Of a job that forgets, while it runs. */
  account: v.optional(v.string()),
});

/** A job that goes through what came in, a page a message. */
export const job = v.object({
  id: v.string(),
  kind: v.picklist(JOB_KINDS),
  /** cancelled: a person ended it; files it had enqueued that were not read yet are skipped. */
  state: v.picklist(JOB_STATES),
  filter: jobFilter,
  dryRun: v.boolean(),
  generation: v.number(),
  /** Pages finished. */
  pages: v.number(),
  /** Where the next page begins; "" = at the start. */
  cursor: v.string(),
  /** Keys looked at, and reports enqueued (of a dry run: that would be). */
  scanned: v.number(),
  enqueued: v.number(),
  /** About how many raw objects it is about, by the ledger; 0 = not known. */
  total: v.number(),
  /** Of a job that forgets: raw objects and rows that are gone. */
  removed: v.number(),
  /** How many of the enqueued objects have been processed; absent if unknown. */
  finished: v.optional(v.number()),
  /** Of a cancelled one: how many of those were skipped. */
  skipped: v.number(),
  startedSeconds: v.number(),
  updatedSeconds: v.number(),
});

export type Job = v.InferOutput<typeof job>;

/** Whether what the pipeline needs answers. It names nothing. */
export const health = v.object({
  ledger: v.boolean(),
  registry: v.boolean(),
  /** Messages, and since when the oldest waits; absent where the platform does not say. */
  queues: v.array(v.object({ queue: v.string(), messages: v.number(), oldestSeconds: v.optional(v.number()) })),
});

/** A part of what is held of an account. */
export const accountExport = v.object({
  /** Rows by table, as the ledger has them; bytes are hex digits. */
  rows: v.array(
    v.object({
      table: v.string(),
      row: v.record(v.string(), v.nullable(v.union([v.string(), v.number()]))),
    }),
  ),
  /** Raw objects; readRawObject has their bytes. */
  objects: v.array(v.object({ key: v.string(), sizeBytes: v.number(), metadata: v.record(v.string(), v.unknown()) })),
  /** Where the next part begins; absent on the last one. */
  cursor: v.optional(v.string()),
});

/** An added domain: its address, set-up state, and the records to publish. */
export const addedDomain = v.object({
  account: v.string(),
  domain: v.string(),
  rua: v.string(),
  /** Whether it was added by this call. */
  isNew: v.boolean(),
  state: v.picklist(SETUP_STATES),
  ...domainSetup.entries,
});

/** The result of a line of a list of domains. */
export const addedLine = v.object({
  /** The line as it was given. */
  typed: v.string(),
  domain: v.optional(v.string()),
  rua: v.optional(v.string()),
  isNew: v.optional(v.boolean()),
  /** Why it was not added. */
  problem: v.optional(v.string()),
});

const holdingDecision = v.picklist(["mine", "notMine", "forwarder"]);

const sender = v.object({
  /** As a decision names it: an organizational domain, or an address. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  service: v.string(),
  role: v.picklist(ROLES),
  reason: v.object({ code: v.string(), sentence: v.string() }),
  messages: v.number(),
  passed: v.number(),
  /** Messages that p=reject would have hit. */
  hit: v.number(),
  /** `YYYY-MM-DD`, of all the details kept. */
  firstSeen: v.string(),
  lastSeen: v.string(),
  /** The decision in force, and its subject: the sender, a prefix, or a service. */
  decision: v.nullable(v.object({ source: v.string(), decision: holdingDecision })),
  suggestion: v.nullable(
    v.object({
      source: v.string(),
      decision: holdingDecision,
      code: v.picklist(SUGGESTION_CODES),
      sentence: v.string(),
    }),
  ),
});

/** The senders of a domain over a period, the largest first. */
export const senders = v.object({
  domain: v.string(),
  /** Whose domain it is, for a decision; null where nobody has reports about it. */
  account: v.nullable(v.string()),
  /** `YYYY-MM-DD`, both included. */
  from: v.string(),
  to: v.string(),
  items: v.array(sender),
  /** false: `cursor` continues the list. */
  isComplete: v.boolean(),
  cursor: v.optional(v.string()),
});

export const decidedSender = v.object({
  account: v.string(),
  domain: v.string(),
  source: v.string(),
  decision: v.picklist(SENDER_DECISIONS),
  note: v.string(),
  decidedBy: v.string(),
  decidedSeconds: v.number(),
});

/** A channel; of a URL only its host is shown. */
export const channel = v.object({
  id: v.string(),
  account: v.string(),
  kind: v.picklist(CHANNEL_KINDS),
  name: v.string(),
  target: v.string(),
  sendsNotices: v.boolean(),
  digest: v.picklist(DIGEST_INTERVALS),
  timeZone: v.string(),
  createdSeconds: v.number(),
  createdBy: v.string(),
  /** When it was confirmed that notices may be sent there; 0 = nothing is, until it is. */
  confirmedSeconds: v.number(),
  /** It did not answer, and nothing is sent before; 0 = it answers. */
  silentUntilSeconds: v.number(),
});

/** A channel as output: without its secret, and with as much of its target as may be shown. */
export function channelOf({ secret: _, unanswered: _unanswered, ...stored }: Channel): v.InferOutput<typeof channel> {
  return { ...stored, target: shownTarget(stored) };
}

/** A token, without its secret. Times in seconds since 1970 UTC, 0 for never. */
export const token = v.object({
  id: v.string(),
  /** "" = all accounts, as an operator. */
  account: v.string(),
  name: v.string(),
  scope: v.picklist(TOKEN_SCOPES),
  state: v.picklist(TOKEN_STATES),
  createdSeconds: v.number(),
  createdBy: v.string(),
  expiresSeconds: v.number(),
  revokedSeconds: v.number(),
  /** At most an hour behind. */
  lastUsedSeconds: v.number(),
});

/** A token as output. */
export function tokenOf(kept: Token, nowSeconds: number): v.InferOutput<typeof token> {
  return { ...kept, state: tokenState(kept, nowSeconds) };
}

/** A notice, digest, test or question to confirm on its way to a channel. */
export const delivery = v.object({
  id: v.string(),
  channel: v.string(),
  account: v.string(),
  kind: v.picklist(DELIVERY_KINDS),
  /** Id of the notice, day of the digest, time of the test, or until when the link that confirms is good. */
  subject: v.string(),
  state: v.picklist(DELIVERY_STATES),
  attempts: v.number(),
  /** The result of the last attempt, as a sentence. */
  result: v.string(),
  createdSeconds: v.number(),
  /** When the next attempt is due, while it is waiting. */
  nextSeconds: v.number(),
  finishedSeconds: v.number(),
});

/** A target that reports are forwarded to; of its URL only the host is shown. */
export const forwardTarget = v.object({
  id: v.string(),
  /** "" = of all accounts. */
  account: v.string(),
  kind: v.picklist(TARGET_KINDS),
  name: v.string(),
  target: v.string(),
  withRecords: v.boolean(),
  createdSeconds: v.number(),
  createdBy: v.string(),
  /** Reports sent, and when the last one was, seconds since 1970 UTC; 0 = never. */
  sent: v.number(),
  sentSeconds: v.number(),
  /** Reports that wait, since when the oldest does (0 = none), and those that were given up. */
  waiting: v.number(),
  oldestSeconds: v.number(),
  failed: v.number(),
  /** The result of the last attempt, and why a report was refused; "" = nothing. */
  result: v.string(),
  problem: v.string(),
  /** Failed attempts in a row, and when the next one is due. */
  failures: v.number(),
  nextSeconds: v.number(),
});

/** A target as output: without its secrets. @param waiting what waits for it in each database */
export function forwardTargetOf(
  { secret: _, accessKeyId: _id, region: _region, url, ...target }: ForwardTarget,
  waiting: readonly WaitingReports[],
): v.InferOutput<typeof forwardTarget> {
  const sum = (count: (row: WaitingReports) => number): number => waiting.reduce((all, row) => all + count(row), 0);
  const oldest = waiting.map(({ oldestSeconds }) => oldestSeconds).filter((seconds) => seconds > 0);
  return {
    ...target,
    target: shownTarget({ kind: "webhook", target: url }),
    waiting: sum((row) => row.waiting),
    failed: sum((row) => row.failed),
    oldestSeconds: oldest.length === 0 ? 0 : Math.min(...oldest),
    problem: waiting.find(({ problem }) => problem !== "")?.problem ?? "",
  };
}

/** A report that a target has not taken yet. */
export const unsentReport = v.object({
  /** Id of the target. */
  target: v.string(),
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  /** As `getReport` takes it. */
  day: v.string(),
  uid: v.string(),
  /** failed: given up, until it is sent again by hand. */
  state: v.picklist(["waiting", "failed"]),
  /** How often the target refused it, and what it answered last. */
  attempts: v.number(),
  result: v.string(),
  createdSeconds: v.number(),
  nextSeconds: v.number(),
});

const watched = {
  id: v.string(),
  account: v.string(),
  /** "" = the pipeline itself. */
  domain: v.string(),
  rule: v.picklist(RULE_CODES),
  subject: v.string(),
  severity: v.picklist(SEVERITIES),
  title: v.string(),
  evidence: v.array(v.string()),
  /** Path of a page. */
  link: v.string(),
};

/** Something a rule found. Times in seconds since 1970 UTC, 0 for never. */
export const incident = v.object({
  ...watched,
  state: v.picklist(["open", "resolved"]),
  isEvent: v.boolean(),
  /** The likeliest first. */
  causes: v.array(v.object({ code: v.string(), sentence: v.string() })),
  openedSeconds: v.number(),
  foundSeconds: v.number(),
  remindedSeconds: v.number(),
  resolvedSeconds: v.number(),
});

/** A domain that a line of the worklist is about. */
export const workDomain = v.object({
  account: v.string(),
  domain: v.string(),
  /** Failing messages a week that receivers did not let through; of them, those that were quarantined or rejected. */
  messages: v.number(),
  refused: v.number(),
  /** How much it matters, in messages a week of the owner's (WORK_WEIGHTS, docs/limits.md). */
  weight: v.number(),
  /** Path of the page that shows it. */
  link: v.string(),
});

/** One thing to do, over all domains that need it. */
export const workLine = v.object({
  code: v.picklist(WORK_CODES),
  /** Service, organizational domain, kind of record or step of the policy; "" where the code says it all. */
  subject: v.string(),
  /** What is wrong, and what to do. */
  title: v.string(),
  action: v.string(),
  domains: v.number(),
  messages: v.number(),
  refused: v.number(),
  weight: v.number(),
  /** Path of the page: of the one domain, or of the list of all. */
  link: v.string(),
  /** The domains it weighs most in. */
  unfolded: v.array(workDomain),
});

/** A notice: one step of an incident. */
export const notice = v.object({
  ...watched,
  /** Id of the incident. */
  incident: v.string(),
  step: v.picklist(STEPS),
  cause: v.string(),
  createdSeconds: v.number(),
  urgency: v.picklist(URGENCIES),
});

/** What is muted; "" = all, 0 = for good. */
export const mute = v.object({
  account: v.string(),
  domain: v.string(),
  rule: v.picklist([...RULE_CODES, ""]),
  subject: v.string(),
  untilSeconds: v.number(),
  note: v.string(),
  mutedSeconds: v.number(),
  mutedBy: v.string(),
});

/** What a round over the domains did. */
export const watchDone = v.object({
  domains: v.number(),
  computed: v.number(),
  skipped: v.number(),
  /** Whether all domains have been looked at; where there is a `next`, those of this database. */
  isDone: v.boolean(),
  /** The database to ask for next: on the free plan one run does not reach all. */
  next: v.optional(v.number()),
});

/** An MTA-STS policy that is served. */
export const hostedMtaSts = v.object({
  account: v.string(),
  domain: v.string(),
  policy: mtaStsPolicy,
  /** Changes with the policy; it stands in the record. */
  id: v.string(),
  changedBy: v.string(),
  changedSeconds: v.number(),
  record: v.object({ name: v.string(), type: v.picklist(["TXT", "CNAME"]), value: v.string() }),
});

/** What is known of a domain's inbound security. */
export const mtaStsState = v.object({
  account: v.string(),
  domain: v.string(),
  /** The address the domain is registered with; null: it is not, so no policy can be served. */
  registeredWith: v.nullable(v.string()),
  /** null: none of this account. */
  hosted: v.nullable(hostedMtaSts),
  /** Where senders fetch it. */
  url: v.string(),
  isServed: v.boolean(),
  /** Hosts of the MX records as last checked, and whether the policy names each; null: not known. */
  hosts: v.nullable(v.array(v.object({ host: v.string(), isCovered: v.boolean() }))),
  /** When DNS was last checked; null: never. */
  checkedSeconds: v.nullable(v.number()),
  advice: v.object({
    code: v.picklist(MTA_STS_ADVICE),
    state: v.picklist(["good", "attention", "broken", "unknown"]),
    sentence: v.string(),
    mode: v.optional(v.picklist(MTA_STS_MODES)),
    failures: v.array(
      v.object({ resultType: v.string(), receivingHost: v.string(), sessions: v.number(), lastDay: v.number() }),
    ),
  }),
  /** The newest first; policy null: switched off. */
  changes: v.array(v.object({ policy: v.nullable(mtaStsPolicy), changedBy: v.string(), changedSeconds: v.number() })),
});

const spfSide = v.object({ text: v.string(), lookups: v.number() });

/** What authorizing a source does to an SPF record. */
export const spfAdvice = v.object({
  domain: v.string(),
  source: v.string(),
  code: v.picklist(SPF_ADVICE),
  state: v.picklist(["good", "attention", "broken", "unknown"]),
  sentence: v.string(),
  before: v.optional(spfSide),
  after: v.optional(spfSide),
  term: v.optional(v.string()),
  choices: v.array(v.object({ term: v.string(), lookups: v.number(), isUsable: v.boolean() })),
});

/** Names a report. */
export const reportName = v.object({
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  /** `YYYY-MM-DD`. */
  day: v.string(),
  uid: v.string(),
});

const alignedResult = v.picklist(["pass", "fail", "unknown"]);

export const placedRecord = v.object({
  /** Index in the report, from 0. */
  ordinal: v.number(),
  sourceIp: v.string(),
  count: v.number(),
  disposition: v.picklist([...DISPOSITIONS, "unknown"]),
  rawDisposition: v.string(),
  dkim: alignedResult,
  spf: alignedResult,
  reasons: v.array(
    v.object({
      type: v.picklist([...OVERRIDE_TYPES, "unknown"]),
      rawType: v.string(),
      comment: v.string(),
    }),
  ),
  headerFrom: v.string(),
  envelopeFrom: v.string(),
  envelopeTo: v.string(),
  dkimResults: v.array(
    v.object({
      domain: v.string(),
      selector: v.string(),
      result: v.picklist([...DKIM_RESULTS, "unknown"]),
      rawResult: v.string(),
      humanResult: v.string(),
    }),
  ),
  spfResults: v.array(
    v.object({
      domain: v.string(),
      scope: v.picklist(["helo", "mfrom", "unknown"]),
      result: v.picklist([...SPF_RESULTS, "unknown"]),
      rawResult: v.string(),
      humanResult: v.string(),
    }),
  ),
});

const tlsPolicy = v.object({
  policyType: v.string(),
  policyDomain: v.string(),
  policyStrings: v.array(v.string()),
  mxHosts: v.array(v.string()),
  successfulSessionCount: v.number(),
  failedSessionCount: v.number(),
  failureDetails: v.array(
    v.object({
      resultType: v.string(),
      sendingMtaIp: v.string(),
      receivingMxHostname: v.string(),
      receivingMxHelo: v.string(),
      receivingIp: v.string(),
      failedSessionCount: v.number(),
      additionalInformation: v.string(),
      failureReasonCode: v.string(),
    }),
  ),
});

/**
 * aggregate: a page of records and how many there are, with their messages; tls: the policies with their failure
 * details; gone: the raw object is no longer there, or no longer gives this report.
 */
export const recordsAnswer = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    records: v.array(placedRecord),
    matching: v.number(),
    messages: v.number(),
    cursor: v.optional(v.string()),
  }),
  v.object({
    kind: v.literal("tls"),
    policies: v.array(tlsPolicy),
    omitted: v.optional(
      v.object({
        policies: v.number(),
        failureDetails: v.number(),
        successfulSessions: v.number(),
        failedSessions: v.number(),
      }),
    ),
  }),
  v.object({ kind: v.literal("failure") }),
  v.object({ kind: v.literal("gone"), reason: v.string() }),
]);

const hitCounts = v.object({
  own: v.number(),
  undecided: v.number(),
  foreign: v.number(),
  /** Passed on by forwarders and lists that receivers make no exception for. */
  forwarder: v.number(),
});

const verdictReason = v.object({
  code: v.string(),
  sentence: v.string(),
  messages: v.number(),
  source: v.optional(v.string()),
});

/** The verdict about a domain over a period. */
export const verdict = v.object({
  domain: v.string(),
  state: v.picklist(["beingRejected", "notYet", "ready", "protected", "tooEarly", "silent", "notInUse"]),
  headline: v.string(),
  nextStep: v.string(),
  /** The reasons for the state, most important first. */
  reasons: v.array(verdictReason),
  /** Days with reports. */
  days: v.number(),
  messages: v.number(),
  /** Of own senders, forwarders and undecided ones. */
  ownMessages: v.number(),
  letThrough: v.number(),
  /** Messages that each step would have hit, by whose senders they are from. */
  wouldHit: v.object({
    quarantineTest: hitCounts,
    quarantine: hitCounts,
    rejectTest: hitCounts,
    reject: hitCounts,
    strict: hitCounts,
    subdomains: hitCounts,
  }),
  /** The published policy as the newest report saw it. */
  policy: v.string(),
  /** Text of the record to publish at `_dmarc.<domain>`; null = keep the current one. */
  nextRecord: v.nullable(v.string()),
  missing: v.array(verdictReason),
  /** Those with failing mail, the largest first. */
  sources: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(["own", "other", "none"]),
      service: v.string(),
      role: v.picklist(["own", "forwarder", "foreign", "undecided"]),
      reason: v.object({ code: v.string(), sentence: v.string() }),
      messages: v.number(),
      passed: v.number(),
      letThrough: v.number(),
      hit: v.number(),
      refused: v.number(),
    }),
  ),
});
