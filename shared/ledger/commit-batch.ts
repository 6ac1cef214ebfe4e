/**
 * The transaction that commits a batch: reports, sums of their days, outcomes of the objects, dead letters and
 * conflicts, all or nothing. It was prepared from what `findObjects` and `findReports` returned; if that has changed
 * meanwhile, it writes nothing and says so, and the batch is decided again.
 */
import { D1_LIMITS } from "../limits.ts";
import {
  type AcceptedVersion,
  type ConflictRow,
  putAcceptedVersions,
  putConflicts,
  removeConflicts,
} from "./conflicts.ts";
import { type Change, change, isChangedMeanwhile, type LedgerDatabase } from "./database.ts";
import { changeDayUses, makeDayUses, type UseName } from "./day-uses.ts";
import { type DeadLetterRow, putDeadLetters, removeDeadLetters } from "./dead-letters.ts";
import { addForwards } from "./forwards.ts";
import {
  assertObjects,
  type ObjectRow,
  type ObjectVersion,
  putObjects,
  type ReplacedOutcome,
  removeObjects,
  replaceOutcomes,
} from "./objects.ts";
import { type NotedObject, noteOthers } from "./other-objects.ts";
import type { ReportReference } from "./report-rows.ts";
import {
  assertReports,
  putReports,
  putStates,
  type ReportWrite,
  recomputeDays,
  removeRows,
  type TouchedDay,
} from "./reports.ts";
import { type SlicesRow, trimSlices } from "./slices.ts";

/** Everything one batch changes. */
export interface BatchChanges {
  objects: ObjectRow[];
  /** Objects that moved to another database: all their rows here are removed. */
  movedObjects: ObjectVersion[];
  /** Reports accepted, replaced, retracted or taken back, each with the row it was looked up by. */
  reports: { write: ReportWrite; reference: ReportReference }[];
  /** Reports to forward: accepted now, or with other content than before. */
  forwards: ReportReference[];
  deadLetters: DeadLetterRow[];
  conflicts: ConflictRow[];
  /** Ids of resolved dead letters and conflicts. */
  closedDeadLetters: string[];
  closedConflicts: string[];
  /** Versions that count from now on, for the conflicts of their reports: one of each report. */
  acceptedVersions: AcceptedVersion[];
  /** Outcomes of objects with reports that others have replaced. */
  replacedOutcomes: ReplacedOutcome[];
  /** Reports whose points were enqueued in slices, and how many (slices.ts). */
  slices: SlicesRow[];
  /** Objects to note with reports that others brought (other-objects.ts). */
  noted: NotedObject[];
  /** Uses of budgets of which there are no sums yet, and should be. */
  usesToSum: UseName[];
  /** Other statements of the transaction: decisions, marks of slices. */
  others: Change[];
}

/** Empty changes, to be filled. */
export function noChanges(): BatchChanges {
  return {
    objects: [],
    movedObjects: [],
    reports: [],
    forwards: [],
    deadLetters: [],
    conflicts: [],
    closedDeadLetters: [],
    closedConflicts: [],
    acceptedVersions: [],
    replacedOutcomes: [],
    slices: [],
    noted: [],
    usesToSum: [],
    others: [],
  };
}

/**
 * Commits a batch.
 *
 * @param nowSeconds seconds since 1970 UTC
 * @returns `changed` if the ledger has changed since the lookup: nothing was written
 * @throws whatever D1 throws; safe to repeat
 */
export async function commitBatch(
  database: LedgerDatabase,
  batch: BatchChanges,
  nowSeconds: number,
): Promise<{ state: "committed"; rowsRead: number; rowsWritten: number } | { state: "changed" }> {
  try {
    const results = await change(database, await changesOf(batch, nowSeconds));
    const sum = (cost: (meta: { rows_read?: number; rows_written?: number }) => number | undefined): number =>
      results.reduce((total, { meta }) => total + (cost(meta) ?? 0), 0);
    return {
      state: "committed",
      rowsRead: sum((meta) => meta.rows_read),
      rowsWritten: sum((meta) => meta.rows_written),
    };
  } catch (error) {
    if (isChangedMeanwhile(error)) return { state: "changed" };
    throw error;
  }
}

