/**
 * How long the dashboard's pages take: `npm run bench:dashboard -- [records]`, 1,000,000 unless told. Starts the local engine
 * and the Workers as `npm start` does, in a folder of their own, writes generated data, asks the dashboard for every page
 * over HTTP, and compares the pages' totals with those of `dmarc stats`; exit code 1 when they differ or a page fails. It
 * never touches another stack's data.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import MailComposer from "nodemailer/lib/mail-composer";
import { startAnalytics } from "../local/analytics/start.ts";
import { type ApiConnection, register, waitUntilConnected, waitUntilRead } from "../local/api.ts";
import { openFront } from "../local/front/front.ts";
import { makeSecret } from "../local/secret.ts";
import { deliver } from "../local/smtp/deliver.ts";
import { startWorkers, type WorkersAddress } from "../local/workers.ts";
import { isoDate } from "../shared/storage.ts";
import { DAYS, eventAt, failureAt, LARGEST, LAST_DAY, RECORDS_PER_REPORT, recordAt, tlsAt } from "./dashboard-data.ts";
import { processCpuMilliseconds, writeRows } from "./engine.ts";
import { freePort } from "./free-port.ts";

const RUNS = 5;
const TLS_POINTS = 1800;
const FAILURES = 2000;
/** Records of the one report that came by mail, so that the ledger has it. */
const MAILED_RECORDS = 1000;
const RUA = "dmarc@bench.example";
const MAILED = "Mailed Reporter";

interface Bench {
  api: ApiConnection;
  engine: { url: string; pid: number };
}

function aggregateXml(): string {
  const begin = (LAST_DAY - 3) * 86_400;
  const records = Array.from({ length: MAILED_RECORDS }, (_, i) => {
    const result = i % 10 === 0 ? "fail" : "pass";
    return `<record><row><source_ip>198.51.100.${i % 250}</source_ip><count>${i + 1}</count><policy_evaluated>
<disposition>none</disposition><dkim>${result}</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>${LARGEST}</header_from></identifiers><auth_results><dkim><domain>${LARGEST}</domain>
<selector>s${i % 7}</selector><result>${result}</result></dkim></auth_results></record>`;
  });
  return `<feedback><report_metadata><org_name>${MAILED}</org_name><email>a@mail.example</email><report_id>1</report_id>
<date_range><begin>${begin}</begin><end>${begin + 86_399}</end></date_range></report_metadata><policy_published>
<domain>${LARGEST}</domain><p>none</p></policy_published>${records.join("")}</feedback>`;
}

function tlsJson(): string {
  const day = isoDate((LAST_DAY - 3) * 86_400);
  return JSON.stringify({
    "organization-name": MAILED,
    "date-range": { "start-datetime": `${day}T00:00:00Z`, "end-datetime": `${day}T23:59:59Z` },
    ...{ "contact-info": "tls@mail.example", "report-id": "1" },
    policies: [
      {
        policy: { "policy-type": "sts", "policy-domain": LARGEST },
        summary: { "total-successful-session-count": 9, "total-failure-session-count": 1 },
        "failure-details": [{ "result-type": "certificate-expired", "failed-session-count": 1 }],
      },
    ],
  });
}

/** One report of each listed kind by mail, for the pages of single reports. */
async function mailReports({ api }: Bench, workers: WorkersAddress): Promise<void> {
  await register(api, RUA, "acme");
  for (const [filename, content] of [["report.xml", aggregateXml()] as const, ["tls.json", tlsJson()] as const]) {
    const mail = { from: "a@mail.example", to: RUA, subject: "Report", text: "", attachments: [{ filename, content }] };
    const raw = await new MailComposer(mail).compile().build();
    const reply = await deliver(workers, { from: mail.from, to: RUA, raw });
    if (reply.code !== 250) throw new Error(reply.message);
  }
  await waitUntilRead(api);
}

