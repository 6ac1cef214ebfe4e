/** Events of dead letters and conflicts: filed, and solved. That one is solved is written before it goes. */
import type { DataPoint } from "../../shared/analytics/columns.ts";
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { type DeadLetterRow, findDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { type EventOutcome, eventPoint, type PipelineEvent, supersedingGeneration } from "./events.ts";

/** The event that a letter was filed. */
export function letterEvent(letter: DeadLetterRow): PipelineEvent {
  const { id, rawKey, part, generation, receivedSeconds, account, rua, domain, code } = letter;
  return { id, outcome: "dead_letter", rawKey, part, generation, receivedSeconds, account, rua, domain, code };
}

/** The event that a letter is no more: the same id, a generation above. */
export function closedLetter(letter: DeadLetterRow, outcome: EventOutcome): PipelineEvent {
  return { ...letterEvent(letter), outcome, generation: supersedingGeneration(letter.generation) };
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

/** Events that letters were cleared; one that is not there was cleared before. */
export async function clearedEvents(
  ids: readonly string[],
  { ledger, attempts, nowSeconds }: { ledger: LedgerDatabase; attempts: number; nowSeconds: number },
): Promise<DataPoint[]> {
  if (ids.length === 0) return [];
  const letters = await findDeadLetters(ledger, ids);
  return letters.map((letter) => eventPoint(closedLetter(letter, "cleared"), attempts, nowSeconds));
}
