/** Events of dead letters and conflicts: filed, and solved. That one is solved is written before it goes. */
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import { type EventOutcome, type PipelineEvent, supersedingGeneration } from "./events.ts";

/** The event that a dead letter was filed. */
export function deadLetterEvent(deadLetter: DeadLetterRow): PipelineEvent {
  const { id, rawKey, part, generation, receivedSeconds, account, rua, domain, code } = deadLetter;
  return { id, outcome: "dead_letter", rawKey, part, generation, receivedSeconds, account, rua, domain, code };
}

/** The event that a dead letter is no more: the same id, a generation above. */
export function closedDeadLetter(deadLetter: DeadLetterRow, outcome: EventOutcome): PipelineEvent {
  return { ...deadLetterEvent(deadLetter), outcome, generation: supersedingGeneration(deadLetter.generation) };
}

/** The event that a conflict was filed. */
export function conflictEvent({ id, account, domain, kind, reporter, other }: ConflictRow): PipelineEvent {
  const { rawKey, part, rua, receivedSeconds, generation } = other;
  const place = { rawKey, part, generation, receivedSeconds, account, rua };
  return { id, outcome: "conflict", ...place, kind, domain, reporter };
}

/** The event that a conflict is no more. */
export function closedConflict(conflict: ConflictRow, outcome: EventOutcome): PipelineEvent {
  return { ...conflictEvent(conflict), outcome, generation: supersedingGeneration(conflict.other.generation) };
}
