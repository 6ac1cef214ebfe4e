/**
 * Whether the stores of the pipeline answer: one row of each database, one value of KV, the backlog of each queue; and
 * when cron last ran. Reads only.
 */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { anyAccountQuery } from "../../../shared/ledger/accounts.ts";
import { ask } from "../../../shared/ledger/database.ts";
import { lastRoundSeconds } from "../../../shared/ledger/domain-verdicts.ts";
import { findCopy } from "../../../shared/registry.ts";
import { backlog } from "../backlog.ts";
import type { Invocation } from "../env.ts";

/** An address that is never registered: KV answers that, or does not answer. */
const NOBODY = "health@invalid";

/** Asks all of them at once. @throws nothing: a store that does not answer is false, or left out */
export async function readHealth({ env, shards }: Invocation): Promise<Outputs["health"]> {
  const answers = (work: Promise<unknown>): Promise<boolean> => work.then(() => true).catch(() => false);
  const [registry, ledger, roundSeconds, queues] = await Promise.all([
    answers(findCopy(env.KV_DMARC_REPORTS, NOBODY)),
    answers(Promise.all(shards.all.map((database) => ask(database, anyAccountQuery())))),
    lastRoundSeconds(shards.directory).catch(() => 0),
    Promise.allSettled([
      backlog("dmarc-reports", env.QUEUE_REPORTS),
      backlog("dmarc-points", env.QUEUE_POINTS),
      backlog("dmarc-dead-letters", env.QUEUE_DEAD_LETTERS),
    ]),
  ]);
  const answered = queues.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return {
    ledger,
    registry,
    queues: answered.map(({ queue, messages, oldestSeconds }) => ({ queue, messages, oldestSeconds })),
    roundSeconds,
  };
}
