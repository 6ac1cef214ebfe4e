/**
 * What operations about what came in answer, as schemas: raw objects, imports, dead letters, conflicts; and how rows of the
 * ledger become them. Pure.
 */
import * as v from "valibot";
import { reportSender, UNCHECKED } from "../authentication/sender-state.ts";
import type { ConflictRow, ReportVersion } from "../ledger/conflicts.ts";
import type { DeadLetterRow } from "../ledger/dead-letters.ts";
import { mailOrigin, reportFile } from "../ledger/mail-origin.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { adviceOnDeadLetter } from "../problem-advice.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { isoDate } from "../storage.ts";

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
  /** Policy domain, where the document names it. */
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
