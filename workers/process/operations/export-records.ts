/**
 * Exports the records of a period: one page of accepted reports as lines of JSON (shared/export/lines.ts), read again from
 * their raw objects as the answer is read. A page ends after a number of reports or records, with a cursor.
 */
import type { Inputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import {
  type ExportEnd,
  type ExportedReport,
  type ExportLine,
  type ExportPosition,
  type ExportProblem,
  exportCursor,
  parseExportCursor,
} from "../../../shared/export/lines.ts";
import { type Account, accountsQuery } from "../../../shared/ledger/accounts.ts";
import { ask } from "../../../shared/ledger/database.ts";
import {
  type ExportScope,
  type ReportToExport,
  reportsNoLongerKeptQuery,
  reportsToExportQuery,
} from "../../../shared/ledger/export-reports.ts";
import { EXPORT_LIMITS } from "../../../shared/limits.ts";
import { isPass } from "../../../shared/report/aggregate.ts";
import type { AggregateRecord } from "../../../shared/report/vocabulary.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { fail, ok, type Result } from "../../../shared/result.ts";
import { isoDate } from "../../../shared/storage.ts";
import { badRequest } from "../answers.ts";
import { type Invocation, inShard } from "../env.ts";
import { readAgain } from "../reports/read-again.ts";

/**
 * Answers a page.
 *
 * @returns lines of JSON as they are read; a problem if a day or the cursor is not one
 * @throws whatever D1 throws; a fault while the answer is read breaks it off, without its end
 */
export async function exportRecords(input: Inputs["exportRecords"], invocation: Invocation): Promise<Answer<Response>> {
  const request = requestOf(input, invocation);
  if (!request.ok) return badRequest(request.error);
  const lines = pageOf(request.value, await accountsOf(request.value, invocation), invocation);
  return ok(new Response(streamOf(lines), { headers: { "content-type": "application/x-ndjson" } }));
}

interface PageRequest {
  account: string | undefined;
  scope: Omit<ExportScope, "account">;
  after: ExportPosition | undefined;
}

function requestOf(
  { account, domain, since, until, cursor }: Inputs["exportRecords"],
  { nowSeconds }: Invocation,
): Result<PageRequest, string> {
  const firstDay = parseDay(since);
  // The period of a report may end after it was received.
  const lastDay = until === undefined ? Math.floor(nowSeconds / SECONDS_PER_DAY) + 1 : parseDay(until);
  if (firstDay === undefined || lastDay === undefined) {
    return fail(`'${firstDay === undefined ? since : until}' is not a day; write it as YYYY-MM-DD.`);
  }
  const after = cursor === undefined ? undefined : parseExportCursor(cursor);
  if (cursor !== undefined && after === undefined) return fail("The cursor is not one of an export.");
  return ok({ account, scope: { domain, firstDay, lastDay }, after });
}

/** The accounts that are left, in the order of the export. */
async function accountsOf({ account, after }: PageRequest, { shards }: Invocation): Promise<Account[]> {
  const [first = ""] = after ?? [];
  const all = await ask(shards.directory, accountsQuery());
  return all.filter((one) => one.account >= first && (account === undefined || one.account === account));
}

async function* pageOf(
  { scope, after }: PageRequest,
  accounts: readonly Account[],
  invocation: Invocation,
): AsyncGenerator<ExportLine> {
  const end: ExportEnd = { type: "end", reports: 0, records: 0, messages: 0, passed: 0 };
  const { reportsPerPage, recordsPerPage, accountsPerPage } = EXPORT_LIMITS;
  for (const [i, { account, shard }] of accounts.entries()) {
    const isFull = (): boolean => end.reports >= reportsPerPage || end.records >= recordsPerPage;
    if (i === accountsPerPage || isFull()) return yield { ...end, cursor: exportCursor(startOf(account)) };
    const { ledger, env } = inShard(invocation, shard);
    const isBegun = after?.[0] === account && after[2] >= 0;
    const ofAccount = { ...scope, account };
    if (!isBegun) yield* removedOf(ofAccount, await ask(ledger, reportsNoLongerKeptQuery(ofAccount)));
    const next = { after: isBegun ? after : undefined, limit: reportsPerPage - end.reports + 1 };
    const found = await ask(ledger, reportsToExportQuery(ofAccount, next));
    for (const [j, row] of found.entries()) {
      const before = found[j - 1];
      if (isFull() && before !== undefined) return yield { ...end, cursor: exportCursor(positionOf(account, before)) };
      yield* reportLines(reportOf(account, row), end, env.R2_DMARC_REPORTS);
    }
  }
  yield end;
}

/** The position before the first report of an account. */
function startOf(account: string): ExportPosition {
  return [account, "", -1, ""];
}

function positionOf(account: string, { domain, day, uid }: ReportToExport): ExportPosition {
  return [account, domain, day, uid];
}

function* removedOf(
  { account, domain, firstDay }: ExportScope,
  [found]: { reports: number }[],
): Generator<ExportProblem> {
  if (found === undefined || found.reports === 0) return;
  const message = `${found.reports} reports of account ${account} are older than details are kept: only sums are left.`;
  const day = isoDate(firstDay * SECONDS_PER_DAY);
  yield { type: "problem", code: "not_kept", account, domain: domain ?? "", day, uid: "", message };
}

function reportOf(account: string, row: ReportToExport): ExportedReport {
  const { details, day, records, total, passed, ...columns } = row;
  if (details.kind !== "aggregate") throw new Error(`${row.uid} is not an aggregate report.`);
  const { p, sp, np, adkim, aspf, pct, testing } = details.policy;
  const whole = details.whole ?? { records, total, passed };
  return {
    type: "report",
    ...columns,
    account,
    day: isoDate(day * SECONDS_PER_DAY),
    reporterEmail: details.email,
    policy: { p, sp, np, adkim, aspf, pct, testing },
    records: whole.records,
    messages: whole.total,
    passed: whole.passed,
  };
}

/** Adds what is read to the sums of the page. */
async function* reportLines(
  report: ExportedReport,
  end: ExportEnd,
  bucket: Invocation["env"]["R2_DMARC_REPORTS"],
): AsyncGenerator<ExportLine> {
  const read = { records: 0, messages: 0, passed: 0 };
  let held: Extract<ExportLine, { type: "records" }>[] | undefined = [];
  yield report;
  end.reports++;
  for await (const event of readAgain(report, bucket)) {
    if (event.type === "records") {
      count(event.records, read);
      const line = { type: "records" as const, firstOrdinal: event.firstOrdinal, records: [...event.records] };
      held?.push(line);
      if (held === undefined) yield line;
      else if (read.records > EXPORT_LIMITS.heldRecords) {
        yield* held;
        held = undefined;
      }
      continue;
    }
    if (event.type === "gone") {
      if (held !== undefined) return yield problemOf(report, "gone", event.reason);
      yield problemOf(report, "gone", `Its records end after ${read.records} of ${report.records}: ${event.reason}`);
    } else if (held !== undefined) yield* held;
  }
  end.records += read.records;
  end.messages += read.messages;
  end.passed += read.passed;
  if (read.records !== report.records || read.messages !== report.messages || read.passed !== report.passed) {
    yield problemOf(
      report,
      "differs",
      `${read.records} records with ${read.messages} messages were read; the ledger has ${report.records} with ${report.messages}.`,
    );
  }
}

function count(records: readonly AggregateRecord[], sums: { records: number; messages: number; passed: number }): void {
  for (const record of records) {
    sums.records++;
    sums.messages += record.count;
    if (isPass(record)) sums.passed += record.count;
  }
}

function problemOf(
  { account, domain, day, uid }: ExportedReport,
  code: ExportProblem["code"],
  message: string,
): ExportProblem {
  return { type: "problem", code, account, domain, day, uid, message };
}

/** Lines as the body of an answer, each read when it is asked for. A stream of bytes: RPC passes on no other kind. */
function streamOf(lines: AsyncGenerator<ExportLine>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let text = "";
      while (text.length < EXPORT_LIMITS.pieceChars) {
        const next = await lines.next();
        if (next.done === true) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          controller.close();
          return;
        }
        text += `${JSON.stringify(next.value)}\n`;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
}
