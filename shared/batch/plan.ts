/** What was decided about a batch of raw objects: what the ledger is to hold, and which points are to be written. */
import type { DataPoint } from "../analytics/columns.ts";
import type { BatchChanges } from "../ledger/commit-batch.ts";
import type { OtherObject } from "../ledger/other-objects.ts";
import type { Outcome } from "../ledger/outcomes.ts";
import type { ReportReference } from "../ledger/report-rows.ts";
import type { ReportMessage } from "../messages.ts";
import type { ReadObject } from "./object.ts";
import type { PointWork } from "./report-writes.ts";

/** The decision about one object. */
export interface ObjectPlan {
  object: ReadObject;
  /** Why nothing changes; undefined when something does. */
  left: string | undefined;
  outcomes: Outcome[];
  records: number;
  points: PointWork[];
  /** Events for dead letters and conflicts that are resolved, written before those rows are removed. */
  events: DataPoint[];
  /**
   * Reports accepted from other objects, to be rerun so that their points outrank any this object may have left behind.
   */
  again: ReportMessage[];
  rawRemoved: boolean;
}

/** The decision about a whole batch. */
export interface BatchPlan {
  objects: ObjectPlan[];
  changes: BatchChanges;
  /** Reports that stop counting: objects noted with them are read again. */
  retracted: ReportReference[];
  /** Objects of this batch that brought such reports too. */
  orphans: OtherObject[];
}
