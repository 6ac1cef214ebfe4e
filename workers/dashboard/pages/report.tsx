/** One report of any kind: who may see it, which page shows it, the file it was read from, and taking it back. */

import { importOfObjectQuery } from "../../../shared/ledger/imports.ts";
import type { StoredReport } from "../../../shared/ledger/report-list.ts";
import { isoDay } from "../data/days.ts";
import { findReport, findTakeBack, type ReportAddress } from "../data/find-report.ts";
import { ApiError } from "../errors.ts";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { rawFileAnswer } from "../parts/raw-file.ts";
import { saying } from "../parts/said-note.tsx";
import { reportPath } from "../paths.ts";
import { aggregateReportPage } from "./aggregate-report.tsx";
import { failureReportPage } from "./failure-report.tsx";
import { TakeBackForm, TakenBackNote } from "./take-back.tsx";
import { tlsReportPage } from "./tls-report.tsx";

export async function reportPage(request: PageRequest, address: ReportAddress): Promise<PageResult> {
  const report = await findReport(request, address);
  const [page, decision] = await Promise.all([pageOfKind(request, report), findTakeBack(request, report)]);
  if (request.access.role !== "operator") return page;
  const { content } = page;
  const body = (
    <>
      {report.state === "taken_back" && <TakenBackNote decision={decision} />}
      {content.body}
      <TakeBackForm isTakenBack={report.state === "taken_back"} action={reportPath(report)} />
    </>
  );
  return { ...page, content: { ...content, body } };
}

async function pageOfKind(request: PageRequest, report: StoredReport): Promise<PageResult> {
  const { details } = report;
  const [imported] = await request.ask(importOfObjectQuery(report), report.account);
  switch (details.kind) {
    case "aggregate":
      return aggregateReportPage(request, { report, details, imported });
    case "tls":
      return tlsReportPage(request, { report, details, imported });
    case "failure":
      return failureReportPage(request, { report, details, imported });
  }
}

/** Takes a report back, or undoes that. @returns the page to go to */
export async function changeReport(
  request: PageRequest,
  form: URLSearchParams,
  address: ReportAddress,
): Promise<string> {
  requireOperator(request);
  const report = await findReport(request, address);
  const { account, domain, reportUid: uid } = report;
  const name = { account, domain, day: isoDay(report.day), uid };
  const action = form.get("action");
  switch (action) {
    case "take-back": {
      const reason = form.get("reason")?.trim() ?? "";
      if (reason === "") throw new ApiError("bad_request", "Give a reason: it is kept with the report.");
      if (form.get("confirmed") !== "yes") {
        throw new ApiError(
          "bad_request",
          "Confirm that the report's figures are to be removed: tick the box beside the button.",
        );
      }
      await request.operate("takeBackReport", { ...name, reason });
      break;
    }
    case "undo":
      await request.operate("undoTakeBack", name);
      break;
    default:
      throw new ApiError("bad_request", "action must be take-back or undo.");
  }
  return saying(action === "undo" ? "restored" : "takenBack", reportPath(report));
}

/** The raw object a report was read from, as it came. */
export async function reportRawFile(request: PageRequest, address: ReportAddress): Promise<Response> {
  const { account, domain, day, reportUid: uid, rawKey } = await findReport(request, address);
  const missing = "The raw file is no longer stored. For failure reports, an address may keep the facts only.";
  const read = request.operate("readReportFile", { account, domain, day: isoDay(day), uid });
  return rawFileAnswer(read, { rawKey, missing });
}
