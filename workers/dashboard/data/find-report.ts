/** One report, for people who may see it. */
import { type DecisionRow, decisionsQuery } from "../../../shared/ledger/conflicts.ts";
import { reportQuery, type StoredReport } from "../../../shared/ledger/report-list.ts";
import { parseDay } from "../../../shared/report-day.ts";
import { maySee } from "../access.ts";
import { ApiError } from "../errors.ts";
import type { LedgerRequest } from "./ledger-request.ts";

/** Which report, as its link says. */
export interface ReportAddress {
  account: string;
  domain: string;
  /** The day it counts for, or its period begins on. */
  day: string;
  uid: string;
}

/** @throws ApiError (404), also for a report the person may not see: its existence is not disclosed */
export async function findReport(
  request: LedgerRequest,
  { account, domain, day, uid }: ReportAddress,
): Promise<StoredReport> {
  const linkDay = parseDay(day);
  const missing = new ApiError("not_found", "No such report, or no access.");
  if (linkDay === undefined || !maySee(request.access, account)) throw missing;
  const withTakenBack = request.access.role === "operator";
  const query = reportQuery({ account, domain, day: linkDay, uid, withTakenBack });
  const [report] = await request.ask(query, account);
  if (report === undefined) throw missing;
  return report;
}

/** Who took a report back, and why; undefined unless it is taken back now. */
export async function findTakeBack(request: LedgerRequest, report: StoredReport): Promise<DecisionRow | undefined> {
  if (report.state !== "taken_back") return undefined;
  const decisions = await request.ask(decisionsQuery(report.reportUid), report.account);
  return decisions.find(({ decision }) => decision === "taken_back");
}
