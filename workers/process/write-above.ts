/**
 * Points are written before the ledger says whose report it is. Where an object's were not the last word, those of the
 * accepted report may be mixed with them under one generation: the accepted one is run again, above both.
 */
import type { FinishedObject } from "../../shared/ledger/objects.ts";
import { findReports, type HeldReport } from "../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import type { Invocation } from "./env.ts";
import { reportOf } from "./lookup.ts";

/** What may have been left behind. */
interface LeftBehind {
  generation: number;
  points: number;
}

/** The message that writes the points of an accepted report above others, and covers as many as those were. */
export function runAbove(
  { rawKey: key, rua, receivedSeconds, ...held }: HeldReport,
  { generation, points: coversPoints }: LeftBehind,
): ReportMessage {
  const above = Math.floor(Math.max(generation, held.generation)) + 1;
  return { v: 1, kind: "report", key, rua, receivedSeconds, generation: above, coversPoints };
}

/** Such messages for what became duplicates or conflicts of a finished object. */
export async function messagesToWriteAbove(
  { outcomes }: FinishedObject,
  { key, generation = 1, coversPoints = 0 }: ReportMessage,
  { ledger }: Invocation,
): Promise<ReportMessage[]> {
  const strays = outcomes.filter((outcome) => outcome.outcome === "duplicate" || outcome.outcome === "conflict");
  const { reports } = await findReports(ledger, strays.map(reportOf));
  return strays.flatMap((stray) => {
    const held = reports.get(reportOf(stray).uid);
    if (held === undefined || held.rawKey === key || held.state !== "accepted") return [];
    return [runAbove(held, { generation, points: Math.max(stray.points, coversPoints) })];
  });
}
