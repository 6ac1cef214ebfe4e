/** Changes what objects record of their parts, in one transaction with what that follows from. */
import { commitBatch, noChanges } from "../../../shared/ledger/commit-batch.ts";
import type { Change } from "../../../shared/ledger/database.ts";
import { type FinishedObject, findObjects, type ObjectReference } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { Invocation } from "../env.ts";

/** What is to be changed. */
interface ChangedOutcomes {
  /** The objects; several references of one are one. */
  references: readonly ObjectReference[];
  /** The outcomes of an object from now on; undefined = it stays as it is. */
  outcomesOf(object: FinishedObject): Outcome[] | undefined;
  others: Change[];
}

/** Changes them, again where others change the same objects meanwhile. @throws whatever D1 throws; Error if that never ends */
export async function changeOutcomes(
  { references, outcomesOf, others }: ChangedOutcomes,
  { ledger, nowSeconds }: Invocation,
): Promise<void> {
  const named = new Map(references.map((one) => [one.rawKey, one]));
  for (let attempt = 1; attempt <= PROCESS_LIMITS.maxDecisions; attempt++) {
    const finished = await findObjects(ledger, [...named.values()]);
    const objects = [...finished.values()].flatMap((object) => {
      const reference = named.get(object.rawKey);
      const outcomes = outcomesOf(object);
      if (reference === undefined || outcomes === undefined) return [];
      return [{ ...object, rua: reference.rua, receivedSeconds: reference.receivedSeconds, outcomes }];
    });
    const { state } = await commitBatch(ledger, { ...noChanges(), objects, others }, nowSeconds);
    if (state === "committed") return;
  }
  throw new Error(`The objects ${[...named.keys()].join(", ")} are changed by others all the time.`);
}
