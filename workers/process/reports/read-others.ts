/**
 * When a report stops counting, or counts again, the objects that brought it too are read again: one of them counts then,
 * or is trusted more. The messages are sent before the transaction, so that none is missing after it, and come when it has
 * ended in any case.
 */

import { ask } from "../../../shared/ledger/database.ts";
import { type OtherObject, othersQuery } from "../../../shared/ledger/other-objects.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import type { Invocation } from "../env.ts";

/** Reports that are about to stop counting or to count again, and objects known besides those that are noted with them. */
export interface Changing {
  reports: readonly ReportReference[];
  orphans?: readonly OtherObject[];
}

/**
 * Enqueues those objects.
 *
 * @param afterSeconds the transaction has ended by then
 * @throws whatever D1 or the queue throws
 */
export async function readOthersAgain(
  { reports, orphans = [] }: Changing,
  afterSeconds: number,
  { env, ledger, nowSeconds }: Invocation,
): Promise<void> {
  if (reports.length === 0) return;
  const noted = await ask(ledger, othersQuery(reports));
  const others = new Map([...noted, ...orphans].map((other) => [other.rawKey, other]));
  for (const { rawKey: key, rua, receivedSeconds } of others.values()) {
    // Above anything that is read until then.
    const generation = nowSeconds + afterSeconds;
    await env.QUEUE_REPORTS.send(
      { v: 1, kind: "report", key, rua, receivedSeconds, generation },
      { delaySeconds: afterSeconds },
    );
  }
}
