/**
 * How fast `dmarc export` writes records into a file: a local stack of its own with reports in it, the command as a process of its
 * own, from its start to its end, once in each format.
 *
 * usage: npm run bench:export -- [--reports N] [--records N] [--json]
 * Exit code: 0 every format wrote every record, 1 otherwise.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { createTransport } from "nodemailer";
import { apiClient } from "../cli/client.ts";
import { numberBetween } from "../cli/option-values.ts";
import { renderTable } from "../cli/terminal.ts";
import { startStack } from "../local/stack.ts";
import { freeStackPorts } from "../test/support/ports.ts";
import { gzipReport, mailOf, STYLES } from "../test/support/seeded-reports.ts";

const RUA = "rua@acme.example";
const FORMATS = ["ndjson", "csv", "parquet"] as const;
const LOOK_MS = 200;

interface Plan {
  reports: number;
  records: number;
}

interface Measured {
  format: (typeof FORMATS)[number];
  seconds: number;
  recordsPerSecond: number;
  megabytes: number;
  /** The most memory the command had at once; 0 where the system does not tell. */
  residentMegabytes: number;
}

async function sendReports({ reports, records }: Plan, port: number): Promise<void> {
  const transport = createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
  for (let seed = 1; seed <= reports; seed++) {
    const style = STYLES[seed % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const { bytes } = await gzipReport({ records, seed, style });
    const raw = Buffer.from(mailOf(`${seed}.xml.gz`, bytes));
    await transport.sendMail({ envelope: { from: "noreply@reporter.example", to: RUA }, raw });
  }
  transport.close();
}

async function exportAs(format: Measured["format"], args: string[], { reports, records }: Plan): Promise<Measured> {
  const output = args.at(-1) ?? "";
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [resolve(import.meta.dirname, "../cli/dmarc.ts"), "export", "--since", "2020-01-01", "--format", format, ...args],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let residentMegabytes = 0;
  const watch = setInterval(() => {
    residentMegabytes = Math.max(residentMegabytes, peakMegabytes(child.pid ?? 0));
  }, LOOK_MS);
  const code = new Promise<number | null>((done) => child.once("close", done));
  const said = await text(child.stderr);
  clearInterval(watch);
  const wanted = `${(reports * records).toLocaleString("en-US")} records of ${reports.toLocaleString("en-US")} reports`;
  if ((await code) !== 0 || !said.startsWith(wanted)) throw new Error(`${format}: ${said}`);
  const seconds = (performance.now() - start) / 1000;
  return {
    format,
    seconds,
    recordsPerSecond: Math.round((reports * records) / seconds),
    megabytes: statSync(output).size / 1e6,
    residentMegabytes,
  };
}

function peakMegabytes(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}

async function measure(plan: Plan): Promise<Measured[]> {
  const stateDir = mkdtempSync(join(tmpdir(), "dmarc-export-"));
  const ports = await freeStackPorts();
  const stack = await startStack({ stateDir, ...ports, samples: false });
  try {
    const client = apiClient({ url: `http://127.0.0.1:${ports.httpPort}`, token: stack.token });
    await client.ask("putRegistration", { rua: RUA, entry: { account: "acme" } });
    await sendReports(plan, ports.smtpPort);
    while ((await client.ask("stats", {})).reports < plan.reports) await sleep(LOOK_MS);
    const measured: Measured[] = [];
    for (const format of FORMATS) {
      const args = [
        "--http",
        String(ports.httpPort),
        "--state",
        stateDir,
        "--output",
        join(stateDir, `records.${format}`),
      ];
      measured.push(await exportAs(format, args, plan));
    }
    return measured;
  } finally {
    await stack.stop();
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const { json, ...plan } = new Command("npm run bench:export --")
  .description("How fast records are exported from a stack on one machine")
  .option("--reports <n>", "how many reports", numberBetween(1), 500)
  .option("--records <n>", "records of each", numberBetween(1), 200)
  .option("--json", "JSON for programs")
  .parse()
  .opts<Plan & { json?: true }>();
const measured = await measure(plan);
if (json) console.log(JSON.stringify({ ...plan, measured }, undefined, 2));
else {
  const rows = measured.map(({ format, seconds, recordsPerSecond, megabytes, residentMegabytes }) => [
    format,
    `${seconds.toFixed(1)} s`,
    recordsPerSecond,
    `${megabytes.toFixed(1)} MB`,
    `${residentMegabytes.toFixed(0)} MB`,
  ]);
  console.log(renderTable(["format", "time", "records/s", "file", "memory"], rows));
}
