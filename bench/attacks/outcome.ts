/**
 * What a mail came to, read from the points that were written: events tell the outcomes, whatever keeps the ledger. Pure.
 */
import { type Column, DATASETS, type DatasetId, slotPosition } from "../../shared/analytics/columns.ts";
import type { WrittenPoint } from "../large-mail/chain.ts";

/** Outcomes of one mail, each thing counted once. */
export interface Outcomes {
  /** Reports accepted, and the records and skipped records they had. */
  accepted: number;
  records: number;
  skippedRecords: number;
  duplicates: number;
  conflicts: number;
  discarded: number;
  /** Dead letters by problem code. */
  deadLetters: Record<string, number>;
  /** Points by dataset, as often as they were written. */
  points: Record<DatasetId, number>;
  /** Most messages, sessions or incidents one point counts. */
  highestCount: number;
  /** Domains that points of reports are about. */
  domains: string[];
}

/** Columns that count messages, sessions or incidents. */
const COUNTS = {
  records: ["count"],
  tls: ["successfulSessions", "failedSessions", "detailSessions"],
  failures: ["incidents"],
} as const;

/** Sums up points as they come: a mail may have a million. */
export class OutcomeCounter {
  readonly #domains = new Set<string>();
  readonly #events = new Set<string>();
  readonly #outcomes: Outcomes = {
    accepted: 0,
    records: 0,
    skippedRecords: 0,
    duplicates: 0,
    conflicts: 0,
    discarded: 0,
    deadLetters: {},
    points: { records: 0, events: 0, tls: 0, failures: 0 },
    highestCount: 0,
    domains: [],
  };

  add(point: WrittenPoint): void {
    const { dataset } = point;
    this.#outcomes.points[dataset]++;
    if (dataset === "events") {
      const id = `${textOf(point, "eventId")} ${textOf(point, "outcome")}`;
      if (!this.#events.has(id)) addEvent(this.#outcomes, point);
      this.#events.add(id);
      return;
    }
    this.#domains.add(textOf(point, "domain"));
    const counts = COUNTS[dataset].map((column) => numberOf(point, column));
    this.#outcomes.highestCount = Math.max(this.#outcomes.highestCount, ...counts);
  }

  /** What the points so far came to. */
  read(): Outcomes {
    return { ...this.#outcomes, domains: [...this.#domains].sort() };
  }
}

/** What points came to. */
export function readOutcomes(points: Iterable<WrittenPoint>): Outcomes {
  const counter = new OutcomeCounter();
  for (const point of points) counter.add(point);
  return counter.read();
}

function addEvent(outcomes: Outcomes, event: WrittenPoint): void {
  const code = textOf(event, "code");
  switch (textOf(event, "outcome")) {
    case "accepted":
      outcomes.accepted++;
      outcomes.records += numberOf(event, "records");
      outcomes.skippedRecords += numberOf(event, "skippedRecords");
      break;
    case "duplicate":
      outcomes.duplicates++;
      break;
    case "conflict":
      outcomes.conflicts++;
      break;
    case "discarded":
      outcomes.discarded++;
      break;
    case "dead_letter":
      outcomes.deadLetters[code] = (outcomes.deadLetters[code] ?? 0) + 1;
      break;
  }
}

/** Dead letters of all codes. */
export function letterCount({ deadLetters }: Outcomes): number {
  return Object.values(deadLetters).reduce((sum, count) => sum + count, 0);
}

function textOf(point: WrittenPoint, name: string): string {
  return point.blobs[placeOf(point, name)] ?? "";
}

function numberOf(point: WrittenPoint, name: string): number {
  return point.doubles[placeOf(point, name)] ?? 0;
}

function placeOf({ dataset }: WrittenPoint, name: string): number {
  const columns: Record<string, Column> = DATASETS[dataset].columns;
  const column = columns[name];
  if (column === undefined) throw new Error(`${dataset} has no column ${name}.`);
  return slotPosition(column);
}
