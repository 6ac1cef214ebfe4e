/**
 * Builds what is written for a report, to the ledger and as points, when it is accepted and when it stops counting.
 * Pure.
 */
import type { DataPoint } from "../analytics/columns.ts";
import { eventPoint, supersedingGeneration } from "../analytics/events.ts";
import type { ReportLabel } from "../analytics/points.ts";
import type { Claim } from "../ledger/claims.ts";
import type { ReportShare, ReportState } from "../ledger/report-rows.ts";
import type { LedgerReport, ReportWrite } from "../ledger/reports.ts";
import type { FoundReport } from "./read-object.ts";

/** Points of one report, to be written before the ledger counts the report. */
export interface PointWork {
  rua: string;
  rawKey: string;
  account: string;
  uid: string;
  generation: number;
  receivedSeconds: number;
  label: ReportLabel;
  /** The report the points belong to; undefined when only older points are covered. */
  found: FoundReport | undefined;
  shares: readonly ReportShare[];
  /**
   * The most points any generation has written; those beyond this report's own are covered by points that count
   * nothing.
   */
  highestPoints: number;
  /** The event, written with the last of the points. */
  event: DataPoint;
}

type Written = Pick<ReportWrite, "generation" | "highestPoints">;

/** The ledger rows of a claimed report, without its shares. */
export function writeOf(claim: Omit<Claim, "generation">, { generation, highestPoints }: Written): ReportWrite {
  const { reference, contentHash, reporter, reportId, beginSeconds, endSeconds, receivedSeconds } = claim;
  const { rua, rawKey, part, points, sender } = claim;
  return {
    account: reference.account,
    kind: reference.kind,
    uid: reference.uid,
    version: 0,
    generation,
    state: "accepted",
    contentHash,
    reporter,
    reportId,
    beginSeconds,
    endSeconds,
    receivedSeconds,
    rua,
    rawKey,
    part,
    points,
    highestPoints,
    sender,
    shares: [],
    spreadBefore: [],
  };
}

/** Identifies the points of a claimed report, without the points themselves. */
export function workOf(claim: Claim & { highestPoints: number }): Omit<PointWork, "found" | "shares" | "event"> {
  const { reference, rua, rawKey, generation, receivedSeconds, highestPoints } = claim;
  const { reporter, reportId, policy, beginSeconds, endSeconds } = claim;
  const { account, uid, kind, domain } = reference;
  return {
    rua,
    rawKey,
    account,
    uid,
    generation,
    receivedSeconds,
    label: { kind, domain, reporter, reportId, policy, beginSeconds, endSeconds },
    highestPoints,
  };
}

/**
 * Takes a report out of the sums: its rows stay but count nothing, and its points are covered by points that count
 * nothing.
 *
 * @param above the highest generation its points may have been written under
 */
export function coverReport(
  held: LedgerReport,
  { state, above }: { state: Exclude<ReportState, "accepted">; above: number },
  { attempts, nowSeconds }: { attempts: number; nowSeconds: number },
): { write: ReportWrite; work: PointWork } {
  const { reference, rawKey, part, rua, receivedSeconds, reporter } = held;
  const { uid: id, account, kind, domain } = reference;
  const generation = supersedingGeneration(Math.max(held.generation, above));
  const event = eventPoint(
    { id, outcome: "retracted", rawKey, part, generation, receivedSeconds, account, rua, kind, domain, reporter },
    attempts,
    nowSeconds,
  );
  const write = writeOf(held, { generation, highestPoints: held.highestPoints });
  return {
    write: { ...write, state, version: held.version, spreadBefore: held.spread },
    work: { ...workOf({ ...held, generation }), found: undefined, shares: [], event },
  };
}
