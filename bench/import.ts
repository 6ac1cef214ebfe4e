/**
 * How many files a second `dmarc import` takes and the ledger has, and whether an import that is killed and run again is exact:
 * the command by `kill -9`, then the whole stack. Each part has a separate stack and the same files: mails with a report each.
 *
 * usage: npm run bench:import -- [--files N] [--records N] [--part whole|command|stack]... [--json]
 * Exit code: 0 exact and at the target or above, 1 otherwise.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { numberBetween } from "../cli/option-values.ts";
import { renderPairs } from "../cli/terminal.ts";
import { gzipReport, mailOf, reportText, STYLES } from "../test/support/seeded-reports.ts";
import { type ImportPlan, type Part, type PartResult, runPart } from "./import/run.ts";

const TARGET_FILES_PER_SECOND = 300;
/** What counts in a record: messages, and the aligned results. */
const RECORD = /<count>(\d+)<.*?<dkim>(\w+)<.*?<spf>(\w+)</gs;
const PARTS: readonly Part[] = ["whole", "command", "stack"];

/** Writes the files, and counts what is in them by other means than the pipeline's. */
async function writeFiles(folder: string, { files, records }: { files: number; records: number }): Promise<ImportPlan> {
  mkdirSync(folder);
  const sha256s: string[] = [];
  const expected = { reports: files, records: files * records, messages: 0, passed: 0 };
  for (let seed = 1; seed <= files; seed++) {
    const style = STYLES[seed % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const plan = { records, seed, style };
    for (const [, count, dkim, spf] of [...reportText(plan)].join("").matchAll(RECORD)) {
      expected.messages += Number(count);
      if (dkim === "pass" || spf === "pass") expected.passed += Number(count);
    }
    const mail = mailOf(`${seed}.xml.gz`, (await gzipReport(plan)).bytes);
    sha256s.push(createHash("sha256").update(mail).digest("hex"));
    writeFileSync(join(folder, `${String(seed).padStart(7, "0")}.eml`), mail);
  }
  return { folder, sha256s, expected };
}

interface ImportResult extends PartResult {
  loadBefore: number;
}

function show(result: ImportResult): void {
  const cpu = Object.entries(result.cpuSeconds).map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
  const rate = (seconds: number) => `${seconds.toFixed(1)} s, ${(result.taken / seconds).toFixed(0)} files a second`;
  const { killed } = result;
  console.log(
    `${renderPairs([
      ["part", result.part],
      ...(killed === undefined
        ? []
        : [["killed", `after ${killed.afterTaken} taken, ${killed.settled} in the ledger`]]),
      ["run", `${result.taken} new, ${result.known} known`],
      ["taken", rate(result.takenSeconds)],
      ["in the ledger", rate(result.ledgerSeconds)],
      ["exact", result.isExact ? "yes" : `NO: ${JSON.stringify(result.counted)}`],
      ["processor time", cpu.join(", ")],
      ["load before", result.loadBefore.toFixed(1)],
    ] as [string, string][])}\n`,
  );
}

interface Options {
  files: number;
  records: number;
  part?: Part[];
  json?: true;
}

const {
  json,
  part: parts = [...PARTS],
  files,
  records,
} = new Command("npm run bench:import --")
  .description("How fast dmarc import is, and whether it is exact when it is killed and run again")
  .option("--files <n>", "how many files, a mail with a report each", numberBetween(1), 10_000)
  .option("--records <n>", "records of each report", numberBetween(1), 9)
  .addOption(
    new Option("--part <name...>", "only these: without a kill, the command killed, the stack killed").choices(PARTS),
  )
  .option("--json", "JSON for programs")
  .parse()
  .opts<Options>();

const home = mkdtempSync(join(tmpdir(), "dmarc-import-bench-"));
const results: ImportResult[] = [];
try {
  const plan = await writeFiles(join(home, "files"), { files, records });
  for (const part of parts) {
    const loadBefore = loadavg()[0] ?? 0;
    const result = { ...(await runPart(part, join(home, part), plan)), loadBefore };
    results.push(result);
    if (!json) show(result);
  }
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
if (json) console.log(JSON.stringify({ files, records, cores: availableParallelism(), parts: results }, undefined, 2));
const whole = results.find(({ part }) => part === "whole");
const isFast = whole === undefined || whole.taken / whole.takenSeconds >= TARGET_FILES_PER_SECOND;
if (!isFast || results.some(({ isExact }) => !isExact)) process.exitCode = 1;
