/**
 * When a report stops counting or counts again, the other objects that brought it are read again: one of them may now
 * count, or be more credible. Their messages are sent before the transaction, so that none can be lost after it, and
 * are delayed until it must have ended.
 */

import { ask } from "../../../shared/ledger/database.ts";
import { type OtherObject, othersQuery } from "../../../shared/ledger/other-objects.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { messageAbout } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";

/**
 * Reports about to stop counting or to count again, and objects to read again besides those noted with these reports.
 */
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
  // Higher than any generation read until then.
  const generation = nowSeconds + afterSeconds;
  for (const other of others.values())
    await env.QUEUE_REPORTS.send(messageAbout(other, { generation }), { delaySeconds: afterSeconds });
}
