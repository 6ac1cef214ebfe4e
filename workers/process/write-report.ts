/** An accepted report to its dataset: points of held records at once, of a large report in a second reading. */
import type { DataPoint, DatasetId } from "../../shared/analytics/columns.ts";
import {
  failurePoints,
  type PointContext,
  recordPoints,
  replacedRecordPoints,
  tlsPoints,
} from "../../shared/analytics/points.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import { readReports } from "../../shared/report/read.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";
import type { LedgerEntry } from "../../shared/storage.ts";
import { enqueueSlices, type PointOrigin, writePoints } from "./points.ts";
import type { ReportJob } from "./report.ts";

export interface AcceptedReport {
  part: string;
  report: Report;
  entry: LedgerEntry;
  /** Points that an older generation wrote. */
  replaces: number;
}

/** How many points a report has in its dataset. */
export function pointCountOf(report: Report): number {
  switch (report.kind) {
    case "aggregate":
      return report.totals.records;
    case "tls":
      return report.policies.reduce((sum, { failureDetails }) => sum + 1 + failureDetails.length, 0);
    case "failure":
      return 1;
  }
}

/** Writes all points of a report whose records are held. */
export async function writeReport(accepted: AcceptedReport, records: AggregateRecord[], job: ReportJob): Promise<void> {
  const { report } = accepted;
  const context = pointContext(accepted);
  const destination = { origin: originOf(accepted), context: job.context };
  switch (report.kind) {
    case "aggregate": {
      const points = recordPoints(report, { records, firstOrdinal: 0 }, context);
      points.push(...replacedRecordPoints(report, { from: records.length, to: accepted.replaces }, context));
      return writePoints("records", points, destination);
    }
    case "tls":
      return writePoints("tls", tlsPoints(report, context), destination);
    case "failure":
      return writePoints("failures", failurePoints(report, context), destination);
  }
}

/** Reads an object again and enqueues the points of its large reports as slices, a few slices in memory at a time. */
export async function writeLargeReports(source: ByteSource, large: AcceptedReport[], job: ReportJob): Promise<void> {
  const writers = new Map(large.map((accepted) => [accepted.part, new SliceWriter(accepted, job)]));
  for await (const event of readReports(source)) {
    if (event.type === "records") await writers.get(event.part)?.add(event.records);
  }
  for (const writer of writers.values()) await writer.finish();
}

/** Gathers points of one report and enqueues them two slices at a time. */
class SliceWriter {
  readonly #accepted: AcceptedReport;
  readonly #job: ReportJob;
  readonly #context: PointContext;
  readonly #dataset: DatasetId = "records";
  #points: DataPoint[] = [];
  #ordinal = 0;

  constructor(accepted: AcceptedReport, job: ReportJob) {
    this.#accepted = accepted;
    this.#job = job;
    this.#context = pointContext(accepted);
  }

  async add(records: AggregateRecord[]): Promise<void> {
    const { report } = this.#accepted;
    if (report.kind !== "aggregate") return;
    for (let i = 0; i < records.length; i += QUEUE_LIMITS.maxPointsPerSlice) {
      const some = records.slice(i, i + QUEUE_LIMITS.maxPointsPerSlice);
      this.#points.push(...recordPoints(report, { records: some, firstOrdinal: this.#ordinal }, this.#context));
      this.#ordinal += some.length;
      if (this.#points.length >= 2 * QUEUE_LIMITS.maxPointsPerSlice) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    const { report, replaces } = this.#accepted;
    if (report.kind === "aggregate") {
      for (let from = this.#ordinal; from < replaces; from += QUEUE_LIMITS.maxPointsPerSlice) {
        const to = Math.min(replaces, from + QUEUE_LIMITS.maxPointsPerSlice);
        this.#points.push(...replacedRecordPoints(report, { from, to }, this.#context));
        await this.#flush();
      }
    }
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const points = this.#points;
    this.#points = [];
    await enqueueSlices(this.#dataset, points, { origin: originOf(this.#accepted), context: this.#job.context });
  }
}

function pointContext({ entry }: AcceptedReport): PointContext {
  const { uid, account, generation, receivedSeconds } = entry;
  return { uid, account, generation, receivedSeconds };
}

function originOf({ entry }: AcceptedReport): PointOrigin {
  return { key: entry.rawKey, reportUid: entry.uid };
}
