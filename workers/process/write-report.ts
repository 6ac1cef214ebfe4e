/** The points of an accepted report: of held records at once, of a large report in a second reading. */
import type { PointGroup } from "../../shared/analytics/budget.ts";
import type { DataPoint } from "../../shared/analytics/columns.ts";
import {
  datasetOf,
  type PointContext,
  recordPoints,
  reportPoints,
  stalePoints,
} from "../../shared/analytics/points.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import { readReports } from "../../shared/report/read.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import type { LedgerEntry } from "../../shared/storage.ts";
import type { JobContext } from "./env.ts";
import { type ObjectOrigin, readOptions } from "./findings.ts";
import { enqueueSlices, type PointOrigin, writePoints } from "./points.ts";

/** A report the ledger accepted, and the event that says so: written with its last points. */
export interface AcceptedReport {
  entry: LedgerEntry;
  event: DataPoint;
}

/** The large reports of an object. */
export interface LargeReports {
  large: ReadonlyMap<number, AcceptedReport>;
  origin: ObjectOrigin;
}

/** Writes all points of a report whose records are held, and its event. */
export async function writeReport(
  { entry, event }: AcceptedReport,
  records: AggregateRecord[],
  context: JobContext,
): Promise<void> {
  const { report } = entry;
  const place = pointContext(entry);
  const points = reportPoints(report, records, place);
  points.push(...stalePoints(report, { from: points.length, to: entry.highestPointCount }, place));
  const groups: PointGroup[] = [
    { dataset: datasetOf(report), points },
    { dataset: "events", points: [event] },
  ];
  await writePoints(groups, { origin: originOf(entry), context });
}

/**
 * Reads an object again and enqueues the points of its large reports as slices, a few slices in memory at a time.
 *
 * @param large the reports by their document (findings.ts)
 * @param origin as in the first reading: what was read then is read again
 */
export async function writeLargeReports(
  source: ByteSource,
  { large, origin }: LargeReports,
  context: JobContext,
): Promise<void> {
  let document = -1;
  let writer: SliceWriter | undefined;
  for await (const event of readReports(source, readOptions(origin))) {
    if (event.type !== "records" || event.records.length === 0) continue;
    if (event.firstOrdinal === 0) {
      await writer?.finish();
      const accepted = large.get(++document);
      writer = accepted === undefined ? undefined : new SliceWriter(accepted, context);
    }
    await writer?.add(event.records);
  }
  await writer?.finish();
}

/** Gathers points of one aggregate report and enqueues them a few slices at a time. */
class SliceWriter {
  static readonly #POINTS_HELD = 4 * QUEUE_LIMITS.maxPointsPerSlice;
  readonly #accepted: AcceptedReport;
  readonly #context: JobContext;
  readonly #place: PointContext;
  #points: DataPoint[] = [];
  #ordinal = 0;
  #slices = 0;

  constructor(accepted: AcceptedReport, context: JobContext) {
    this.#accepted = accepted;
    this.#context = context;
    this.#place = pointContext(accepted.entry);
  }

  async add(records: AggregateRecord[]): Promise<void> {
    const { report } = this.#accepted.entry;
    if (report.kind !== "aggregate") return;
    for (let i = 0; i < records.length; i += QUEUE_LIMITS.maxPointsPerSlice) {
      const some = records.slice(i, i + QUEUE_LIMITS.maxPointsPerSlice);
      this.#points.push(...recordPoints(report, { records: some, firstOrdinal: this.#ordinal }, this.#place));
      this.#ordinal += some.length;
      if (this.#points.length >= SliceWriter.#POINTS_HELD) await this.#flush();
    }
  }

  /** Covers what an older generation had more, then says that the report was accepted. */
  async finish(): Promise<void> {
    const { report, highestPointCount } = this.#accepted.entry;
    while (this.#ordinal < highestPointCount) {
      const to = Math.min(highestPointCount, this.#ordinal + QUEUE_LIMITS.maxPointsPerSlice);
      this.#points.push(...stalePoints(report, { from: this.#ordinal, to }, this.#place));
      this.#ordinal = to;
      if (this.#points.length >= SliceWriter.#POINTS_HELD) await this.#flush();
    }
    await this.#flush([this.#accepted.event]);
  }

  // Whole slices, and at the end the rest: the same report always gives the same slices.
  async #flush(events?: DataPoint[]): Promise<void> {
    const { entry } = this.#accepted;
    const ripe =
      events === undefined
        ? this.#points.length - (this.#points.length % QUEUE_LIMITS.maxPointsPerSlice)
        : this.#points.length;
    const points = this.#points.splice(0, ripe);
    const groups: PointGroup[] = [
      { dataset: datasetOf(entry.report), points },
      { dataset: "events", points: events ?? [] },
    ];
    const destination = { origin: originOf(entry), context: this.#context, firstSlice: this.#slices };
    this.#slices += await enqueueSlices(groups, destination);
  }
}

function pointContext({ uid, account, generation, receivedSeconds }: LedgerEntry): PointContext {
  return { uid, account, generation, receivedSeconds };
}

function originOf({ rawKey, uid, generation, receivedSeconds }: LedgerEntry): PointOrigin {
  return { key: rawKey, reportUid: uid, generation, receivedSeconds };
}
