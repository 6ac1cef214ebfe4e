/** The dead letters and conflicts that outcomes of objects name, by id. */
import { type ConflictRow, findConflicts } from "../../../shared/ledger/conflicts.ts";
import type { LedgerDatabase } from "../../../shared/ledger/database.ts";
import { type DeadLetterRow, findDeadLetters } from "../../../shared/ledger/dead-letters.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";

export interface Filed {
  deadLetters: ReadonlyMap<string, DeadLetterRow>;
  conflicts: ReadonlyMap<string, ConflictRow>;
}

/** The ids in outcomes of one name. */
export function idsOf(outcomes: readonly Outcome[], name: Outcome["outcome"]): string[] {
  return outcomes.filter(({ outcome }) => outcome === name).map(({ id }) => id);
}

/** Finds them in a database; those that are not there are left out. @throws whatever D1 throws */
export async function findFiled(
  ids: { deadLetters: readonly string[]; conflicts: readonly string[] },
  ledger: LedgerDatabase,
): Promise<Filed> {
  const deadLetters = await findDeadLetters(ledger, ids.deadLetters);
  return filedById({ deadLetters, conflicts: await findConflicts(ledger, ids.conflicts) });
}

/** Rows that were found or are about to be written, by id. */
export function filedById({
  deadLetters,
  conflicts,
}: {
  deadLetters: readonly DeadLetterRow[];
  conflicts: readonly ConflictRow[];
}): Filed {
  return {
    deadLetters: new Map(deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
  };
}
