/** Operations about what came in: imports, dead letters, raw objects, conflicts, and single reports. operations.ts assembles them. */
import * as v from "valibot";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { IMPORT_LIMITS, PAGE_LIMITS } from "../limits.ts";
import { RECORD_ORDERS } from "../operations.ts";
import { listOf, pageOf } from "./common-shapes.ts";
import {
  account,
  bytes,
  count,
  cursor,
  day,
  domain,
  id,
  idInput,
  mailAddress,
  objectKey,
  pageFields,
  REPORT_PATH,
  reason,
  reportName,
  truth,
} from "./fields.ts";
import * as shapes from "./incoming-shapes.ts";
import { get, post, put } from "./operation.ts";
import * as reports from "./report-shapes.ts";

const deadLetterFilter = {
  code: v.optional(id),
  domain: v.optional(domain),
  account: v.optional(account),
  since: v.optional(day),
  until: v.optional(day),
};
const selection = v.strictObject({
  ids: v.optional(v.pipe(v.array(id), v.minLength(1), v.maxLength(PAGE_LIMITS.deadLetters))),
  filter: v.optional(v.strictObject(deadLetterFilter)),
  cursor: v.optional(cursor),
  dryRun: v.optional(v.boolean()),
});
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a SHA-256 in hex"));
/** What is known about an imported file besides its bytes. */
const importedFile = {
  sha256,
  name: v.pipe(v.string(), v.maxLength(IMPORT_LIMITS.maxNameChars)),
  /** Where it was found: a path, or a mailbox and the mail in it. */
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(IMPORT_LIMITS.maxOriginChars)),
  /** It is a mail; these are its header fields. */
  isMail: v.optional(truth),
  from: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  subject: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  messageId: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  /** How it authenticated, as its receiver says (shared/authentication/authentication-results.ts). */
  authentication: v.optional(v.pipe(v.string(), v.maxLength(1000))),
};
const decision = v.picklist(["keep", "replace", "count_both"]);

