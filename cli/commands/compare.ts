/** `dmarc compare`: compares the ledger's sums with those of Analytics Engine, by domain and day. */
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { Query } from "../../shared/analytics/query.ts";
import {
  failuresByDay,
  type LastRow,
  MAX_ROWS,
  messagesByDay,
  type Sampling,
  type StatementFilter,
  sessionsByDay,
} from "../../shared/analytics/statements.ts";
import type { Outputs } from "../../shared/contract/operations.ts";
import { parseDay, SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { askStatement } from "../ask-statement.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import {
  type ComparedKind,
  type Comparison,
  compare,
  type EngineSumsOfDay,
  FIGURES,
  type Figure,
  type Pair,
  reasonsOf,
  type SumsOfDay,
  sampleSentence,
} from "../comparison.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomains } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { requireKnown } from "../known-names.ts";
import { numberBetween } from "../option-values.ts";
import { printJson, printOut, renderDay, renderTable, safeText } from "../terminal.ts";

interface CompareOptions extends ConnectionOptions {
  account?: string;
  /** Days since 1970-01-01 UTC. */
  from?: number;
  to?: number;
  days?: number;
  json?: true;
}

/** Days since 1970-01-01 UTC, both included. */
interface Period {
  firstDay: number;
  lastDay: number;
}

/** As on pages. */
const DEFAULT_DAYS = 30;
/** Ours: ten years, as on pages. */
const MAX_DAYS = 3660;

const EXAMPLES = `
Examples:
  dmarc compare
  dmarc compare example.com --from 2026-11-01 --to 2026-11-30
  dmarc compare --account acme --days 7 --json

The ledger is exact, and pages show its figures. Analytics Engine has a point for each record, for SQL of your own. The days are
those of the reports. A cell holds one number where both agree, else the ledger's, the engine's and the difference.

In production differences are expected. From about a hundred points a second the engine samples: _sample_interval says for how
many written points a kept one stands. It keeps points for three months, and shows a point some time after it was written.
On one machine nothing is sampled and nothing expires, so the two are equal once nothing waits. Days of a report over several
days still differ: the ledger spreads it over them, a point has the day in the middle.

Exit code: 0 the sums are equal, 1 they differ or couldn't be compared.`;

/** Adds the command. */
export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description("The ledger's sums beside those of Analytics Engine")
    .addArgument(new Argument("[domain...]", "only these policy domains").argParser(readDomains).default([], "all"))
    .option("--account <name>", "only this account")
    .option("--from <day>", "first day (YYYY-MM-DD, UTC)", readDay)
    .option("--to <day>", "last day; today unless given", readDay)
    .option("--days <n>", `the last n days, ${DEFAULT_DAYS} unless given`, numberBetween(1))
    .option("--json", "one JSON document");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printComparison);
}

async function printComparison(domains: string[], options: CompareOptions): Promise<void> {
  const today = Math.floor(Date.now() / (1000 * SECONDS_PER_DAY));
  const period = periodOf(options, today);
  const client = connect(options);
  const filters: StatementFilter[] = (domains.length === 0 ? [undefined] : domains).map((domain) => ({
    domain,
    account: options.account,
  }));
  const ledger: SumsOfDay[] = [];
  const engine: EngineSumsOfDay[] = [];
  for (const filter of filters) {
    for (const kind of ["aggregate", "tls", "failure"] as const) {
      ledger.push(...(await askLedger(client, kind, { ...period, ...filter })));
      engine.push(...(await askEngine(client, kind, { ...period, ...filter })));
    }
  }
  const comparison = compare(ledger, engine);
  if (comparison.days.length === 0) {
    for (const filter of filters) await requireKnown(client, filter);
  }
  const { queues, reportsWithDueSlices } = await client.ask("status", {});
  const reasons = reasonsOf(comparison, {
    today,
    waiting: queues.reduce((sum, { messages }) => sum + messages, 0),
    pointsDue: reportsWithDueSlices,
  });
  if (options.json) printJson(asJson(comparison, reasons));
  else printOut(renderComparison(comparison, reasons));
  process.exitCode = comparison.isEqual ? exitCodes.done : exitCodes.failure;
}

function periodOf({ from, to, days }: CompareOptions, today: number): Period {
  if (days !== undefined && (from !== undefined || to !== undefined)) {
    throw new CommandError("Take --days, or --from and --to.");
  }
  const lastDay = to ?? today;
  const firstDay = from ?? lastDay - (days ?? DEFAULT_DAYS) + 1;
  if (firstDay > lastDay) throw new CommandError("The period ends before it begins.");
  if (lastDay - firstDay >= MAX_DAYS) throw new CommandError(`A period has at most ${MAX_DAYS} days.`);
  return { firstDay, lastDay };
}

type Question = Period & StatementFilter;

