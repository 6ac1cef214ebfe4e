/**
 * How long a page of a report's records takes, read again from its raw object: process and the dashboard in workerd on their
 * real configuration, with R2 and D1 on this machine; from the request to the API to the last byte of its answer.
 *
 * usage: npm run bench:records -- [records] [--json]     1,000,000 by default; 1,000 are always measured as well
 * Exit code: 0 when every median is at its target or below.
 */
import { resolve } from "node:path";
import type { LedgerDatabase } from "../shared/ledger/database.ts";
import { PROCESS_LIMITS } from "../shared/limits.ts";
import { buildRawMetadata, isoDate, parseRawMetadata } from "../shared/storage.ts";
import { aggregateReport, commitSamples } from "../test/support/ledger-fill.ts";
import { localWorker } from "../test/support/local-workers.ts";
import { migrate } from "../test/support/migrations.ts";
import { createOfflineHarness } from "../test/support/offline-harness.ts";
import { gzipReport, STYLES } from "../test/support/seeded-reports.ts";
import { measurePages, type PagesBench, type PageTime, printTimes, readArguments } from "./pages.ts";

const TOKEN = "bench";
const ACCOUNT = "acme";
const DOMAIN = "acme.example";
const DAY = 20_000;
const PAGE = 50;
const TARGET_MILLISECONDS = { small: 300, large: 3000 };
const SMALL = 1000;

interface Bindings {
  D1_DMARC_REPORTS: LedgerDatabase;
  R2_DMARC_REPORTS: { put(key: string, value: Uint8Array, options: object): Promise<unknown> };
}

interface Bench {
  env: Bindings;
  get: PagesBench["get"];
  close(): Promise<void>;
}

async function start(): Promise<Bench> {
  const server = createOfflineHarness({
    root: resolve(import.meta.dirname, ".."),
    workers: [
      localWorker("dashboard", { vars: { API_TOKEN: TOKEN } }),
      localWorker("process"),
      localWorker("mail-out", { vars: { LOCAL_MAIL_URL: "", LOCAL_MAIL_TOKEN: "" } }),
      localWorker("analytics", { vars: { LOCAL_ANALYTICS_URL: "", LOCAL_ANALYTICS_TOKEN: "" } }),
    ],
  });
  const { url } = await server.listen();
  const env = (await server.getWorker("dmarc-process").getEnv()) as unknown as Bindings;
  await migrate(env.D1_DMARC_REPORTS);
  return {
    env,
    async get(path) {
      const began = performance.now();
      const response = await fetch(url.origin + path, { headers: { authorization: `Bearer ${TOKEN}` } });
      const text = await response.text();
      const milliseconds = performance.now() - began;
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
      return { text, milliseconds, statements: 0, rowsRead: 0 };
    },
    close: () => server.close(),
  };
}

/** Puts the raw object and accepts its report. @returns where the API has its records */
async function store({ env }: Bench, records: number): Promise<string> {
  const [style] = STYLES;
  if (style === undefined) throw new Error("no styles");
  const { bytes } = await gzipReport({ records, seed: 1, style });
  const receivedSeconds = (DAY + 1) * 86_400;
  const uid = records.toString(16).padStart(32, "0");
  const rawKey = `raw/${isoDate(receivedSeconds).replaceAll("-", "/")}/${uid}${uid}/report.xml.gz`;
  const customMetadata = buildRawMetadata({
    ...parseRawMetadata(undefined),
    rua: "dmarc@acme.example",
    receivedSeconds,
    fileName: "report.xml.gz",
    mimeType: "application/gzip",
  });
  await env.R2_DMARC_REPORTS.put(rawKey, bytes, { customMetadata });
  const report = aggregateReport(DOMAIN, { day: DAY, records: [], reporter: `Reporter of ${records}` });
  report.totals.records = records;
  await commitSamples(env.D1_DMARC_REPORTS, [{ account: ACCOUNT, uid, report, records: [], receivedSeconds, rawKey }], {
    nowSeconds: receivedSeconds,
  });
  return `/api/v1/reports/${ACCOUNT}/${DOMAIN}/${isoDate(DAY * 86_400)}/${uid}/records`;
}

function pathsOf(base: string, records: number): Record<string, string> {
  const farthest = Math.min(records, PROCESS_LIMITS.maxOrderedRecords) - PAGE;
  const questions: Record<string, string> = {
    "first page": "",
    "page in the middle": `&offset=${Math.floor(records / 2)}`,
    "last page": `&offset=${records - PAGE}`,
    "by messages": "&order=messages&descending=true",
    "by messages, the farthest page": `&order=messages&descending=true&offset=${farthest}`,
    "by address": "&order=address",
    "by From, downwards": "&order=from&descending=true",
    "from the last record on": "&order=record&descending=true",
    "failed only": "&isPass=false",
    "searched, in many": "&text=sender7",
    "searched, in none": "&text=nowhere.example",
    "searched and by address": "&text=mail&order=address&descending=true",
  };
  return Object.fromEntries(
    Object.entries(questions).map(([name, question]) => [
      `${records} records: ${name}`,
      `${base}?limit=${PAGE}${question}`,
    ]),
  );
}

/** @throws when the last page does not end with the last record */
async function check({ get }: Bench, base: string, records: number): Promise<void> {
  const answer = JSON.parse((await get(`${base}?limit=1&offset=${records - 1}`)).text);
  const [last] = answer.records;
  if (last?.ordinal !== records - 1 || answer.matching !== records) {
    throw new Error(`The last of ${records} records is told as ${JSON.stringify(answer).slice(0, 300)}.`);
  }
}

const { count = 1_000_000, json } = readArguments();
const bench = await start();
try {
  const large: PageTime[] = [];
  const small: PageTime[] = [];
  for (const [records, times] of [
    [SMALL, small],
    [count, large],
  ] as const) {
    const base = await store(bench, records);
    await check(bench, base, records);
    times.push(...(await measurePages(bench, pathsOf(base, records))));
  }
  printTimes(
    [
      { targetMilliseconds: TARGET_MILLISECONDS.small, times: small },
      { targetMilliseconds: TARGET_MILLISECONDS.large, times: large },
    ],
    json,
  );
} finally {
  await bench.close();
}
