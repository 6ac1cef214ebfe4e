/**
 * Points are written before the ledger decides which report counts. If a report is not accepted after all, its points
 * and those of the accepted report may share a generation; the accepted report is then rerun under a higher one. Pure.
 */
import type { LedgerReport } from "../ledger/reports.ts";
import { messageAbout, type ReportMessage } from "../messages.ts";

/** Points that may have been left behind. */
interface LeftBehind {
  generation: number;
  points: number;
}

/** The message that reruns an accepted report above stray points, and covers as many as there were. */
export function runAbove(held: LedgerReport, { generation, points: coversPoints }: LeftBehind): ReportMessage {
  const above = Math.floor(Math.max(generation, held.generation)) + 1;
  const coversUids = [held.reference.uid];
  return messageAbout(held, { generation: above, coversPoints, coversUids });
}

/** The points left behind of a report that a message is to cover; undefined if it covers none of that report's. */
export function coveredPoints({ coversPoints, coversUids }: ReportMessage, uid: string): number | undefined {
  return coversUids === undefined || coversUids.includes(uid) ? coversPoints : undefined;
}

/** What two messages about one object cover together. */
export function coveredByBoth(
  one: ReportMessage,
  other: ReportMessage,
): Pick<ReportMessage, "coversPoints" | "coversUids"> {
  const covering = [one, other].filter(({ coversPoints }) => coversPoints !== undefined);
  if (covering.length === 0) return {};
  const isAny = covering.some(({ coversUids }) => coversUids === undefined);
  return {
    coversPoints: Math.max(...covering.map(({ coversPoints }) => coversPoints ?? 0)),
    coversUids: isAny ? undefined : [...new Set(covering.flatMap(({ coversUids }) => coversUids ?? []))],
  };
}
