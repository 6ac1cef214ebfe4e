/** What is written of a report, to the ledger and as points: when it is accepted, and when it counts no more. Pure. */
import type { DataPoint } from "../../shared/analytics/columns.ts";
import { eventPoint, supersedingGeneration } from "../../shared/analytics/events.ts";
import type { ReportLabel } from "../../shared/analytics/points.ts";
import type { Claim } from "../../shared/ledger/claims.ts";
import type { ReportShare } from "../../shared/ledger/report-rows.ts";
import type { HeldReport, ReportState, ReportWrite } from "../../shared/ledger/reports.ts";
import type { FoundReport } from "./read-object.ts";

/** Points of one report, to be written before the ledger counts it. */
export interface PointWork {
  rua: string;
  rawKey: string;
  account: string;
  uid: string;
  generation: number;
  receivedSeconds: number;
  label: ReportLabel;
  /** The report whose points they are; undefined when only older ones are covered. */
  found: FoundReport | undefined;
  shares: readonly ReportShare[];
  /** Points of any generation: those beyond the report's own are covered by points that count nothing. */
  highestPoints: number;
  /** Told with the last of them. */
  event: DataPoint;
}

type Written = Pick<ReportWrite, "generation" | "highestPoints">;

/** The rows of a claimed report, without its shares. */
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

/** Whose points they are, without the points. */
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
 * Takes a report out of the sums: its rows stay and count nothing, its points are covered by points that count nothing.
 *
 * @param above a generation under which points of it may have been written
 */
export function coverReport(
  held: HeldReport,
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
