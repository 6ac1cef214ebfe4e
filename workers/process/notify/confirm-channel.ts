/**
 * Confirms that notices may be sent to a channel's mail address: by a link that was sent to it, signed with the channel's own
 * secret and good for a week, or by an operator.
 */

import { channelOf } from "../../../shared/contract/delivery-shapes.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import {
  addChannel,
  addQuestion,
  channelQuery,
  confirmationsQuery,
  confirmChannel,
  deliveryId,
  removeUnasked,
  unconfirmAddress,
} from "../../../shared/ledger/channels.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { findPerson } from "../../../shared/ledger/people.ts";
import { NOTIFY_LIMITS } from "../../../shared/limits.ts";
import type { Channel } from "../../../shared/notify/channel.ts";
import { confirmationText, isSigned, sign } from "../../../shared/notify/signature.ts";
import { type Authority, accountsWith, mayAsk, normalizeEmail } from "../../../shared/people.ts";
import { fail, ok } from "../../../shared/result.ts";
import { notFound } from "../answers.ts";
import { type Invocation, inShardOf } from "../env.ts";
import { enqueueDelivery } from "./enqueue-deliveries.ts";

/** The link that confirms a channel until a time; "" where the dashboard's address is not configured. */
export async function confirmationLink(channel: Channel, untilSeconds: number, dashboardUrl: string): Promise<string> {
  if (dashboardUrl === "") return "";
  const { account, id, secret } = channel;
  const signature = await sign(secret, confirmationText(channel, untilSeconds));
  return `${dashboardUrl}/confirm?${new URLSearchParams({ account, id, until: String(untilSeconds), signature })}`;
}

/** Whether an address is that of a person who sees the account's pages anyway. */
export async function isOfAccount(address: string, account: string, { shards }: Invocation): Promise<boolean> {
  const person = await findPerson(shards.directory, normalizeEmail(address));
  return person !== undefined && mayAsk(person.authority, "viewer", account);
}

/**
 * Sends nothing more to the address of a person about accounts that they are about to lose, until it is confirmed again.
 *
 * @param afterwards what they may do then
 */
export async function closeLostAccounts(
  email: string,
  afterwards: (now: Authority) => Authority,
  { shards }: Invocation,
): Promise<void> {
  const person = await findPerson(shards.directory, email);
  const kept = person && accountsWith(afterwards(person.authority), "viewer");
  if (person === undefined || kept === undefined) return;
  const closed = unconfirmAddress(email, accountsWith(person.authority, "viewer"), kept);
  for (const ledger of shards.all) await change(ledger, [closed]);
}

/**
 * Sends the link to a channel's address; at most once an hour, and as often as may be: nobody may have strangers written to at
 * will.
 *
 * @param isNew the channel is added, unless its account has as many as it may, or its address cannot be asked
 * @returns the delivery's id; a problem where there is none
 */
export async function askToConfirm(
  channel: Channel,
  { isNew }: { isNew: boolean },
  invocation: Invocation,
): Promise<Answer<string>> {
  const { ledger, nowSeconds } = invocation;
  const hour = Math.floor(nowSeconds / 3600) * 3600;
  const subject = String(hour + NOTIFY_LIMITS.confirmationSeconds);
  const question = addQuestion(channel, subject, nowSeconds);
  const changes = isNew ? [addChannel(channel), question, removeUnasked(channel.id)] : [question];
  const results = await change(ledger, changes);
  if (isNew && results[0]?.results.length === 0) return fail({ code: "too_large", message: TOO_MANY_CHANNELS });
  if (results[isNew ? 1 : 0]?.results.length === 0) {
    return fail({ code: "too_large", message: await whyNotAsked(channel, invocation) });
  }
  const id = deliveryId(channel.id, "confirm", subject);
  await enqueueDelivery(id, invocation);
  return ok(id);
}

/** Why an account cannot have another channel. */
export const TOO_MANY_CHANNELS = `The account has ${NOTIFY_LIMITS.channelsPerAccount} channels, as many as it may have.`;

async function whyNotAsked(channel: Channel, { ledger, nowSeconds }: Invocation): Promise<string> {
  const { confirmationsPerDay, confirmationsPerAddress } = NOTIFY_LIMITS;
  const [asked] = await ask(ledger, confirmationsQuery(channel, nowSeconds));
  const why =
    asked !== undefined && asked.toAddress >= confirmationsPerAddress
      ? `${channel.target} was asked to confirm ${confirmationsPerAddress} times within a week`
      : `The account has asked ${confirmationsPerDay} addresses to confirm within a day`;
  return `${why}, as often as may be. Try again later, or ask an operator to confirm the address.`;
}

/** An operator confirms. @returns a problem if there is no such channel */
export async function confirmByOperator(
  { account, id }: Inputs["confirmChannel"],
  { invocation }: { invocation: Invocation },
): Promise<Answer<Outputs["confirmChannel"]>> {
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  await change(ledger, [confirmChannel(account, id, nowSeconds)]);
  const [channel] = await ask(ledger, channelQuery(account, id));
  return channel === undefined ? notFound(`There is no channel '${id}'.`) : ok(channelOf(channel));
}

/** Somebody who was sent the link confirms. @returns the same problem whatever is wrong with it */
export async function confirmByLink(
  { account, id, untilSeconds, signature }: Inputs["confirmChannelByLink"],
  { invocation }: { invocation: Invocation },
): Promise<Answer<undefined>> {
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  const [channel] = nowSeconds > untilSeconds ? [] : await ask(ledger, channelQuery(account, id));
  const isGenuine =
    channel !== undefined && (await isSigned(channel.secret, confirmationText(channel, untilSeconds), signature));
  if (!isGenuine) return notFound("This link is not valid, or no longer.");
  await change(ledger, [confirmChannel(account, id, nowSeconds)]);
  return ok(undefined);
}
