/**
 * `npm run hostile -- FOLDER [--all]`: reads each file of a folder in a separate process and prints what came out, the CPU
 * time of the reading and the peak of memory above a process that read one small report. Fails when a file takes more
 * than 2 s of CPU or 64 MB. Without --all only the ten costliest files and those beyond a limit are listed.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openFileSource } from "../cli/file-source.ts";
import { readReports } from "../shared/report/read.ts";
import { bytesSource } from "../shared/report/source.ts";
import { printHelp } from "./help.ts";

const MAX_CPU_MS = 2000;
const MAX_MEMORY_MB = 64;
const run = promisify(execFile);

interface Measured {
  outcome: string;
  cpuMs: number;
  /** Peak resident memory of the process. */
  peakMb: number;
}

/** Reads one file here, and prints what it took as JSON. */
async function measureHere(file: string): Promise<void> {
  await readAll(bytesSource(new TextEncoder().encode("<feedback/>")));
  const before = process.cpuUsage();
  let outcome = "nothing";
  if (file !== "") {
    await using source = await openFileSource(file);
    outcome = await readAll(source);
  }
  const { user, system } = process.cpuUsage(before);
  const measured: Measured = {
    outcome,
    cpuMs: Math.round((user + system) / 1000),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  process.stdout.write(JSON.stringify(measured));
}

async function readAll(source: Parameters<typeof readReports>[0]): Promise<string> {
  let reports = 0;
  const codes: string[] = [];
  for await (const event of readReports(source, {
    nowSeconds: Date.now() / 1000,
    createHash: () => createHash("sha256"),
  })) {
    if (event.type === "report") reports++;
    else if (event.type !== "records" && event.type !== "passed_over") codes.push(event.problem.code);
  }
  return [...(reports > 0 ? [`${reports} read`] : []), ...codes].join(", ");
}

// A small young generation: what V8 would collect anyway is not to count as memory that reading needs.
async function measure(file: string): Promise<Measured> {
  const script = fileURLToPath(import.meta.url);
  const { stdout } = await run(process.execPath, ["--max-semi-space-size=8", script, "--one", file]);
  return JSON.parse(stdout) as Measured;
}

async function main(folder: string, showAll: boolean): Promise<void> {
  const baseline = await measure("");
  const rows: (Measured & { name: string; aboveMb: number })[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (name === "expected.json") continue;
    const measured = await measure(join(folder, name));
    rows.push({ ...measured, name, aboveMb: Math.max(0, measured.peakMb - baseline.peakMb) });
  }
  const beyond = rows.filter(({ cpuMs, aboveMb }) => cpuMs > MAX_CPU_MS || aboveMb > MAX_MEMORY_MB);
  const costly = [...rows].sort((a, b) => b.cpuMs + b.aboveMb * 30 - a.cpuMs - a.aboveMb * 30).slice(0, 10);
  process.stdout.write("| file | outcome | CPU ms | MB above baseline |\n|---|---|---|---|\n");
  for (const { name, outcome, cpuMs, aboveMb } of showAll ? rows : [...new Set([...beyond, ...costly])]) {
    process.stdout.write(`| ${name} | ${outcome} | ${cpuMs} | ${aboveMb} |\n`);
  }
  process.stdout.write(
    `\n${rows.length} files, ${beyond.length} beyond ${MAX_CPU_MS} ms or ${MAX_MEMORY_MB} MB; baseline ${baseline.peakMb} MB\n`,
  );
  process.exitCode = beyond.length === 0 ? 0 : 1;
}

const USAGE = `usage: npm run hostile -- FOLDER [--all]

Reads each file of a folder in a separate process and prints what came out, its CPU time and its memory.`;

const [first = "", second = ""] = process.argv.slice(2);
if (printHelp(USAGE)) process.exitCode = 0;
else if (first === "--one") await measureHere(second);
else if (first !== "") await main(first, second === "--all");
else {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
}
