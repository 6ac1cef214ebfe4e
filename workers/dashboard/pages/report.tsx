/** One report of any kind: who may see it, which page shows it, and the file it was read from. */
import { reportOriginQuery } from "../../../shared/analytics/queries-reports.ts";
import type { ReportReference, StoredReport } from "../../../shared/operations.ts";
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
  /** The day its period begins on, or where that is not known the day it arrived. */
  day: string;
  uid: string;
}

export async function reportPage(request: PageRequest, address: ReportAddress): Promise<PageResult> {
  const entry = await findReport(request, address);
  const { report } = entry;
  switch (report.kind) {
    case "aggregate":
      return aggregateReportPage(request, { entry, report });
    case "tls":
      return tlsReportPage(request, { entry, report });
    case "failure":
      return failureReportPage(request, { entry, report });
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
  const beginDay = parseDay(day);
  const missing = new ApiError("not_found", "There is no such report, or it is not yours to see.");
  if (beginDay === undefined || !maySee(request.access, account)) throw missing;
  const reference = { account, domain, beginSeconds: beginDay * 86_400, uid };
  const entry = await readReport(request, reference);
  if (entry === undefined || !maySee(request.access, entry.account)) throw missing;
  return entry;
}

// Not every list knows where the ledger keeps a report: one about TLS has several domains, one without records no day.
async function readReport(request: PageRequest, reference: ReportReference): Promise<StoredReport | undefined> {
  const read = (asked: ReportReference): Promise<StoredReport | undefined> =>
    request.operate((operations) => operations.getReport(asked));
  const entry = await read(reference);
  if (entry !== undefined) return entry;
  const scope = { accounts: [reference.account], reportUid: reference.uid };
  const [rawKey] = await request.ask(reportOriginQuery(scope));
  return rawKey === undefined ? undefined : read({ ...reference, rawKey });
}