export const REPORT_OPERATIONS = {
  importFiles: {
    summary: "Accepts files as if they had arrived by mail at a registered address; known files are skipped",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/imports",
      place: { json: "fields" },
      status: 202,
      answer: "json",
      maxBodyBytes: IMPORT_LIMITS.maxCallBodyBytes,
    },
    input: v.strictObject({
      rua: mailAddress,
      files: v.pipe(
        v.array(v.strictObject({ ...importedFile, /** Base64. */ content: v.string() })),
        v.minLength(1),
        v.maxLength(IMPORT_LIMITS.filesPerCall),
      ),
    }),
    output: listOf(shapes.importedFile),
  },
  importFile: {
    summary: "The same for one large file, whose bytes are the body",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/imports/:sha256",
      place: { bytes: "content" },
      status: 202,
      answer: "json",
      maxBodyBytes: IMPORT_LIMITS.maxFileBytes,
    },
    input: v.strictObject({ rua: mailAddress, ...importedFile, size: count, content: bytes }),
    output: shapes.importedFile,
  },
  knownImports: {
    summary: "Which files were imported, and their outcomes",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: post("/imports/known"),
    input: v.strictObject({ sha256s: v.pipe(v.array(sha256), v.maxLength(IMPORT_LIMITS.askedPerCall)) }),
    output: listOf(shapes.knownImport),
  },

  listDeadLetters: {
    summary: "Reports that couldn't be processed, by the day their mail arrived, oldest first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/dead-letters"),
    input: v.strictObject({
      ...deadLetterFilter,
      isDiscarded: v.optional(truth),
      ...pageFields(PAGE_LIMITS.deadLetters),
    }),
    output: pageOf(shapes.deadLetter),
  },
  deadLetterReasons: {
    summary: "How many dead letters there are by reason, most frequent first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/dead-letter-reasons"),
    input: v.strictObject({ ...deadLetterFilter, isDiscarded: v.optional(truth) }),
    output: listOf(v.object({ code: v.string(), deadLetters: v.number() })),
  },
  getDeadLetter: {
    summary: "One dead letter, with what is known about its raw object",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/dead-letters/:id"),
    input: idInput,
    output: shapes.deadLetterDetails,
  },
  requeueDeadLetters: {
    summary: "Retries dead letters: by id, or a page of those a filter matches",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/dead-letters/requeue"),
    input: selection,
    output: pageOf(shapes.deadLetterResult),
  },
  discardDeadLetters: {
    summary: "Discards dead letters: reprocessing does not bring them back; their raw objects stay",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/dead-letters/discard"),
    input: selection,
    output: pageOf(shapes.deadLetterResult),
  },
  readRawObject: {
    summary: "The bytes of a raw object, exactly as they came",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/raw", place: "query", status: 200, answer: "bytes" },
    input: v.strictObject({ key: objectKey }),
    output: v.instance(Response),
  },

  restoreDeadLetters: {
    summary: "Reopens discarded dead letters",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/dead-letters/restore"),
    input: selection,
    output: pageOf(shapes.deadLetterResult),
  },
  describeRawObject: {
    summary: "Facts about a raw object besides its bytes",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({ key: objectKey }),
    output: shapes.rawObject,
  },

  listConflicts: {
    summary: "Other versions of accepted reports that wait for a decision, oldest day first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/conflicts"),
    input: v.strictObject({
      ...pageFields(PAGE_LIMITS.deadLetters),
      /** Without those grouped by listDoubtedConflicts. */
      without_doubted: v.optional(truth),
    }),
    output: pageOf(shapes.conflict),
  },
  listDoubtedConflicts: {
    summary: "Unverified versions of verified reports, by reporter and domain",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/doubted-conflicts"),
    input: v.strictObject({}),
    output: v.object({ items: v.array(shapes.doubtedConflicts) }),
  },
  keepVerified: {
    summary: "Decides the doubted conflicts of one reporter and domain: the verified reports stay",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/doubted-conflicts/keep"),
    input: v.strictObject({
      account: v.string(),
      domain: v.string(),
      kind: v.picklist(REPORT_KINDS),
      reporter: v.string(),
      reason,
    }),
    output: v.object({
      /** How many were decided; if this is the limit of one call, more are left. */
      kept: v.number(),
      isComplete: v.boolean(),
    }),
  },
  getConflict: {
    summary: "One conflict",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/conflicts/:id"),
    input: idInput,
    output: shapes.conflict,
  },
  compareConflict: {
    summary: "What the two versions of a conflict count differently, read again from their raw objects",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: get("/conflicts/:id/differences"),
    input: idInput,
    output: shapes.comparison,
  },
  decideConflict: {
    summary: "keep: the accepted version stays; replace: the other takes its place; count_both: both count",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/conflicts/:id/decide", place: { json: "fields" }, status: 202, answer: "json" },
    input: v.strictObject({ id, decision, reason }),
    output: shapes.conflict,
  },
  acceptConflict: {
    summary: "The same as decideConflict with replace",
    role: "operator",
    changes: true,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/conflicts/:id/accept", place: "query", status: 202, answer: "json" },
    input: idInput,
    output: shapes.conflict,
  },
  discardConflict: {
    summary: "The same as decideConflict with keep",
    role: "operator",
    changes: true,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/conflicts/:id/discard", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.conflict,
  },

  readRecords: {
    summary: "A page of a report's records, read again from its raw object",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: get(`${REPORT_PATH}/records`),
    input: v.strictObject({
      ...reportName,
      /** Optional; saves a lookup. */
      kind: v.optional(v.picklist(REPORT_KINDS)),
      /** Only records that contain this text. */
      text: v.optional(v.string()),
      /** Only records that passed, or failed, DMARC. */
      isPass: v.optional(truth),
      order: v.optional(v.picklist(RECORD_ORDERS)),
      descending: v.optional(truth),
      limit: v.optional(count),
      offset: v.optional(count),
      cursor: v.optional(cursor),
    }),
    output: reports.recordsAnswer,
  },
  exportRecords: {
    summary: "The records of the accepted aggregate reports of a period as lines of JSON, a page of reports a call",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/records", place: "query", status: 200, answer: "bytes" },
    /** Without `until`: all since then. A report belongs to the first day it counts for. */
    input: v.strictObject({
      since: day,
      until: v.optional(day),
      domain: v.optional(domain),
      account: v.optional(account),
      cursor: v.optional(cursor),
    }),
    output: v.instance(Response),
  },
  readReportFile: {
    summary: "The bytes of the raw object a report was read from, exactly as they came",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: `${REPORT_PATH}/raw`, place: "query", status: 200, answer: "bytes" },
    input: v.strictObject(reportName),
    output: v.instance(Response),
  },
  takeBackReport: {
    summary: "Removes an accepted report from all figures; its raw object stays, and it is not accepted again",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: put(`${REPORT_PATH}/taken-back`),
    input: v.strictObject({ ...reportName, reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000)) }),
    output: reports.reportName,
  },
  undoTakeBack: {
    summary: "Counts a report again that was taken back",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: `${REPORT_PATH}/taken-back`, place: "query", status: 200, answer: "json" },
    input: v.strictObject(reportName),
    output: reports.reportName,
  },
} as const;
