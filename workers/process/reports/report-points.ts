/**
 * Writes what must exist before the ledger accepts a report: its points, and figures too large for its row. Records in
 * memory are written at once; a large report is read a second time, with a few slices in memory.
 */

import type { DataPoint } from "../../../shared/analytics/columns.ts";
import {
  datasetOf,
  type PointContext,
  recordPoints,
  reportPoints,
  stalePoints,
} from "../../../shared/analytics/points.ts";
import type { ObjectPlan } from "../../../shared/batch/plan.ts";
import { type ObjectOrigin, readOptions } from "../../../shared/batch/read-object.ts";
import type { PointWork } from "../../../shared/batch/report-writes.ts";
import { FigureSpreader } from "../../../shared/ledger/figure-spreader.ts";
import { FigureChunks, recordKey } from "../../../shared/ledger/figures.ts";
import { recordsByDay } from "../../../shared/ledger/report-rows.ts";
import type { SlicesRow } from "../../../shared/ledger/slices.ts";
import { stageFigures } from "../../../shared/ledger/staged-figures.ts";
import { PROCESS_LIMITS, QUEUE_LIMITS } from "../../../shared/limits.ts";
import { readReports } from "../../../shared/report/read.ts";
import type { ByteSource } from "../../../shared/report/source.ts";
import type { AggregateRecord } from "../../../shared/report/vocabulary.ts";
import type { Invocation } from "../env.ts";
import { SliceSender, writeEvents, writeNow } from "./points.ts";

/** Which points an invocation has written, so that they are not rewritten when an object is decided again. */
export class WrittenPoints {
  readonly #slices = new Map<string, SlicesRow>();
  readonly #reports = new Set<string>();

  /** Whether points of a report, or events, have been written for an object. */
  has(rawKey: string, uid: string): boolean {
    return this.#reports.has(`${rawKey} ${uid}`);
  }

  isDone({ rawKey, uid, generation }: PointWork): boolean {
    return this.#slices.has(`${rawKey} ${uid} ${generation}`);
  }

  start({ rawKey, uid }: PointWork): void {
    this.#reports.add(`${rawKey} ${uid}`);
  }

  finish({ rawKey, uid, generation, rua, receivedSeconds }: PointWork, slices: number): void {
    this.#slices.set(`${rawKey} ${uid} ${generation}`, { uid, generation, rua, rawKey, receivedSeconds, slices });
  }

  /** The slices of a plan's reports, for those enqueued in slices. */
  slicesOf({ points }: ObjectPlan): SlicesRow[] {
    return points.flatMap(({ rawKey, uid, generation }) => {
      const sent = this.#slices.get(`${rawKey} ${uid} ${generation}`);
      return sent === undefined || sent.slices === 0 ? [] : [sent];
    });
  }
}

/** Whether an object has a report with too many records to hold: its points are made in a second reading. */
export function isReadAgain({ points }: ObjectPlan): boolean {
  return points.some(({ found }) => found?.header.kind === "aggregate" && found.records === undefined);
}

/**
 * Writes the points and events of an object's plan.
 *
 * @param source the object's bytes, for reports that must be read again; undefined where the object is not there
 * @throws whatever the platform throws; writing all of it again changes no total
 */
export async function writePlan(
  plan: ObjectPlan,
  { source, written }: { source: ByteSource | undefined; written: WrittenPoints },
  invocation: Invocation,
): Promise<void> {
  const large = new Map<number, PointWork>();
  for (const work of plan.points) {
    if (written.isDone(work)) continue;
    written.start(work);
    const { found } = work;
    if (found?.header.kind === "aggregate" && found.records === undefined) large.set(found.document, work);
    else written.finish(work, await writeHeld(work, invocation));
  }
  if (large.size > 0 && source !== undefined)
    await writeLarge(source, { large, written, origin: plan.object.origin }, invocation);
  await writeObjectEvents(plan, invocation);
}

async function writeObjectEvents({ object, events }: ObjectPlan, invocation: Invocation): Promise<void> {
  const { message, generation } = object;
  await writeEvents(events, { key: message.key, generation, receivedSeconds: message.receivedSeconds }, invocation);
}

/**
 * Writes points of a report whose records are in memory.
 *
 * @returns how many slices were enqueued, 0 when all was written
 */
export async function writeHeld(work: PointWork, invocation: Invocation): Promise<number> {
  for (const { reading, figures } of work.shares) {
    if (reading === undefined || figures === undefined) continue;
    await stageFigures(invocation.ledger, { reading, firstChunk: 0, figures }, invocation.nowSeconds);
  }
  const { found, highestPoints, event } = work;
  const place = placeOf(work);
  const points = found === undefined ? [] : reportPoints(found.report, found.records ?? [], place);
  const all = Math.max(points.length, highestPoints) + 1;
  if (invocation.budget.take(all)) {
    points.push(...stalePoints(work.label, { from: points.length, to: highestPoints }, place));
    const dataset = datasetOf(work.label);
    await writeNow(
      [
        { dataset, points },
        { dataset: "events", points: [event] },
      ],
      invocation.env,
    );
    return 0;
  }
  const writer = new SliceWriter(work, invocation);
  await writer.add(points);
  return writer.finish();
}

