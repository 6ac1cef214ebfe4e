/** What the decisions about the objects of one batch share: what is known, what is claimed, and what is to be written. */
import { Claims } from "../ledger/claims.ts";
import { type BatchChanges, noChanges } from "../ledger/commit-batch.ts";
import type { ReportVersion } from "../ledger/conflicts.ts";
import type { NotedObject } from "../ledger/other-objects.ts";
import type { ReportReference } from "../ledger/report-rows.ts";
import type { LedgerReport } from "../ledger/reports.ts";
import { removeOlderSlices } from "../ledger/slices.ts";
import { type DayBudget, type ObjectUse, takeBudget } from "./budgets.ts";
import type { LedgerSnapshot, ReadObject } from "./object.ts";
import type { BatchPlan } from "./plan.ts";

/** What decisions depend on. */
export interface DecisionContext {
  known: LedgerSnapshot;
  budget: DayBudget;
  /** Whether this invocation has already written points of a report for an object, in any generation. */
  hasWritten(rawKey: string, uid: string): boolean;
  nowSeconds: number;
}

/** State shared by the objects of a batch. */
export class BatchDecision {
  readonly context: DecisionContext;
  readonly claims: Claims;
  readonly changes = noChanges();
  /** By uid: when a batch writes one report twice, the later write counts. */
  readonly writes = new Map<string, BatchChanges["reports"][number]>();
  /** By uid: versions that count from now on in place of others. */
  readonly acceptedVersions = new Map<string, ReportVersion>();
  /** Objects whose reports are duplicates of others or in conflict with them. */
  readonly noted: NotedObject[] = [];
  /** Reports of which another version counts from now on. */
  readonly displaced: ReportReference[] = [];

  constructor(context: DecisionContext) {
    this.context = context;
    this.claims = new Claims(context.known.held);
  }

  /** The report as the ledger holds it, regardless of what this batch has decided since. */
  stored(uid: string): LedgerReport | undefined {
    return this.context.known.held.reports.get(uid);
  }

  /** Charges an object to the daily budgets. @returns false if it does not fit */
  take(object: ReadObject, use: ObjectUse): boolean {
    const { known, budget } = this.context;
    return takeBudget(object, use, { used: known.used, budget });
  }

  /**
   * Reports that stop counting, or whose version does, and objects of this batch that brought them: all their objects
   * are read again.
   */
  left(): Pick<BatchPlan, "retracted" | "orphans"> {
    const covered = [...this.writes.values()].filter(({ write }) => write.state === "retracted");
    const retracted = [...covered.map(({ reference }) => reference), ...this.displaced];
    const uids = new Set(retracted.map(({ uid }) => uid));
    return {
      retracted,
      orphans: this.noted.filter(({ reference }) => uids.has(reference.uid)).map(({ other }) => other),
    };
  }

  /** Everything the batch changes. */
  close(): BatchChanges {
    const reports = [...this.writes.values()];
    const again = reports.map(({ write }) => write).filter(({ generation }) => generation > 1);
    if (again.length > 0) this.changes.others.push(removeOlderSlices(again));
    const noted = this.noted.flatMap((one) => {
      const written = this.writes.get(one.reference.uid)?.write;
      if (written === undefined) return [one];
      // Another object of the batch may have brought the version that counts now.
      return written.state === one.state ? [{ ...one, contentHash: written.contentHash }] : [];
    });
    const acceptedVersions = [...this.acceptedVersions].map(([uid, accepted]) => ({ uid, accepted }));
    return { ...this.changes, reports, noted, acceptedVersions, usesToSum: this.context.known.usesToSum };
  }
}
