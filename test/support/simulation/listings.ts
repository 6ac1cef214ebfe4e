/** Support: the listings that the dashboard reads from the ledger, of a simulated simulation. */
import { type ConflictRow, conflictsQuery } from "../../../shared/ledger/conflicts.ts";
import {
  type DeadLetterQuestion,
  type DeadLetterRow,
  deadLetterPageQuery,
  deadLettersNamedQuery,
} from "../../../shared/ledger/dead-letters.ts";
import { askAll, type Shards } from "../../../shared/ledger/shards.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { type Page, pageOf } from "../../../shared/operations.ts";

interface Asked {
  shards: Shards;
}

/** A page of dead letters, oldest day first. @throws Error with what is wrong with the question */
export async function listDeadLetters(question: DeadLetterQuestion, { shards }: Asked): Promise<Page<DeadLetterRow>> {
  const query = deadLetterPageQuery(question);
  if (!query.ok) throw new Error(query.error);
  return pageOf(await askAll(shards.all, query.value), PAGE_LIMITS.deadLetters);
}

/** One dead letter; undefined when there is none. */
export async function getDeadLetter(id: string, { shards }: Asked): Promise<DeadLetterRow | undefined> {
  const [found] = await askAll(shards.all, deadLettersNamedQuery([id]));
  return found;
}

/** A page of conflicts, oldest day first. */
export async function listConflicts(cursor: string | undefined, { shards }: Asked): Promise<Page<ConflictRow>> {
  const limit = PAGE_LIMITS.deadLetters;
  return pageOf(await askAll(shards.all, conflictsQuery({ after: cursor, limit })), limit);
}
