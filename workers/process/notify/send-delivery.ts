/**
 * Attempts to deliver things to a channel. A failure at the other end is not a fault of the platform: it is stored with
 * the delivery, which is tried again with growing delays, for three days. A channel that does not answer at all is left
 * alone for a while, with everything that waits for it, so that it holds up nobody else.
 */

import { growingDelaySeconds } from "../../../shared/backoff.ts";
import {
  catchUp,
  channelQuery,
  claimDelivery,
  type Delivery,
  endAttempt,
  leaveAlone,
} from "../../../shared/ledger/channels.ts";
import { ask, type Change, change } from "../../../shared/ledger/database.ts";
import { NOTIFY_LIMITS } from "../../../shared/limits.ts";
import type { Channel } from "../../../shared/notify/channel.ts";
import type { Invocation } from "../env.ts";
import { type Attempt, refused, sendTo } from "./send-to-channel.ts";

/** The outcome of a delivery; `not_now` = it was not attempted. */
type Outcome = "sent" | "retry" | "failed" | "not_now";

/**
 * Attempts deliveries to one channel of the invocation's database, one after the other, until it does not answer, or asks to wait.
 *
 * @returns the outcome of each that was attempted, for the log
 * @throws whatever D1 throws; an attempt whose end could not be noted is repeated, with the same id
 */
export async function attemptDeliveries(ids: readonly string[], invocation: Invocation): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    const { outcome, takesMore } = await attemptDelivery(id, invocation);
    outcomes.push(outcome);
    if (!takesMore) break;
  }
  return outcomes;
}

async function attemptDelivery(id: string, invocation: Invocation): Promise<{ outcome: Outcome; takesMore: boolean }> {
  const { ledger, nowSeconds } = invocation;
  const delivery = await claimDelivery(ledger, id, nowSeconds);
  if (delivery === undefined) return { outcome: "not_now", takesMore: true };
  const [channel] = await ask(ledger, channelQuery(delivery.account, delivery.channel));
  const attempt =
    channel === undefined ? refused("The channel was removed.") : await sendTo(channel, delivery, invocation);
  const end = endOf(delivery, attempt, nowSeconds);
  const noted = channel === undefined ? [] : noteAnswer(channel, attempt, nowSeconds);
  await change(ledger, [endAttempt(id, end, nowSeconds), ...noted]);
  const takesMore = attempt.isAnswered && attempt.waitSeconds === undefined;
  return { outcome: end.state === "waiting" ? "retry" : end.state, takesMore };
}

function endOf(
  { attempts, createdSeconds }: Delivery,
  { isSent, result, waitSeconds = 0, retrySeconds = 0 }: Attempt,
  nowSeconds: number,
): Pick<Delivery, "state" | "result" | "nextSeconds"> {
  if (isSent) return { state: "sent", result, nextSeconds: 0 };
  const nextSeconds = nowSeconds + Math.max(waitSeconds, retrySeconds, growingDelaySeconds(attempts, NOTIFY_LIMITS));
  const isOver = nextSeconds > createdSeconds + NOTIFY_LIMITS.giveUpSeconds;
  return { state: isOver ? "failed" : "waiting", result, nextSeconds: isOver ? 0 : nextSeconds };
}

function noteAnswer({ id, unanswered }: Channel, { isAnswered, waitSeconds }: Attempt, nowSeconds: number): Change[] {
  if (waitSeconds !== undefined) return leaveAlone(id, nowSeconds + waitSeconds);
  if (!isAnswered) return leaveAlone(id, nowSeconds + growingDelaySeconds(unanswered + 1, NOTIFY_LIMITS));
  return unanswered > 0 ? catchUp(id, nowSeconds) : [];
}
