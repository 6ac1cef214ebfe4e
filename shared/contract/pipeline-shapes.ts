/** What operations about the pipeline answer, as schemas: what waits, what was done, sums, and jobs. Pure. */
import * as v from "valibot";
import { JOB_KINDS, JOB_STATES } from "../ledger/jobs.ts";
import { period } from "./common-shapes.ts";

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
  /** Bytes that one of them may hold, by the plan. */
  maxDatabaseBytes: v.optional(v.number()),
  /** Numbers of those that accounts live in and process is not bound to: mail to these accounts ends as dead letters. */
  unboundDatabases: v.optional(v.array(v.number())),
  /** When cron last began a round over all domains, seconds since 1970 UTC, as it does every 15 minutes; 0 = never. */
  roundSeconds: v.optional(v.number()),
  /** When cron last began a round, or judged a domain in one that takes long; 0 = never. */
  cronSeconds: v.optional(v.number()),
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
  /** As in pipelineStatus. */
  databases: v.optional(v.array(v.object({ database: v.number(), bytes: v.number() }))),
  maxDatabaseBytes: v.optional(v.number()),
  unboundDatabases: v.optional(v.array(v.number())),
  roundSeconds: v.optional(v.number()),
  cronSeconds: v.optional(v.number()),
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
