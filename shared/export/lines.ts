/**
 * The lines of an answer to `exportRecords`: a report, then its records in their order, then the next report; problems
 * where a report cannot be read; at last the end with its sums. JSON, a line each. Pure.
 */
import * as v from "valibot";
import { SENDER_STATES } from "../authentication/sender-state.ts";
import { placedRecord } from "../contract/report-shapes.ts";

const policyTags = v.object({
  p: v.string(),
  sp: v.string(),
  np: v.string(),
  adkim: v.string(),
  aspf: v.string(),
  pct: v.number(),
  testing: v.boolean(),
});

/** A report without its records; sums as the ledger has them. */
export const exportedReport = v.object({
  type: v.literal("report"),
  account: v.string(),
  domain: v.string(),
  /** `YYYY-MM-DD`, the first day it counts for. */
  day: v.string(),
  uid: v.string(),
  generation: v.number(),
  reporter: v.string(),
  reporterEmail: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
  senderState: v.picklist(SENDER_STATES),
  senderDomain: v.string(),
  policy: policyTags,
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  records: v.number(),
  messages: v.number(),
  passed: v.number(),
});
export type ExportedReport = v.InferOutput<typeof exportedReport>;

const exportedRecord = v.omit(placedRecord, ["ordinal"]);
export type ExportedRecord = v.InferOutput<typeof exportedRecord>;

const recordsLine = v.object({
  type: v.literal("records"),
  firstOrdinal: v.number(),
  records: v.array(exportedRecord),
});

const EXPORT_PROBLEMS = ["gone", "differs", "not_kept"] as const;

/**
 * gone: a report's records are not, or not all, in the answer; differs: they do not add up to the ledger's sums; not_kept:
 * of an account's reports only sums are left (`uid` is then "").
 */
const problemLine = v.object({
  type: v.literal("problem"),
  code: v.picklist(EXPORT_PROBLEMS),
  account: v.string(),
  domain: v.string(),
  day: v.string(),
  uid: v.string(),
  message: v.string(),
});
export type ExportProblem = v.InferOutput<typeof problemLine>;

/** The end of an answer, with sums over the records in it. `cursor` continues it and is absent on the last page. */
const endLine = v.object({
  type: v.literal("end"),
  reports: v.number(),
  records: v.number(),
  messages: v.number(),
  passed: v.number(),
  cursor: v.optional(v.string()),
});
export type ExportEnd = v.InferOutput<typeof endLine>;

const line = v.variant("type", [exportedReport, recordsLine, problemLine, endLine]);
export type ExportLine = v.InferOutput<typeof line>;

const lineText = v.pipe(v.string(), v.parseJson(), line);

/** Reads a line. @throws ValiError when it is neither: the other end is another version, or no dashboard */
export function parseExportLine(text: string): ExportLine {
  return v.parse(lineText, text);
}

/** The place after a report in the order of exports: account, domain, day, uid. */
const position = v.strictTuple([v.string(), v.string(), v.number(), v.string()]);
export type ExportPosition = v.InferOutput<typeof position>;

/** A position as the text of a cursor. */
export function exportCursor(at: ExportPosition): string {
  return JSON.stringify(at);
}

/** The position of a cursor; undefined if it cannot be read. */
export function parseExportCursor(text: string): ExportPosition | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), position), text);
  return parsed.success ? parsed.output : undefined;
}
