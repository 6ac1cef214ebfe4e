/** Outcomes of reports over a period, and how long reports took, from the ledger. */
import {
  type LatencyDay,
  latenciesQuery,
  type OutcomeCount,
  type OutcomeStep,
  outcomeStepsQuery,
  readLatencies,
} from "../../../shared/ledger/activity.ts";
import type { LedgerRequest } from "./ledger-request.ts";
import type { Period } from "./period.ts";

/** What is known. */
export interface OutcomeHistory {
  /** What outcomes are counted by. */
  step: OutcomeStep;
  outcomes: OutcomeCount[];
  latency: LatencyDay[];
}

/** A single day is counted by the hour. */
export function stepOf({ firstDay, lastDay }: Period): OutcomeStep {
  return firstDay === lastDay ? "hour" : "day";
}

/** Asks for it. */
export async function askOutcomeHistory(request: LedgerRequest, period: Period): Promise<OutcomeHistory> {
  const step = stepOf(period);
  const [outcomes, latencies] = await Promise.all([
    request.ask(outcomeStepsQuery(period, step)),
    request.ask(latenciesQuery(period)),
  ]);
  return { step, outcomes, latency: readLatencies(latencies) };
}