async function getText({ url, token }: ApiConnection, path: string): Promise<string> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}`, accept: "text/html" } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}

/** The link of the mailed report in a list. */
async function linkIn(bench: Bench, path: string): Promise<string> {
  const text = await getText(bench.api, path);
  const found = /href="(\/reports\/[^"]+)"/.exec(text)?.[1];
  if (found === undefined) throw new Error(`${path} lists no report.`);
  return found.replaceAll("&amp;", "&");
}

/** Every page that shows data, over a period of so many days; operations last. */
async function pagesOf(bench: Bench, days: number): Promise<Record<string, string>> {
  const period = `from=${isoDate((LAST_DAY - days + 1) * 86_400)}&to=${isoDate(LAST_DAY * 86_400)}`;
  const domain = `/domains/${LARGEST}`;
  const mailed = new URLSearchParams({ "reports.q": MAILED });
  return {
    Domains: `/?${period}`,
    Overview: `${domain}?${period}`,
    Sources: `${domain}/sources?${period}`,
    Source: `${domain}/sources/service7.example?${period}`,
    Address: `${domain}/addresses/192.0.2.35?${period}`,
    Reports: `${domain}/reports?${period}`,
    Report: await linkIn(bench, `${domain}/reports?${period}&${mailed}`),
    TLS: `${domain}/tls?${period}`,
    "TLS report": await linkIn(bench, `${domain}/tls?${period}&${mailed}`),
    Failures: `${domain}/failures?${period}`,
    Operations: `/operations?${period}`,
    "Dead letters": "/operations/dead-letters",
  };
}

async function measure({ api, engine }: Bench, path: string): Promise<Record<string, string>> {
  const runs: { wall: number; cpu: number; bytes: number }[] = [];
  for (let run = 0; run < RUNS; run++) {
    const cpu = await processCpuMilliseconds(engine.pid);
    const start = performance.now();
    const text = await getText(api, path);
    const wall = performance.now() - start;
    runs.push({ wall, cpu: (await processCpuMilliseconds(engine.pid)) - cpu, bytes: Buffer.byteLength(text) });
  }
  const walls = runs.map(({ wall }) => wall).sort((a, b) => a - b);
  const ms = (value: number | undefined): string => (value ?? Number.NaN).toFixed(0);
  return {
    "best, ms": ms(walls[0]),
    "median, ms": ms(walls[Math.floor(RUNS / 2)]),
    "slowest, ms": ms(walls.at(-1)),
    "CPU of the engine, ms": ms(Math.min(...runs.map((run) => run.cpu))),
    "HTML, KB": ms(Math.max(...runs.map((run) => run.bytes)) / 1000),
  };
}

/** @throws Error when the pages count something else than `dmarc stats` */
async function compareTotals({ api }: Bench): Promise<void> {
  const period = `from=${isoDate((LAST_DAY - DAYS) * 86_400)}&to=${isoDate((LAST_DAY + 1) * 86_400)}`;
  const rowsOf = async (page: string, table: string): Promise<Record<string, number>[]> =>
    JSON.parse(await getText(api, `${page}?${period}&export=json&table=${table}`));
  const sum = (rows: Record<string, number>[], name: string): number =>
    rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const compare = (page: string, shown: number[], expected: number[]): void => {
    if (shown.join() !== expected.join()) throw new Error(`${page}: ${shown}, but stats say ${expected}.`);
  };
  const all = JSON.parse(await getText(api, "/api/v1/stats"));
  const domains = await rowsOf("/", "domains");
  compare("Domains", [sum(domains, "messages"), sum(domains, "passed")], [all.messages, all.passed]);
  const one = JSON.parse(await getText(api, `/api/v1/stats?domain=${LARGEST}`));
  const page = `/domains/${LARGEST}`;
  const days = await rowsOf(page, "days");
  compare("Overview", [sum(days, "messages"), sum(days, "passed")], [one.messages, one.passed]);
  compare("Sources", [sum(await rowsOf(`${page}/sources`, "sources"), "messages")], [one.messages]);
  console.log(`Totals equal those of stats: ${all.records} records, ${all.messages} messages.`);
}

function* rows<Row>(count: number, rowAt: (place: number) => Row): Generator<Row> {
  for (let place = 0; place < count; place++) yield rowAt(place);
}

async function run(bench: Bench, workers: WorkersAddress, records: number): Promise<void> {
  await waitUntilConnected(bench.api);
  await mailReports(bench, workers);
  const engine = { url: bench.engine.url, token: bench.api.token };
  await writeRows(engine, "records", rows(records, recordAt));
  await writeRows(engine, "events", rows(records / RECORDS_PER_REPORT, eventAt));
  await writeRows(engine, "tls", rows(TLS_POINTS, tlsAt));
  await writeRows(engine, "failures", rows(FAILURES, failureAt));
  const times: Record<string, Record<string, string>> = {};
  for (const days of [30, DAYS]) {
    for (const [page, path] of Object.entries(await pagesOf(bench, days))) {
      times[`${page}, ${days} days`] = await measure(bench, path);
    }
  }
  console.table(times);
  await compareTotals(bench);
  console.log(`Load of the machine, which has ${availableParallelism()} cores: ${loadavg()[0]?.toFixed(1)}`);
}

async function main(records: number): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
  const token = "bench";
  const engine = await startAnalytics({ stateDir, port: 0, token });
  const urls = { analyticsUrl: engine.url, pointsUrl: engine.url };
  const lines: string[] = [];
  const workers = startWorkers({ stateDir, ...urls, token, onLine: (line) => void lines.push(line) });
  const httpPort = await freePort();
  const secret = { apiToken: token, browserKey: makeSecret() };
  let address: WorkersAddress | undefined;
  const front = await openFront({ port: httpPort, secret, findWorkers: () => address });
  try {
    address = { port: await workers.ready, doorSecret: workers.doorSecret };
    await run({ api: { url: `http://127.0.0.1:${httpPort}`, token }, engine }, address, records);
  } catch (error) {
    console.error(lines.slice(-20).join("\n"));
    throw error;
  } finally {
    await Promise.all([front.stop(), workers.stop()]);
    await engine.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

await main(Number(process.argv[2] ?? 1_000_000));
