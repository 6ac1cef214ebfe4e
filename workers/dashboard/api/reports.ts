/** Reports about a domain, and one report without its records: what the API answers with. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { DecisionRow } from "../../../shared/ledger/conflicts.ts";
import { failureReportsQuery } from "../../../shared/ledger/failures.ts";
import { importOfObjectQuery } from "../../../shared/ledger/imports.ts";
import {
  type ReportList,
  reportersQuery,
  reportRowsQuery,
  reportsQuery,
  type StoredReport,
} from "../../../shared/ledger/report-list.ts";
import type { DomainScope } from "../../../shared/ledger/sources.ts";
import { tlsReportsQuery } from "../../../shared/ledger/tls.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { isoDay } from "../data/days.ts";
import { findReport, findTakeBack } from "../data/find-report.ts";
import { domainScope, type LedgerRequest } from "../data/ledger-request.ts";
import { ApiError } from "../errors.ts";
import type { Call } from "./call.ts";
import { daysOf } from "./domains.ts";
import { ledgerRequest, periodOfInput } from "./ledger-request.ts";
import { cutPage, type ListPart, pageFrom, partOf } from "./page.ts";

type Asked = Inputs["listReports"];
type ListedReport = Outputs["listReports"]["items"][number];

/** A page of them. @throws ApiError when the period, the cursor, or a filter of another kind makes no sense */
export async function listReports(c: Call, input: Asked): Promise<Outputs["listReports"]> {
  const { domain, kind = "aggregate" } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const scope = await domainScope(request, domain, period);
  const page =
    kind === "aggregate"
      ? await aggregateReports(request, { scope, input, part })
      : cutPage(await otherReports(request, { scope, input, kind }), part);
  return { domain, ...daysOf(period), ...page };
}

interface AggregateInput {
  scope: DomainScope;
  input: Asked;
  part: ListPart;
}

async function aggregateReports(request: LedgerRequest, { scope, input, part }: AggregateInput) {
  const { reporter = "", outcome = "all", source = "", sender, text = "", order = "begin" } = input;
  const { descending = order === "begin" } = input;
  const list: ReportList = {
    reporter,
    result: outcome,
    sourceIp: source,
    sender,
    text,
    order,
    descending,
    ...part,
  };
  const [page = { rows: [], matching: 0 }] = await request.ask(reportsQuery(scope, list));
  const items = page.rows.map(
    ({ reportUid: uid, day, ...row }): ListedReport => ({
      kind: "aggregate",
      ...row,
      uid,
      day: isoDay(day),
    }),
  );
  return pageFrom(items, part, page.matching);
}

interface OtherInput {
  scope: DomainScope;
  input: Asked;
  kind: "tls" | "failure";
}

// Their lists are short: the ledger has no filters for them.
async function otherReports(request: LedgerRequest, { scope, input, kind }: OtherInput): Promise<ListedReport[]> {
  const { reporter, outcome, text = "", sender, source, order, descending } = input;
  for (const [name, value] of Object.entries({ sender, source, order, descending })) {
    if (value !== undefined) throw new ApiError("bad_request", `${name}: only for aggregate reports.`);
  }
  const needle = text.toLowerCase();
  const found = kind === "tls" ? await tlsReports(request, scope) : await failureReports(request, scope);
  return found
    .filter(
      ({ report, id, failed }) =>
        (reporter === undefined || report.reporter === reporter) &&
        (outcome === undefined || failed === (outcome === "fail")) &&
        `${report.reporter}\n${id}`.toLowerCase().includes(needle),
    )
    .map(({ report }) => report);
}

/** A report with what it is filtered by. */
interface Filtered {
  report: ListedReport;
  id: string;
  failed: boolean;
}

async function tlsReports(request: LedgerRequest, scope: DomainScope): Promise<Filtered[]> {
  const rows = await request.ask(tlsReportsQuery(scope));
  return rows.map(({ reportUid: uid, day, ...row }) => ({
    report: { kind: "tls", ...row, uid, day: isoDay(day) },
    id: row.reportId,
    failed: row.failed > 0,
  }));
}

async function failureReports(request: LedgerRequest, scope: DomainScope): Promise<Filtered[]> {
  const rows = await request.ask(failureReportsQuery(scope));
  return rows.map(({ reportUid: uid, day, reportingMta: reporter, ...row }) => ({
    report: { kind: "failure", ...row, uid, day: isoDay(day), reporter },
    id: "",
    failed: true,
  }));
}

/** Its reporters. @throws ApiError when the period makes no sense */
export async function listReporters(c: Call, input: Inputs["listReporters"]): Promise<Outputs["listReporters"]> {
  const { domain } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const scope = await domainScope(request, domain, period);
  const names = await request.ask(reportersQuery(scope, PAGE_LIMITS.listed + 1));
  const items = names.slice(0, PAGE_LIMITS.listed).map((reporter) => ({ reporter }));
  return { domain, ...daysOf(period), items, isComplete: names.length <= PAGE_LIMITS.listed };
}

/** One report. @throws ApiError (404) when there is none, or the person may not see it */
export async function getReport(c: Call, name: Inputs["getReport"]): Promise<Outputs["getReport"]> {
  const request = ledgerRequest(c, name.account);
  const row = await findReport(request, name);
  const [whole, [imported = null], takenBack] = await Promise.all([
    overAllDays(request, row),
    request.ask(importOfObjectQuery(row)),
    findTakeBack(request, row),
  ]);
  const { reportUid: uid, day, details: stored, ...report } = whole;
  const { spread = [], whole: _, ...details } = stored;
  const domains = [...new Set([report.domain, ...spread.map(([domain]) => domain)])];
  return { ...report, uid, day: isoDay(day), domains, details, imported, takenBack: takenBackJson(takenBack) };
}

function takenBackJson(found: DecisionRow | undefined): Outputs["getReport"]["takenBack"] {
  if (found === undefined) return null;
  const { decidedSeconds: takenBackSeconds, decidedBy: takenBackBy, reason } = found;
  return { takenBackSeconds, takenBackBy, reason };
}

/** A TLS report counts for each of its days by itself; what it says of the domain is all of them together. */
async function overAllDays(request: LedgerRequest, row: StoredReport): Promise<StoredReport> {
  const { account, domain, day, reportUid, details } = row;
  const others = (details.spread ?? []).filter(([name, other]) => name === domain && other !== day);
  if (details.kind !== "tls" || others.length === 0) return row;
  const rows = [row, ...(await request.ask(reportRowsQuery(account, reportUid, others)))];
  const sum = (count: (one: StoredReport) => number): number => rows.reduce((total, one) => total + count(one), 0);
  const ofPolicy = (i: number, name: "successfulSessionCount" | "failedSessionCount"): number =>
    sum((one) => (one.details.kind === "tls" ? (one.details.policies[i]?.[name] ?? 0) : 0));
  const policies = details.policies.map((policy, i) => ({
    ...policy,
    successfulSessionCount: ofPolicy(i, "successfulSessionCount"),
    failedSessionCount: ofPolicy(i, "failedSessionCount"),
  }));
  return {
    ...row,
    total: sum(({ total }) => total),
    passed: sum(({ passed }) => passed),
    details: { ...details, policies },
  };
}