async function writeLarge(
  source: ByteSource,
  { large, written, origin }: { large: ReadonlyMap<number, PointWork>; written: WrittenPoints; origin: ObjectOrigin },
  invocation: Invocation,
): Promise<void> {
  let document = -1;
  let work: PointWork | undefined;
  let writer: LargeWriter | undefined;
  const finish = async (): Promise<void> => {
    if (work !== undefined && writer !== undefined) written.finish(work, await writer.finish());
  };
  for await (const event of readReports(source, readOptions(origin))) {
    if (event.type !== "records" || event.records.length === 0) continue;
    if (event.firstOrdinal === 0) {
      await finish();
      work = large.get(++document);
      writer = work === undefined ? undefined : new LargeWriter(work, invocation);
    }
    await writer?.add(event.records);
  }
  await finish();
}

/** Writes points and figures of one aggregate report as its records are read again. */
class LargeWriter {
  readonly #work: PointWork;
  readonly #invocation: Invocation;
  readonly #points: SliceWriter;
  readonly #place: PointContext;
  readonly #figures = new FigureChunks();
  /** For a report over several days, which has a row for each. */
  readonly #spreader: FigureSpreader | undefined;
  #chunks = 0;
  #ordinal = 0;

  constructor(work: PointWork, invocation: Invocation) {
    this.#work = work;
    this.#invocation = invocation;
    this.#points = new SliceWriter(work, invocation);
    this.#place = placeOf(work);
    const { found, shares } = work;
    if (found?.report.kind === "aggregate" && shares.length > 1) {
      this.#spreader = FigureSpreader.ofRecords(recordsByDay(found.report, found.byResult), shares.length);
    }
  }

  async add(records: AggregateRecord[]): Promise<void> {
    const report = this.#work.found?.report;
    if (report?.kind !== "aggregate") return;
    for (let i = 0; i < records.length; i += QUEUE_LIMITS.maxPointsPerSlice) {
      const some = records.slice(i, i + QUEUE_LIMITS.maxPointsPerSlice);
      for (const record of some) {
        if (!this.#figures.add(recordKey(record, this.#work.label.domain), record.count)) await this.#stage();
      }
      await this.#points.add(recordPoints(report, { records: some, firstOrdinal: this.#ordinal }, this.#place));
      this.#ordinal += some.length;
    }
  }

  async finish(): Promise<number> {
    if (this.#figures.chars > 0) await this.#stage();
    return this.#points.finish();
  }

  async #stage(): Promise<void> {
    const figures = this.#figures.take();
    const byDay = this.#spreader?.split(figures) ?? [figures];
    const { ledger, nowSeconds } = this.#invocation;
    const firstChunk = this.#chunks++;
    for (const [place, { reading }] of this.#work.shares.entries()) {
      const ofDay = byDay[place];
      if (reading === undefined || ofDay === undefined) continue;
      await stageFigures(ledger, { reading, firstChunk, figures: [ofDay] }, nowSeconds);
    }
  }
}

/** Gathers points of one report and enqueues them a few slices at a time. */
class SliceWriter {
  static readonly #POINTS_HELD = 4 * QUEUE_LIMITS.maxPointsPerSlice;
  readonly #work: PointWork;
  readonly #sender: SliceSender;
  readonly #place: PointContext;
  #points: DataPoint[] = [];
  #added = 0;

  constructor(work: PointWork, invocation: Invocation) {
    this.#work = work;
    this.#place = placeOf(work);
    const { rawKey: key, uid: reportUid, generation, receivedSeconds, rua } = work;
    this.#sender = new SliceSender({ key, reportUid, generation, receivedSeconds, rua }, invocation);
  }

  async add(points: DataPoint[]): Promise<void> {
    for (const point of points) this.#points.push(point);
    this.#added += points.length;
    // Only whole slices until the end: the same report always gives the same slices.
    const ripe = this.#points.length - (this.#points.length % QUEUE_LIMITS.maxPointsPerSlice);
    if (ripe >= SliceWriter.#POINTS_HELD) await this.#send(this.#points.splice(0, ripe), []);
  }

  /** Covers surplus points of an older generation, then writes the event. @returns how many slices were enqueued */
  async finish(): Promise<number> {
    const { highestPoints, label, event } = this.#work;
    while (this.#added < highestPoints) {
      const to = Math.min(highestPoints, this.#added + PROCESS_LIMITS.stalePointsAtOnce);
      await this.add(stalePoints(label, { from: this.#added, to }, this.#place));
    }
    await this.#send(this.#points.splice(0), [event]);
    return this.#sender.sent;
  }

  #send(points: DataPoint[], events: DataPoint[]): Promise<void> {
    return this.#sender.send([
      { dataset: datasetOf(this.#work.label), points },
      { dataset: "events", points: events },
    ]);
  }
}

function placeOf({ uid, account, generation, receivedSeconds }: PointWork): PointContext {
  return { uid, account, generation, receivedSeconds };
}
