/** One report of any kind: who may see it, which page shows it, and the file it was read from. */
import { reportQuery, type StoredReport } from "../../../shared/ledger/report-list.ts";
import { maySee } from "../access.ts";
import { parseDay } from "../data/days.ts";
import { ApiError } from "../errors.ts";
import type { PageResult } from "../parts/page.ts";
import { rawFileAnswer } from "../parts/raw-file.ts";
import type { PageRequest } from "../parts/request.ts";
import { aggregateReportPage } from "./aggregate-report.tsx";
import { failureReportPage } from "./failure-report.tsx";
import { tlsReportPage } from "./tls-report.tsx";

/** Which report, as its link says. */
export interface ReportAddress {
  account: string;
  domain: string;
  /** The day it counts for, or its period begins on. */
  day: string;
  uid: string;
}

export async function reportPage(request: PageRequest, address: ReportAddress): Promise<PageResult> {
  const report = await findReport(request, address);
  const { details } = report;
  switch (details.kind) {
    case "aggregate":
      return aggregateReportPage(request, { report, details });
    case "tls":
      return tlsReportPage(request, { report, details });
    case "failure":
      return failureReportPage(request, { report, details });
  }
}

/** The raw object a report was read from, as it came. */
export async function reportRawFile(request: PageRequest, address: ReportAddress): Promise<Response> {
  const { rawKey } = await findReport(request, address);
  const missing = "The raw file is not stored any more. Of failure reports an address may keep the facts only.";
  return rawFileAnswer(request, { rawKey, missing });
}

/** @throws ApiError (404), also for a report the person may not see: that it exists is not told either */
async function findReport(request: PageRequest, { account, domain, day, uid }: ReportAddress): Promise<StoredReport> {
  const linkDay = parseDay(day);
  const missing = new ApiError("not_found", "There is no such report, or it is not yours to see.");
  if (linkDay === undefined || !maySee(request.access, account)) throw missing;
  const [report] = await request.ask(reportQuery({ account, domain, day: linkDay, uid }));
  if (report === undefined) throw missing;
  return report;
}
