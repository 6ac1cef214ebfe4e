/** `dmarc compare`: compares the ledger's sums with those of Analytics Engine, by domain and day. */
import { type Command, InvalidArgumentError } from "commander";
import type { Query } from "../../shared/analytics/query.ts";
import { parseAnswer } from "../../shared/analytics/sql.ts";
import {
  failuresByDay,
  MAX_ROWS,
  messagesByDay,
  type Sampling,
  type StatementFilter,
  sessionsByDay,
} from "../../shared/analytics/statements.ts";
import type { Outputs } from "../../shared/contract/operations.ts";
import { parseDay, SECONDS_PER_DAY } from "../../shared/report-day.ts";
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
import { printJson, printOut, renderDay, renderTable } from "../terminal.ts";

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

In production differences are expected: the engine samples from about a hundred points a second (_sample_interval says for how
many written points a kept one stands), keeps points for three months, and shows a point some time after it was written.
On one machine nothing is sampled and nothing expires, so the two are equal once nothing waits, but for the days of reports over
several days: the ledger spreads them, a point has the day in the middle.

Exit code: 0 the sums are equal, 1 they differ or could not be compared.`;

/** Adds the command. */
export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description("The ledger's sums beside those of Analytics Engine")
    .argument("[domain...]", "only these policy domains", readDomains, [])
    .option("--account <name>", "only this account")
    .option("--from <day>", "first day (YYYY-MM-DD, UTC)", readDay)
    .option("--to <day>", "last day; today unless given", readDay)
    .option("--days <n>", `the last n days, ${DEFAULT_DAYS} unless given`, readDays)
    .option("--json", "JSON for programs");
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
      ledger.push(...(await askInParts(period, (days) => askLedger(client, kind, { ...days, ...filter }))));
      engine.push(...(await askInParts(period, (days) => askEngine(client, kind, { ...days, ...filter }))));
    }
  }
  const comparison = compare(ledger, engine);
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

/** An answer that may be incomplete. */
interface Part<Row> {
  rows: Row[];
  isComplete: boolean;
}

/**
 * All rows of a period: if one answer cannot hold them, each half is requested.
 *
 * @throws CommandError when a single day is too much
 */
async function askInParts<Row>(
  { firstDay, lastDay }: Period,
  ask: (period: Period) => Promise<Part<Row>>,
): Promise<Row[]> {
  const { rows, isComplete } = await ask({ firstDay, lastDay });
  if (isComplete) return rows;
  if (firstDay === lastDay) {
    throw new CommandError(
      `${renderDay(firstDay * SECONDS_PER_DAY)} has more domains than one answer holds (${MAX_ROWS}): name an account or domains.`,
    );
  }
  const middle = Math.floor((firstDay + lastDay) / 2);
  const first = await askInParts({ firstDay, lastDay: middle }, ask);
  return first.concat(await askInParts({ firstDay: middle + 1, lastDay }, ask));
}

type Question = Period & StatementFilter;

async function askLedger(client: ApiClient, kind: ComparedKind, question: Question): Promise<Part<SumsOfDay>> {
  const { firstDay, lastDay, domain, account } = question;
  const { items, isComplete } = await client.ask("domainDays", {
    kind,
    from: renderDay(firstDay * SECONDS_PER_DAY),
    to: renderDay(lastDay * SECONDS_PER_DAY),
    domain,
    account,
  });
  const rows = items.map((item) => ({
    domain: item.domain,
    day: parseDay(item.day) ?? 0,
    figures: figuresOfLedger(kind, item),
    spread: item.spread,
  }));
  return { rows, isComplete };
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

async function askEngine(client: ApiClient, kind: ComparedKind, question: Question): Promise<Part<EngineSumsOfDay>> {
  const { firstDay, lastDay, ...filter } = question;
  const days = { firstDay, lastDay };
  switch (kind) {
    case "aggregate":
      return runStatement(client, messagesByDay(days, filter), ({ records, messages, passed }) => ({
        records,
        messages,
        passed,
      }));
    case "tls":
      return runStatement(client, sessionsByDay(days, filter), ({ successful, failed }) => ({
        successfulSessions: successful,
        failedSessions: failed,
      }));
    case "failure":
      return runStatement(client, failuresByDay(days, filter), ({ incidents }) => ({ incidents }));
  }
}

async function runStatement<Row extends Sampling & { domain: string; day: number }>(
  client: ApiClient,
  { sql, read }: Query<Row>,
  figuresOf: (row: Row) => SumsOfDay["figures"],
): Promise<Part<EngineSumsOfDay>> {
  const rows = (await askStatement(client, sql)).map(read).map((row) => ({
    domain: row.domain,
    day: row.day,
    figures: figuresOf(row),
    sampling: { points: row.points, highestInterval: row.highestInterval, meanInterval: row.meanInterval },
  }));
  return { rows, isComplete: rows.length < MAX_ROWS };
}

// A dataset that was never written to has no figures, which the comparison should show.
async function askStatement(client: ApiClient, sql: string): Promise<Record<string, unknown>[]> {
  try {
    const answer = parseAnswer(await client.ask("query", { sql }));
    if (answer === undefined) throw new CommandError("The engine's answer is not its JSON format.");
    return answer.rows;
  } catch (error) {
    if (error instanceof CommandError && error.code === "no_data") return [];
    throw error;
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
  if (day === undefined) throw new InvalidArgumentError("It has to be a day, as YYYY-MM-DD.");
  return day;
}

function readDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1) throw new InvalidArgumentError("It has to be a number of days.");
  return days;
}
