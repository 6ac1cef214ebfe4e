/** The main figures in workerd, timed from outside by the clock: a machine that does other work shows in them. */
import { resolve } from "node:path";
import { createOfflineHarness } from "../test/support/offline-harness.ts";
import { gzipReport, STYLES, smallReports } from "../test/support/seeded-reports.ts";
import { median } from "./measure.ts";
import type { Figure } from "./node.ts";

const ROUNDS = 5;

/** Reads a large and a small report in workerd. */
export async function inWorkerd({ largeRecords }: { largeRecords: number }): Promise<Figure[]> {
  const [style] = STYLES;
  const [small] = smallReports(12).filter(({ records }) => records === 3);
  if (style === undefined || small === undefined) throw new Error("no input");
  const large = await gzipReport({ records: largeRecords, seed: 1, style });
  // wrangler writes its warnings to standard output, where `--json` has its figures.
  process.env.WRANGLER_LOG ??= "error";
  const server = createOfflineHarness({
    root: resolve(import.meta.dirname, ".."),
    workers: [
      {
        config: {
          name: "dmarc-bench",
          main: resolve(import.meta.dirname, "worker.ts"),
          compatibility_date: "2026-11-01",
        },
      },
    ],
  });
  const { url } = await server.listen();
  const time = (bytes: Uint8Array, query: string, times: number) => timeOne({ url, bytes, query, times });
  try {
    const read = await time(large.bytes, "", 4);
    const points = await time(large.bytes, "&points", 4);
    const smallSeconds = await time(small.bytes, "", 4000);
    return [
      {
        name: "workerd: large gzip → records",
        recordsPerSecond: largeRecords / read,
        megabytesPerSecond: large.xmlBytes / 1e6 / read,
      },
      { name: "workerd: large gzip → records → points", recordsPerSecond: largeRecords / points },
      {
        name: "workerd: small file (3 records) → records",
        filesPerSecond: 1 / smallSeconds,
        recordsPerSecond: small.records / smallSeconds,
      },
    ];
  } finally {
    await server.close();
  }
}

interface Request {
  url: URL;
  bytes: Uint8Array;
  query: string;
  /** Readings in one request, beside the one that every request does. */
  times: number;
}

/** Seconds of one reading: what a request takes beyond one that reads once, so that the way there does not count. */
async function timeOne({ url, bytes, query, times }: Request): Promise<number> {
  const ask = async (count: number): Promise<number> => {
    const start = performance.now();
    const answer = await fetch(new URL(`/?times=${count}${query}`, url), {
      method: "POST",
      body: new Uint8Array(bytes),
    });
    await answer.json();
    return (performance.now() - start) / 1000;
  };
  await ask(times);
  const seconds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) seconds.push(((await ask(times)) - (await ask(0))) / times);
  return median(seconds);
}
