/**
 * Reads one file and prints, as JSON, what that took (memory.ts).
 *
 * usage: node --expose-gc bench/memory-child.ts FILE RECORDS
 */
import { open } from "node:fs/promises";
import { readReports } from "../shared/report/read.ts";
import type { ByteSource } from "../shared/report/source.ts";
import { cpuMilliseconds } from "./measure.ts";
import { NOW_SECONDS, readRecords } from "./work.ts";

const READ_BYTES = 65_536;
/** Collections while reading, evenly spread. */
const SAMPLES = 20;

const [path = "", expected = "0"] = process.argv.slice(2);
const records = Number(expected);
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run with --expose-gc");
const file = await open(path);
const { size } = await file.stat();

const source: ByteSource = {
  sizeBytes: size,
  async *stream() {
    for (let offset = 0; offset < size; offset += READ_BYTES) yield await this.read(offset, READ_BYTES);
  },
  async read(offset, length) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  },
};

// The second collection waits for the first one's buffers to be freed, which happens on another thread.
function live(): number {
  collect?.();
  collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function liveWhileReading(): Promise<number> {
  const before = live();
  let most = 0;
  let read = 0;
  for await (const event of readReports(source, { nowSeconds: NOW_SECONDS })) {
    if (event.type !== "records") continue;
    const sampleBefore = Math.floor((read * SAMPLES) / records);
    read += event.records.length;
    if (Math.floor((read * SAMPLES) / records) > sampleBefore) most = Math.max(most, live() - before);
  }
  return most;
}

// Sampled: the system's own peak would hold what the parent process had when it started this one.
async function residentWhileReading(): Promise<number> {
  live();
  const before = process.memoryUsage.rss();
  let most = before;
  let read = 0;
  for await (const event of readReports(source, { nowSeconds: NOW_SECONDS })) {
    if (event.type === "records") read += event.records.length;
    most = Math.max(most, process.memoryUsage.rss());
  }
  if (read !== records) throw new Error("not all records were read");
  return most - before;
}

const residentBytes = await residentWhileReading();
const repeats = Math.max(1, Math.ceil(50_000 / records));
const start = cpuMilliseconds();
for (let i = 0; i < repeats; i++) await readRecords(source);
const microsecondsPerRecord = ((cpuMilliseconds() - start) * 1000) / (records * repeats);
const liveBytes = await liveWhileReading();
console.log(JSON.stringify({ records, microsecondsPerRecord, liveBytes, residentBytes }));
await file.close();
