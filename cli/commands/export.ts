/** `dmarc export`: the records of accepted aggregate reports, for your own programs (docs/export.md). */

import { type Command, Option } from "commander";
import type { ExportEnd, ExportedReport, ExportLine } from "../../shared/export/lines.ts";
import type { RecordInReport } from "../../shared/export/record-columns.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { isoDate } from "../../shared/storage.ts";
import { countText, messagesText } from "../../shared/watch/words.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { readPage } from "../export/pages.ts";
import { parquetWriter } from "../export/parquet.ts";
import { type ExportProgress, readProgress, removeProgress, writeProgress } from "../export/progress-file.ts";
import { csvWriter, fileOutput, ndjsonWriter, type RecordWriter, standardOutput } from "../export/record-writer.ts";
import { interruptible } from "../interrupt.ts";
import { requireKnown } from "../known-names.ts";
import { readDay } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { printError } from "../terminal.ts";

const FORMATS = ["ndjson", "csv", "parquet"] as const;

interface ExportOptions extends ConnectionOptions {
  since: string;
  until?: string;
  domain?: string;
  account?: string;
  format: (typeof FORMATS)[number];
  output?: string;
  resume?: true;
}

const EXAMPLES = `
Examples:
  dmarc export --since 2026-11-01 > november.ndjson
  dmarc export --since 2026-11-01 --until 2026-11-30 --format csv --output november.csv
  dmarc export --since 2026-11-01 --domain example.com --format parquet --output november.parquet
  dmarc export --since 2026-01-01 --format csv --output year.csv --resume      continue after an interruption

Every record of every accepted aggregate report of the period, with fields of its report. Days are UTC, and a report belongs to
the first day it counts for. Records are read again from the raw objects: a report whose raw object has gone is named on standard
error. Columns are in docs/export.md.
Exit code: 0 done, 1 wrong use or failure, 2 some reports are missing or differ from the ledger.`;

/** Adds the command. */
export function addExport(program: Command): void {
  const command = program
    .command("export")
    .description("The records of accepted aggregate reports, as NDJSON, CSV or Parquet")
    .requiredOption("--since <day>", "first day, YYYY-MM-DD", readDay)
    .option("--until <day>", "last day; today unless given", readDay)
    .option("--domain <name>", "only this policy domain", readDomain)
    .option("--account <name>", "only this account")
    .addOption(new Option("--format <format>", "output format").choices(FORMATS).default("ndjson"))
    .option("--output <file>", "a new file; standard output unless given")
    .option("--resume", "continue the file of an interrupted export");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(runExport);
}

async function runExport(options: ExportOptions): Promise<void> {
  const { since, output, format } = options;
  const before = await progressBefore(options);
  const { domain, account } = options;
  // Part of what is asked: a continued export ends where it would have.
  const until = options.until ?? before?.asked.until ?? isoDate(Math.floor(Date.now() / 1000) + SECONDS_PER_DAY);
  if (until < since) throw new CommandError(`The export ends (${until}) before it begins (${since}).`);
  const asked = { since, until, ...(domain && { domain }), ...(account && { account }) };
  if (before !== undefined && !isSame(before.asked, { ...asked, format })) {
    throw new CommandError(`${output} is an export of something else: ${JSON.stringify(before.asked)}.`);
  }
  const client = connect(options);
  const run = new ExportRun(client, await writerFor(options, before), {
    asked,
    progress: before ?? {
      version: 1,
      asked: { ...asked, format },
      cursor: "",
      bytes: 0,
      sums: { reports: 0, records: 0, messages: 0, passed: 0 },
      problems: 0,
    },
    // A Parquet file has to be written in one go.
    progressOf: format === "parquet" ? undefined : output,
  });
  const { sums, problems } = await interruptible(goOn(options), () => run.run());
  if (output !== undefined) await removeProgress(output);
  if (sums.reports === 0) await requireKnown(client, { account, domain });
  const { records, reports, messages, passed } = sums;
  printError(
    `${countText(records, "record")} of ${countText(reports, "report")}: ${messagesText(messages)}, ${number(passed)} of them pass.`,
  );
  if (problems > 0) process.exitCode = exitCodes.rejected;
}

function goOn({ output, format }: ExportOptions): string {
  if (output === undefined) return "What was written is not complete.";
  if (format === "parquet") return `${output} is not complete: remove it, and run the command again.`;
  return "Run it again with --resume to continue.";
}

