/** Operations on one report that is given by account, domain, day and uid: its records, its file, taking it back. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { REPORT_KINDS, type ReportKind, type ReportReference } from "../../../shared/ledger/report-rows.ts";
import { findReports, type LedgerReport } from "../../../shared/ledger/reports.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { ok } from "../../../shared/result.ts";
import { isoDate } from "../../../shared/storage.ts";
import { badRequest, foundOr, notFound, refusal } from "../answers.ts";
import { type Call, type Invocation, inShardOf } from "../env.ts";
import { readRawObject } from "../reports/raw-object.ts";
import { readRecords } from "./records.ts";
import { takeBackReport, undoTakeBack } from "./take-back.ts";

/** A report as a caller names it: the day as YYYY-MM-DD, and the kind only if it is known. */
interface ReportName {
  account: string;
  domain: string;
  day: string;
  uid: string;
  kind?: ReportKind | undefined;
}

const NO_REPORT = "There is no such report.";

/** A page of the records of a report. @returns a problem if there is no such report, or the cursor is of another list */
export async function readNamedRecords(
  { text, isPass, order, descending, limit, offset = 0, cursor, ...name }: Inputs["readRecords"],
  { invocation }: Call,
): Promise<Answer<Outputs["readRecords"]>> {
  const reference = await findReference(name, invocation);
  if (reference === undefined) return notFound(NO_REPORT);
  const first = cursor === undefined ? offset : Number(cursor);
  if (!Number.isSafeInteger(first)) {
    return badRequest("cursor: it is not from this list.");
  }
  const query = { reference, text, isPass, order, descending, limit, offset: first };
  const page = await readRecords(query, invocation);
  if (page.kind !== "aggregate") return ok(page);
  const next = first + page.records.length;
  const isLast = page.records.length === 0 || next >= page.matching;
  return ok(isLast ? page : { ...page, cursor: String(next) });
}

/** The raw object of a report; of one that was taken back, for operators only. */
export async function readNamedFile(
  name: Inputs["readReportFile"],
  { invocation, caller }: Call,
): Promise<Answer<Response>> {
  const report = await findReport(name, invocation);
  const isReadable = report?.state === "accepted" || caller.authority.isOperator;
  const file =
    report !== undefined && isReadable
      ? await readRawObject(invocation.env.R2_DMARC_REPORTS, report.rawKey)
      : undefined;
  return foundOr(file, "There is no such report, or its raw object is gone.");
}

/** Takes a report back. @returns a problem if there is no such report, or it is not accepted */
export async function takeBackNamed(
  { reason, ...name }: Inputs["takeBackReport"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["takeBackReport"]>> {
  const reference = await findReference(name, invocation);
  if (reference === undefined) return notFound(NO_REPORT);
  return nameOf(await takeBackReport(reference, { by: caller.name, reason }, invocation));
}

/** Restores a report. @returns a problem if there is no such report, or it was not taken back */
export async function undoTakeBackOfNamed(
  name: Inputs["undoTakeBack"],
  { invocation }: Call,
): Promise<Answer<Outputs["undoTakeBack"]>> {
  const reference = await findReference(name, invocation);
  if (reference === undefined) return notFound(NO_REPORT);
  return nameOf(await undoTakeBack(reference, invocation));
}

/** The reference of a report. With a kind it is not looked up: whoever uses the reference finds out if it exists. */
async function findReference(name: ReportName, invocation: Invocation): Promise<ReportReference | undefined> {
  const { account, domain, uid, kind } = name;
  const day = parseDay(name.day);
  if (day !== undefined && kind !== undefined) return { account, kind, domain, day, uid };
  return (await findReport(name, invocation))?.reference;
}

/** A report of any kind: a uid belongs to one kind only. */
async function findReport(
  { account, domain, day, uid }: ReportName,
  invocation: Invocation,
): Promise<LedgerReport | undefined> {
  const calendarDay = parseDay(day);
  if (calendarDay === undefined) return undefined;
  const references = REPORT_KINDS.map((kind) => ({ account, kind, domain, day: calendarDay, uid }));
  const { ledger } = await inShardOf(account, invocation);
  return (await findReports(ledger, references)).reports.get(uid);
}

function nameOf(reference: ReportReference | OperationRefused): Answer<Outputs["takeBackReport"]> {
  if ("refused" in reference) return refusal(reference);
  const { account, kind, domain, day, uid } = reference;
  return ok({ account, kind, domain, day: isoDate(day * SECONDS_PER_DAY), uid });
}
