/** Adds, removes and tests channels of an account. */

import { channelOf } from "../../../shared/contract/delivery-shapes.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { toHex } from "../../../shared/identity.ts";
import { addChannel, addDelivery, channelQuery, deliveryId, removeChannel } from "../../../shared/ledger/channels.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { CHANNELS, type Channel, validTarget } from "../../../shared/notify/channel.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, noAccount, notFound } from "../answers.ts";
import { type Call, inShardOf, isAccountOrPipeline, randomBytes } from "../env.ts";
import { askToConfirm, isOfAccount, TOO_MANY_CHANNELS } from "../notify/confirm-channel.ts";
import { enqueueDelivery } from "../notify/enqueue-deliveries.ts";

/**
 * Adds a channel. A mail address that belongs to no person of the account has to confirm first, unless an operator adds it.
 *
 * @returns the channel with its secret, which is not shown again; a problem if there is no such account, the target is not
 *   allowed, the account has too many channels, or it asked as many addresses to confirm as it may
 */
export async function createChannel(
  { account, ...settings }: Inputs["addChannel"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["addChannel"]>> {
  if (!(await isAccountOrPipeline(account, invocation))) return noAccount(account);
  const target = validTarget(settings.kind, settings.target, invocation.env.NOTIFY_LOCAL_ORIGIN);
  if (!target.ok) return badRequest(target.error);
  const isConfirmed =
    settings.kind !== "email" || caller.authority.isOperator || (await isOfAccount(target.value, account, invocation));
  const channel: Channel = {
    ...settings,
    account,
    target: target.value,
    id: toHex(randomBytes(8)),
    secret: CHANNELS[settings.kind].signs === undefined ? "" : toHex(randomBytes(32)),
    confirmedSeconds: isConfirmed ? invocation.nowSeconds : 0,
    unanswered: 0,
    silentUntilSeconds: 0,
    createdSeconds: invocation.nowSeconds,
    createdBy: caller.name,
  };
  const place = await inShardOf(account, invocation);
  if (isConfirmed) {
    const [added] = await change(place.ledger, [addChannel(channel)]);
    if (added?.results.length === 0) return fail({ code: "too_large", message: TOO_MANY_CHANNELS });
  } else {
    const asked = await askToConfirm(channel, { isNew: true }, place);
    if (!asked.ok) return asked;
  }
  return ok({ ...channelOf(channel), secret: CHANNELS[channel.kind].signs === "deliveries" ? channel.secret : "" });
}

/** Removes a channel; removing one that is not there is no error. */
export async function deleteChannel(
  { account, id }: Inputs["removeChannel"],
  { invocation }: Call,
): Promise<Answer<undefined>> {
  const { ledger } = await inShardOf(account, invocation);
  const [channel] = await ask(ledger, channelQuery(account, id));
  if (channel !== undefined) await change(ledger, removeChannel(channel));
  return ok(undefined);
}

/**
 * Sends a test to a channel, or the request to confirm where that is still missing.
 *
 * @returns a problem if there is no such channel, or its address was asked to confirm as often as may be
 */
export async function testChannel(
  { account, id }: Inputs["testChannel"],
  { invocation }: Call,
): Promise<Answer<Outputs["testChannel"]>> {
  const place = await inShardOf(account, invocation);
  const [channel] = await ask(place.ledger, channelQuery(account, id));
  if (channel === undefined) return notFound(`There is no channel '${id}'.`);
  if (channel.confirmedSeconds === 0) {
    const asked = await askToConfirm(channel, { isNew: false }, place);
    return asked.ok ? ok({ deliveryId: asked.value }) : asked;
  }
  const test = { kind: "test" as const, subject: String(place.nowSeconds) };
  await change(place.ledger, [addDelivery(channel, test, place.nowSeconds)]);
  const testId = deliveryId(channel.id, test.kind, test.subject);
  await enqueueDelivery(testId, place);
  return ok({ deliveryId: testId });
}