async function progressBefore({ output, resume, format }: ExportOptions): Promise<ExportProgress | undefined> {
  if (format === "parquet" && output === undefined) throw new CommandError("Parquet needs a file: --output FILE.");
  if (resume !== true) return undefined;
  if (output === undefined) throw new CommandError("Only an export into a file can be continued: --output FILE.");
  if (format === "parquet") throw new CommandError("A Parquet file is written in one go and can't be continued.");
  const before = await readProgress(output);
  if (before === undefined) throw new CommandError(`There is no interrupted export to ${output}.`);
  return before;
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const text = (asked: Record<string, string>): string => JSON.stringify(Object.entries(asked).sort());
  return text(one) === text(other);
}

async function writerFor({ output, format }: ExportOptions, before: ExportProgress | undefined): Promise<RecordWriter> {
  try {
    if (format === "parquet") return await parquetWriter(output ?? "");
    const text = output === undefined ? standardOutput() : await fileOutput(output, before?.bytes);
    return format === "csv"
      ? csvWriter(text, { isContinued: before !== undefined && before.bytes > 0 })
      : ndjsonWriter(text);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (isThere) throw new CommandError(`${output} exists and is not overwritten (--resume continues it).`);
    throw new CommandError(`${output} can't be written: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** One export, page by page. */
class ExportRun {
  readonly #client: ApiClient;
  readonly #writer: RecordWriter;
  readonly #asked: { since: string; until: string; domain?: string; account?: string };
  /** The file beside which progress is kept; undefined = nowhere. */
  readonly #progressOf: string | undefined;
  #progress: ExportProgress;

  constructor(
    client: ApiClient,
    writer: RecordWriter,
    {
      asked,
      progress,
      progressOf,
    }: {
      asked: { since: string; until: string; domain?: string; account?: string };
      progress: ExportProgress;
      progressOf: string | undefined;
    },
  ) {
    this.#client = client;
    this.#writer = writer;
    this.#asked = asked;
    this.#progress = progress;
    this.#progressOf = progressOf;
  }

  /** @throws CommandError that says how to continue */
  async run(): Promise<ExportProgress> {
    const bar = startProgress("{records} records of {reports} reports", { silent: false });
    try {
      await this.#keep(this.#progress.cursor);
      for (let isDone = false; !isDone; ) {
        const { cursor, ...end } = await this.#page();
        this.#count(end);
        isDone = cursor === undefined;
        if (cursor !== undefined) await this.#keep(cursor);
        bar.update(0, 1, { ...this.#progress.sums });
      }
      await this.#writer.finish();
      return this.#progress;
    } catch (error) {
      if (error instanceof CommandError && this.#progressOf !== undefined) {
        throw new CommandError(`${error.message} Run it again with --resume to continue.`);
      }
      throw error;
    } finally {
      bar.stop();
    }
  }

  async #page(): Promise<ExportEnd> {
    const { cursor } = this.#progress;
    const page = readPage(this.#client, { ...this.#asked, ...(cursor !== "" && { cursor }) });
    let report: ExportedReport | undefined;
    for (;;) {
      const next = await page.next();
      if (next.done === true) return next.value;
      report = next.value.type === "report" ? next.value : report;
      await this.#take(next.value, report);
    }
  }

  async #take(line: Exclude<ExportLine, ExportEnd>, report: ExportedReport | undefined): Promise<void> {
    if (line.type === "report") return;
    if (line.type === "problem") {
      this.#progress.problems++;
      const name = [line.account, line.domain, line.day, line.uid].filter((part) => part !== "").join("/");
      printError(`${name}: ${line.message}`);
      return;
    }
    if (report === undefined) throw new CommandError("The dashboard sent records of no report.");
    const { firstOrdinal } = line;
    const records = line.records.map((record, i): RecordInReport => ({ report, record, ordinal: firstOrdinal + i }));
    await this.#writer.write(records);
  }

  #count({ reports, records, messages, passed }: Omit<ExportEnd, "cursor">): void {
    const { sums } = this.#progress;
    sums.reports += reports;
    sums.records += records;
    sums.messages += messages;
    sums.passed += passed;
  }

  async #keep(cursor: string): Promise<void> {
    this.#progress = { ...this.#progress, cursor, bytes: await this.#writer.flush() };
    if (this.#progressOf !== undefined) await writeProgress(this.#progressOf, this.#progress);
  }
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}
