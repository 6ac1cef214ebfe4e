/** Adds, removes and tests channels of an account. */
import type { Inputs, Outputs } from "../../shared/contract/operations.ts";
import type { Answer } from "../../shared/contract/problems.ts";
import type { Caller } from "../../shared/contract/rpc.ts";
import { channelOf } from "../../shared/contract/shapes.ts";
import { toHex } from "../../shared/identity.ts";
import { addChannel, addDelivery, channelQuery, deliveryId, removeChannel } from "../../shared/ledger/channels.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { NOTIFY_LIMITS } from "../../shared/limits.ts";
import type { DeliveryMessage } from "../../shared/messages.ts";
import { type Channel, validTarget } from "../../shared/notify/channel.ts";
import { fail, ok } from "../../shared/result.ts";
import { type Invocation, inShardOf } from "./env.ts";

/** Who asks, and what it is done with. */
interface Call {
  invocation: Invocation;
  caller: Caller;
}

/**
 * Adds a channel.
 *
 * @returns the channel with its secret, which is not shown again; a problem if the target is not allowed or the account has too
 *   many channels
 */
export async function createChannel(
  { account, ...settings }: Inputs["addChannel"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["addChannel"]>> {
  const target = validTarget(settings.kind, settings.target, invocation.env.NOTIFY_LOCAL_ORIGIN);
  if (!target.ok) return fail({ code: "bad_request", message: target.error });
  const channel: Channel = {
    ...settings,
    account,
    target: target.value,
    id: randomHex(8),
    secret: settings.kind === "webhook" ? randomHex(32) : "",
    createdSeconds: invocation.nowSeconds,
    createdBy: caller.name,
  };
  const { ledger } = await inShardOf(account, invocation);
  const [added] = await change(ledger, [addChannel(channel)]);
  if (added?.results.length === 0) {
    const message = `The account has ${NOTIFY_LIMITS.channelsPerAccount} channels, as many as it may have.`;
    return fail({ code: "too_large", message });
  }
  return ok({ ...channelOf(channel), secret: channel.secret });
}

/** Removes a channel; removing one that is not there is no error. */
export async function deleteChannel(
  { account, id }: Inputs["removeChannel"],
  { invocation }: Call,
): Promise<Answer<undefined>> {
  const { ledger } = await inShardOf(account, invocation);
  await change(ledger, removeChannel(account, id));
  return ok(undefined);
}

/** Sends a test to a channel. @returns a problem if there is no such channel */
export async function testChannel(
  { account, id }: Inputs["testChannel"],
  { invocation }: Call,
): Promise<Answer<Outputs["testChannel"]>> {
  const { ledger, shard, env, nowSeconds } = await inShardOf(account, invocation);
  const [channel] = await ask(ledger, channelQuery(account, id));
  if (channel === undefined) return fail({ code: "not_found", message: `There is no channel '${id}'.` });
  const test = { kind: "test" as const, subject: String(nowSeconds) };
  await change(ledger, [addDelivery(channel, test, nowSeconds)]);
  const message: DeliveryMessage = {
    v: 1,
    kind: "delivery",
    shard,
    deliveryId: deliveryId(channel.id, test.kind, test.subject),
  };
  await env.QUEUE_REPORTS.send(message);
  return ok({ deliveryId: message.deliveryId });
}

function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