async function changesOf(batch: BatchChanges, nowSeconds: number): Promise<Change[]> {
  const { objects, movedObjects, reports, forwards, deadLetters, conflicts } = batch;
  const { closedDeadLetters, closedConflicts, acceptedVersions, replacedOutcomes, slices, usesToSum, noted, others } =
    batch;
  const changes: Change[] = [];
  const versions = [...objects, ...movedObjects];
  if (versions.length > 0) changes.push(await assertObjects(versions));
  if (reports.length > 0) {
    const writes = reports.map(({ write }) => write);
    changes.push(
      ...assertReports(
        writes,
        reports.map(({ reference }) => reference),
      ),
    );
    const withContent = writes.filter(({ shares }) => shares.length > 0);
    changes.push(...removeRows(withContent));
    for (const some of bySize(withContent.flatMap(rowByRow), reportChars)) changes.push(putReports(some));
    const withoutContent = writes.filter(({ shares }) => shares.length === 0);
    changes.push(...putStates(withoutContent));
    changes.push(...recomputeDays(touchedDays(writes)));
  }
  if (forwards.length > 0) changes.push(addForwards(forwards, nowSeconds));
  for (const some of bySize(deadLetters, jsonChars)) changes.push(putDeadLetters(some));
  for (const some of bySize(conflicts, jsonChars)) changes.push(putConflicts(some));
  if (closedDeadLetters.length > 0) changes.push(removeDeadLetters(closedDeadLetters));
  if (closedConflicts.length > 0) changes.push(removeConflicts(closedConflicts));
  for (const some of bySize(slices, jsonChars)) changes.push(trimSlices(some, nowSeconds));
  for (const some of bySize(objects, jsonChars))
    changes.push(await changeDayUses(some, []), await putObjects(some, nowSeconds));
  if (movedObjects.length > 0) changes.push(await changeDayUses([], movedObjects), await removeObjects(movedObjects));
  changes.push(...makeDayUses(usesToSum));
  for (const some of bySize(acceptedVersions, jsonChars)) changes.push(putAcceptedVersions(some));
  for (const some of bySize(replacedOutcomes, jsonChars)) changes.push(await replaceOutcomes(some));
  for (const some of bySize(noted, jsonChars)) changes.push(...noteOthers(some));
  changes.push(...others);
  return changes;
}

// A report over a month has some 35 rows, which together may exceed one parameter.
function rowByRow(write: ReportWrite): ReportWrite[] {
  return write.shares.length === 1 ? [write] : write.shares.map((share) => ({ ...write, shares: [share] }));
}

/** Days that these reports count for, or did before. */
function touchedDays(writes: readonly ReportWrite[]): TouchedDay[] {
  const days = new Map<string, TouchedDay>();
  for (const { account, kind, shares, spreadBefore } of writes) {
    const spread = [...spreadBefore, ...shares.map(({ domain, day }): [string, number] => [domain, day])];
    for (const [domain, day] of spread)
      days.set(JSON.stringify([account, kind, domain, day]), { account, kind, domain, day });
  }
  return [...days.values()];
}

/** Splits a list so that each part fits one parameter; a single row always fits (its figures are in chunks). */
function* bySize<Row>(rows: readonly Row[], charsOf: (row: Row) => number): Generator<Row[]> {
  let some: Row[] = [];
  let chars = 0;
  for (const row of rows) {
    const size = charsOf(row);
    if (some.length > 0 && chars + size > D1_LIMITS.maxParameterChars) {
      yield some;
      some = [];
      chars = 0;
    }
    some.push(row);
    chars += size;
  }
  if (some.length > 0) yield some;
}

/** Ours: characters that a report's row has at most besides details and figures. */
const COLUMN_CHARS = 2000;

// JSON within JSON: quotes are escaped.
function reportChars({ shares }: ReportWrite): number {
  return shares.reduce(
    (sum, { figures, details: { spread: _, ...details } }) =>
      sum + COLUMN_CHARS + 2 * JSON.stringify(details).length + 2 * (figures?.[0]?.length ?? 0),
    0,
  );
}

function jsonChars(row: object): number {
  return 2 * JSON.stringify(row).length;
}
