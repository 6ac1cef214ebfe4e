/**
 * How many mails a second the pipeline on one machine processes: mails with a report each, by SMTP into a separate stack, until
 * the ledger's figures are those of all of them. From the first byte sent to the last figure.
 *
 * usage: npm run bench:throughput -- [--mails N] [--records N] [--connections N] [--json]
 * Exit code: 0 at the target or above, 1 below it or the run failed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { createTransport } from "nodemailer";
import { type ApiClient, apiClient } from "../cli/client.ts";
import { numberBetween } from "../cli/option-values.ts";
import { renderPairs } from "../cli/terminal.ts";
import { startStack } from "../local/stack.ts";
import { freeStackPorts } from "../test/support/ports.ts";
import { gzipReport, mailOf, STYLES } from "../test/support/seeded-reports.ts";
import { cpuBetween, cpuByProgram } from "./processes.ts";

const RUA = "rua@acme.example";
const TARGET_MAILS_PER_SECOND = 200;
/** This process, beside the programs it starts. */
const OWN_NAME = "sender, SMTP server";
const LOOK_MS = 200;
/** Ours: nothing has been settled for so long that nothing will. */
const STILL_MS = 60_000;

interface Plan {
  mails: number;
  records: number;
  connections: number;
}

interface Throughput extends Plan {
  sentSeconds: number;
  ledgerSeconds: number;
  mailsPerSecond: number;
  /** Processor time of the stack's processes meanwhile, by program. */
  cpuSeconds: Record<string, number>;
  loadBefore: number;
  cores: number;
}

async function makeMails({ mails, records }: Plan): Promise<Buffer[]> {
  const made: Buffer[] = [];
  for (let seed = 1; seed <= mails; seed++) {
    const style = STYLES[seed % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const { bytes } = await gzipReport({ records, seed, style });
    made.push(Buffer.from(mailOf(`${seed}.xml.gz`, bytes)));
  }
  return made;
}

/** Sends all, as mail servers do: some connections, each a mail after the other. @throws when one is not taken */
async function send(mails: readonly Buffer[], { port, connections }: { port: number; connections: number }) {
  const transport = createTransport({
    host: "127.0.0.1",
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  const waiting = mails.values();
  const sendAll = async (): Promise<void> => {
    for (const raw of waiting)
      await transport.sendMail({ envelope: { from: "noreply@reporter.example", to: RUA }, raw });
  };
  try {
    await Promise.all(Array.from({ length: connections }, sendAll));
  } finally {
    transport.close();
  }
}

/** Waits until the ledger counts as many reports, and no others. @throws when nothing moves any more */
async function waitForLedger(client: ApiClient, { mails, records }: Plan): Promise<void> {
  let seen = 0;
  let since = performance.now();
  for (;;) {
    const stats = await client.ask("stats", {});
    if (stats.reports === mails && stats.records === mails * records) return;
    if (stats.reports !== seen) since = performance.now();
    seen = stats.reports;
    if (performance.now() - since > STILL_MS) throw new Error(`The ledger stays at ${JSON.stringify(stats)}.`);
    await sleep(LOOK_MS);
  }
}

async function measure(plan: Plan): Promise<Throughput> {
  const mails = await makeMails(plan);
  const stateDir = mkdtempSync(join(tmpdir(), "dmarc-throughput-"));
  const ports = await freeStackPorts();
  try {
    const stack = await startStack({ stateDir, ...ports, samples: false });
    try {
      const client = apiClient({ url: `http://127.0.0.1:${ports.httpPort}`, token: stack.token });
      await client.ask("putRegistration", { rua: RUA, entry: { account: "acme" } });
      const loadBefore = loadavg()[0] ?? 0;
      const cpuBefore = cpuByProgram(OWN_NAME);
      const start = performance.now();
      await send(mails, { port: ports.smtpPort, connections: plan.connections });
      const sentSeconds = (performance.now() - start) / 1000;
      await waitForLedger(client, plan);
      const ledgerSeconds = (performance.now() - start) / 1000;
      return {
        ...plan,
        sentSeconds,
        ledgerSeconds,
        mailsPerSecond: plan.mails / ledgerSeconds,
        cpuSeconds: cpuBetween(cpuBefore, cpuByProgram(OWN_NAME)),
        loadBefore,
        cores: availableParallelism(),
      };
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function print({ mails, records, connections, sentSeconds, ledgerSeconds, ...rest }: Throughput): void {
  const cpu = Object.entries(rest.cpuSeconds).map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
  console.log(
    renderPairs([
      ["mails", `${mails} of ${records} records, over ${connections} connections`],
      ["taken by SMTP", `${sentSeconds.toFixed(1)} s, ${(mails / sentSeconds).toFixed(0)} a second`],
      ["in the ledger", `${ledgerSeconds.toFixed(1)} s, ${rest.mailsPerSecond.toFixed(0)} a second`],
      ["target", `${TARGET_MAILS_PER_SECOND} a second`],
      ["processor time", cpu.join(", ")],
      ["load before", `${rest.loadBefore.toFixed(1)} on ${rest.cores} cores`],
    ]),
  );
}

const { json, ...plan } = new Command("npm run bench:throughput --")
  .description("How many mails a second the pipeline on one machine settles")
  .option("--mails <n>", "how many mails, a report each", numberBetween(1), 3000)
  .option("--records <n>", "records of each report", numberBetween(1), 9)
  .option("--connections <n>", "SMTP connections at once", numberBetween(1), 8)
  .option("--json", "JSON for programs")
  .parse()
  .opts<Plan & { json?: true }>();
const throughput = await measure(plan);
if (json) console.log(JSON.stringify(throughput, undefined, 2));
else print(throughput);
if (throughput.mailsPerSecond < TARGET_MAILS_PER_SECOND) process.exitCode = 1;
