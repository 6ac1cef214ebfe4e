/**
 * Points are written before the ledger says whose report it is. Where an object's were not the last word, those of the
 * accepted report may be mixed with them under one generation: the accepted one is run again, above both.
 */
import type { SettledObject } from "../../shared/ledger/objects.ts";
import { findReports, type HeldReport } from "../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import type { Invocation } from "./env.ts";
import { reportOf } from "./lookup.ts";

/** The message that writes the points of an accepted report above `generation`. */
export function runAbove(
  { rawKey: key, rua, receivedSeconds, ...held }: HeldReport,
  generation: number,
): ReportMessage {
  const above = Math.floor(Math.max(generation, held.generation)) + 1;
  return { v: 1, kind: "report", key, rua, receivedSeconds, generation: above };
}

/** Such messages for what became duplicates or conflicts of a settled object. */
export async function strayMessages(
  { outcomes }: SettledObject,
  { key, generation = 1 }: ReportMessage,
  { ledger }: Invocation,
): Promise<ReportMessage[]> {
  const references = outcomes.flatMap((outcome) =>
    outcome.outcome === "duplicate" || outcome.outcome === "conflict" ? [reportOf(outcome)] : [],
  );
  const { reports } = await findReports(ledger, references);
  return [...reports.values()]
    .filter(({ rawKey, state }) => rawKey !== key && state === "accepted")
    .map((held) => runAbove(held, generation));
}
