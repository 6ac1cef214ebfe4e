/**
 * Memory and cost by report size: each size is read in a process of its own (memory-child.ts) from a file, as process
 * streams it from R2.
 */
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import * as v from "valibot";
import { reportText, STYLES } from "../test/support/seeded-reports.ts";

const measured = v.object({
  records: v.number(),
  /** CPU time of one reading after a first one, by record. */
  microsecondsPerRecord: v.number(),
  /** Most that was alive after a collection, above what was alive before the reading: heap and array buffers. */
  liveBytes: v.number(),
  /** Peak of the resident set over that before the reading; it holds garbage not collected yet. */
  residentBytes: v.number(),
});

/** What reading a report of one size takes. */
export type SizeFigure = v.InferOutput<typeof measured>;

const run = promisify(execFile);

/** Measures each size. */
export async function bySize(sizes: number[]): Promise<SizeFigure[]> {
  const folder = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
  const [style] = STYLES;
  if (style === undefined) throw new Error("no styles");
  try {
    const found: SizeFigure[] = [];
    for (const records of sizes) {
      const file = join(folder, `${records}.xml.gz`);
      const text = Readable.from(reportText({ records, seed: 1, style }));
      await pipeline(text, createGzip(), createWriteStream(file));
      const child = resolve(import.meta.dirname, "memory-child.ts");
      const { stdout } = await run(process.execPath, ["--expose-gc", child, file, String(records)]);
      found.push(v.parse(measured, JSON.parse(stdout)));
    }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}
