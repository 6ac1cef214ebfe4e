/** Support: everything the reader finds in some bytes, at once. */
import { createHash } from "node:crypto";
import { ReadBudget } from "../../shared/report/budget.ts";
import { type ReadOptions, readReports } from "../../shared/report/read.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";
import { toBytes } from "./archives.ts";

/** When the tests read: later than every report they write. */
export const NOW_SECONDS = Date.UTC(2026, 11, 31) / 1000;

/** What a document is read with where it is not the limits that matter. */
export const LOOSE = {
  budget: new ReadBudget(Number.MAX_SAFE_INTEGER),
  bounds: { nowSeconds: NOW_SECONDS, isLenient: false },
};

export interface Found {
  reports: { part: string; report: Report; records: AggregateRecord[] }[];
  problems: { part: string; code: string; message: string }[];
  passedOver: { part: string; kind: string }[];
}

/**
 * Reads bytes as the workers do: records come first, and are forgotten when a problem of their part follows.
 *
 * @param cut sizes of the pieces that the stream is cut into, used round and round; absent = one piece
 * @param options of the reader; by default it hashes, as the workers do
 */
export async function readAll(
  content: string | Uint8Array,
  cut?: number[],
  options?: Partial<ReadOptions>,
): Promise<Found> {
  const bytes = toBytes(content);
  const found: Found = { reports: [], problems: [], passedOver: [] };
  const pending = new Map<string, AggregateRecord[]>();
  const source = cut === undefined ? bytesSource(bytes) : cutSource(bytes, cut);
  const settings = { nowSeconds: NOW_SECONDS, createHash: () => createHash("sha256"), ...options };
  for await (const event of readReports(source, settings)) {
    const { part } = event;
    if (event.type === "records") {
      const records = pending.get(part) ?? [];
      if (event.firstOrdinal !== records.length) throw new Error(`records of ${part} out of order`);
      pending.set(part, [...records, ...event.records]);
    } else if (event.type === "report") {
      found.reports.push({ part, report: event.report, records: pending.get(part) ?? [] });
      pending.delete(part);
    } else if (event.type === "refused") {
      return { reports: [], problems: [{ part, ...event.problem }], passedOver: [] };
    } else if (event.type === "passed_over") {
      found.passedOver.push({ part, kind: event.kind });
    } else {
      found.problems.push({ part, ...event.problem });
      pending.delete(part);
    }
  }
  if (pending.size > 0) throw new Error("records without a report or a problem");
  return found;
}

/** Invalid in gzip, zip, base64, UTF-8 and XML. */
const SPOILED = 0xff;

/** A source that hands its bytes out in pieces of the given sizes, each spoiled as soon as the next one is asked for. */
export function cutSource(bytes: Uint8Array, cut: number[]): ByteSource {
  const { sizeBytes, read } = bytesSource(bytes);
  return {
    sizeBytes,
    read,
    async *stream() {
      for (let at = 0, i = 0; at < bytes.byteLength; i++) {
        const size = Math.max(1, cut[i % cut.length] ?? 1);
        const piece = bytes.slice(at, at + size);
        yield piece;
        piece.fill(SPOILED);
        at += size;
      }
    },
  };
}
