/** Events of what is solved: a dead letter or a conflict that is no more. Written before it goes, so that none is missing. */
import type { DataPoint } from "../../shared/analytics/columns.ts";
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { type DeadLetterRow, findDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { letterEvent } from "./dead-letters.ts";
import { type EventOutcome, eventPoint, type PipelineEvent, supersedingGeneration } from "./events.ts";

/** The event that a letter is no more: the same id, a generation above. */
export function closedLetter(letter: DeadLetterRow, outcome: EventOutcome): PipelineEvent {
  return { ...letterEvent(letter), outcome, generation: supersedingGeneration(letter.generation) };
}

/** The event that a conflict is no more. */
export function closedConflict(conflict: ConflictRow, outcome: EventOutcome): PipelineEvent {
  const { id, account, domain, kind, reporter, other } = conflict;
  const { rawKey, part, rua, receivedSeconds } = other;
  const generation = supersedingGeneration(other.generation);
  return { id, outcome, rawKey, part, generation, receivedSeconds, account, rua, kind, domain, reporter };
}

/** Events that letters were cleared; one that is not there was cleared before. */
export async function clearedEvents(
  ids: readonly string[],
  { ledger, attempts, nowSeconds }: { ledger: LedgerDatabase; attempts: number; nowSeconds: number },
): Promise<DataPoint[]> {
  if (ids.length === 0) return [];
  const letters = await findDeadLetters(ledger, ids);
  return letters.map((letter) => eventPoint(closedLetter(letter, "cleared"), attempts, nowSeconds));
}