/** All rows of the ledger, page by page. */
async function askLedger(client: ApiClient, kind: ComparedKind, question: Question): Promise<SumsOfDay[]> {
  const { firstDay, lastDay, domain, account } = question;
  const asked = {
    kind,
    from: renderDay(firstDay * SECONDS_PER_DAY),
    to: renderDay(lastDay * SECONDS_PER_DAY),
    domain,
    account,
  };
  const rows: SumsOfDay[] = [];
  for await (const item of client.each("domainDays", asked)) {
    rows.push({
      domain: item.domain,
      day: parseDay(item.day) ?? 0,
      figures: figuresOfLedger(kind, item),
      spread: item.spread,
    });
  }
  return rows;
}

function figuresOfLedger(
  kind: ComparedKind,
  { records, total, passed }: Outputs["domainDays"]["items"][number],
): SumsOfDay["figures"] {
  switch (kind) {
    case "aggregate":
      return { records, messages: total, passed };
    case "tls":
      return { successfulSessions: passed, failedSessions: total - passed };
    case "failure":
      return { incidents: total };
  }
}

async function askEngine(client: ApiClient, kind: ComparedKind, question: Question): Promise<EngineSumsOfDay[]> {
  const { firstDay, lastDay, ...filter } = question;
  const days = { firstDay, lastDay };
  switch (kind) {
    case "aggregate":
      return runStatements(
        client,
        (after) => messagesByDay(days, { ...filter, after }),
        ({ records, messages, passed }) => ({ records, messages, passed }),
      );
    case "tls":
      return runStatements(
        client,
        (after) => sessionsByDay(days, { ...filter, after }),
        ({ successful, failed }) => ({ successfulSessions: successful, failedSessions: failed }),
      );
    case "failure":
      return runStatements(
        client,
        (after) => failuresByDay(days, { ...filter, after }),
        ({ incidents }) => ({ incidents }),
      );
  }
}

/** All rows of a statement: an answer that is full is followed by one of what comes behind its last row. */
async function runStatements<Row extends Sampling & LastRow>(
  client: ApiClient,
  queryAfter: (last: LastRow | undefined) => Query<Row>,
  figuresOf: (row: Row) => SumsOfDay["figures"],
): Promise<EngineSumsOfDay[]> {
  const sums: EngineSumsOfDay[] = [];
  let last: LastRow | undefined;
  for (;;) {
    const { sql, read } = queryAfter(last);
    const rows = (await askStatement(client, sql)).map(read);
    for (const row of rows) {
      const { domain, day, points, highestInterval, meanInterval } = row;
      sums.push({ domain, day, figures: figuresOf(row), sampling: { points, highestInterval, meanInterval } });
    }
    last = rows.at(-1);
    if (rows.length < MAX_ROWS || last === undefined) return sums;
    // No statement can name it.
    if (last.domain.includes("\\"))
      throw new CommandError(`'${safeText(last.domain)}' prevents this comparison: compare single domains.`);
  }
}

const LABELS: Record<Figure, string> = {
  records: "records",
  messages: "messages",
  passed: "passed",
  successfulSessions: "TLS sessions",
  failedSessions: "failed TLS sessions",
  incidents: "failure incidents",
};

function renderComparison({ days, totals, sampling, isEqual }: Comparison, reasons: string[]): string {
  if (days.length === 0) return "Neither the ledger nor Analytics Engine has a report of these days.";
  const shown = FIGURES.filter((figure) => totals[figure].ledger !== 0 || totals[figure].engine !== 0);
  const byDay = renderTable(
    ["day", "domain", ...shown.map((figure) => LABELS[figure])],
    days.map(({ day, domain, figures }) => [
      renderDay(day * SECONDS_PER_DAY),
      domain,
      ...shown.map((figure) => renderPair(figures[figure])),
    ]),
  );
  const sums = renderTable(
    ["all days", "ledger", "engine", "difference"],
    shown.map((figure) => [LABELS[figure], totals[figure].ledger, totals[figure].engine, totals[figure].difference]),
  );
  const different = days.filter((day) => !day.isEqual).length;
  const outcome = isEqual
    ? "Equal: Analytics Engine's sums are the ledger's."
    : `Different on ${different} of ${days.length} lines. The ledger is exact, and pages show its figures.`;
  const sampled = sampleSentence(sampling);
  return [byDay, sums, outcome, ...(sampled === undefined ? [] : [sampled]), ...reasons].join("\n");
}

function renderPair({ ledger, engine, difference }: Pair): string | number {
  return difference === 0 ? ledger : `${ledger} / ${engine} (${difference > 0 ? "+" : ""}${difference})`;
}

function asJson({ isEqual, days, totals, sampling }: Comparison, reasons: string[]): object {
  return {
    equal: isEqual,
    days: days.map(({ day, domain, isEqual: isEqualDay, figures }) => ({
      day: renderDay(day * SECONDS_PER_DAY),
      domain,
      equal: isEqualDay,
      figures,
    })),
    totals,
    sampling,
    reasons,
  };
}

function readDay(text: string): number {
  const day = parseDay(text);
  if (day === undefined) throw new InvalidArgumentError("It must be a day, as YYYY-MM-DD.");
  return day;
}
