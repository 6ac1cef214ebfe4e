/**
 * One attempt to deliver something to a channel. What goes wrong at the other end is no fault of the platform: it is noted on
 * the delivery, which is tried again with growing delays, for three days.
 */
import { toHex } from "../../shared/identity.ts";
import {
  channelQuery,
  claimDelivery,
  type Delivery,
  digestBeforeQuery,
  endAttempt,
} from "../../shared/ledger/channels.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { readDigestFacts } from "../../shared/ledger/digest-facts.ts";
import { noticeQuery } from "../../shared/ledger/notices.ts";
import { NOTIFY_LIMITS } from "../../shared/limits.ts";
import { type Channel, validTarget } from "../../shared/notify/channel.ts";
import { slackMessage, teamsMessage } from "../../shared/notify/chat.ts";
import { mailBody } from "../../shared/notify/mail.ts";
import { digestStory, noticeStory, type Story, testStory } from "../../shared/notify/story.ts";
import {
  DELIVERY_HEADER,
  type Delivered,
  SIGNATURE_HEADER,
  signedText,
  webhookPayload,
} from "../../shared/notify/webhook.ts";
import type { Invocation } from "./env.ts";

/** What an attempt came to: a sentence, and whether it was sent. */
interface Attempt {
  isSent: boolean;
  result: string;
}

/**
 * Attempts a delivery of the invocation's database.
 *
 * @returns what came of it, for the log
 * @throws whatever D1 throws; an attempt whose end could not be noted is repeated, with the same id
 */
export async function attemptDelivery(id: string, invocation: Invocation): Promise<string> {
  const { ledger, nowSeconds } = invocation;
  const delivery = await claimDelivery(ledger, id, nowSeconds);
  if (delivery === undefined) return "already_done";
  const [channel] = await ask(ledger, channelQuery(delivery.account, delivery.channel));
  const attempt =
    channel === undefined ? failed("The channel was removed.") : await send(delivery, channel, invocation);
  const end = endOf(delivery, attempt, nowSeconds);
  await change(ledger, [endAttempt(id, end, nowSeconds)]);
  return end.state === "waiting" ? "retry" : end.state;
}

function endOf(
  { attempts, createdSeconds }: Delivery,
  { isSent, result }: Attempt,
  nowSeconds: number,
): Pick<Delivery, "state" | "result" | "nextSeconds"> {
  if (isSent) return { state: "sent", result, nextSeconds: 0 };
  const { firstRetrySeconds, maxRetrySeconds, giveUpSeconds } = NOTIFY_LIMITS;
  const delay = Math.min(maxRetrySeconds, firstRetrySeconds * 2 ** Math.min(attempts - 1, 20));
  const nextSeconds = nowSeconds + delay;
  const isOver = nextSeconds > createdSeconds + giveUpSeconds;
  return { state: isOver ? "failed" : "waiting", result, nextSeconds: isOver ? 0 : nextSeconds };
}

async function send(delivery: Delivery, channel: Channel, invocation: Invocation): Promise<Attempt> {
  const told = await whatIsDelivered(delivery, channel, invocation);
  if (told === undefined) return failed("What it was about is no longer stored.");
  const { env } = invocation;
  if (channel.kind === "email") return sendMail(told.story, channel, env);
  const target = validTarget(channel.kind, channel.target, env.NOTIFY_LOCAL_ORIGIN);
  if (!target.ok) return failed(target.error);
  const body = JSON.stringify(bodyOf(told, delivery, channel));
  const headers: Record<string, string> = { "content-type": "application/json", "user-agent": "dmarc-pipeline/1" };
  if (channel.kind === "webhook") {
    headers[DELIVERY_HEADER] = delivery.id;
    headers[SIGNATURE_HEADER] = await signature(channel.secret, invocation.nowSeconds, body);
  }
  return post(target.value, { body, headers });
}

interface Told {
  delivered: Delivered;
  story: Story;
}

async function whatIsDelivered(
  delivery: Delivery,
  channel: Channel,
  { ledger, env }: Invocation,
): Promise<Told | undefined> {
  const { kind, subject } = delivery;
  const context = { account: channel.account, dashboardUrl: env.DASHBOARD_URL };
  switch (kind) {
    case "test":
      return { delivered: { kind }, story: testStory(channel.name, context) };
    case "notice": {
      const [notice] = await ask(ledger, noticeQuery(subject));
      return notice === undefined ? undefined : { delivered: { kind, notice }, story: noticeStory(notice, context) };
    }
    case "digest": {
      const interval = channel.digest === "weekly" ? "weekly" : "daily";
      const toSeconds = delivery.createdSeconds;
      const [before] = await ask(ledger, digestBeforeQuery(delivery));
      const fromSeconds = before === undefined || before === null ? channel.createdSeconds : before + 1;
      const facts = await readDigestFacts(ledger, channel.account, { interval, day: subject, fromSeconds, toSeconds });
      return { delivered: { kind, facts }, story: digestStory(facts, context) };
    }
  }
}

function bodyOf({ delivered, story }: Told, { id, account }: Delivery, { kind }: Channel): object {
  switch (kind) {
    case "slack":
      return slackMessage(story);
    case "teams":
      return teamsMessage(story);
    default:
      return webhookPayload(delivered, { id, account, story });
  }
}

async function sendMail(
  story: Story,
  { target }: Channel,
  { SEND_EMAIL, NOTICES_FROM }: Invocation["env"],
): Promise<Attempt> {
  if (NOTICES_FROM === "") return failed("No sender is configured: set NOTICES_FROM in wrangler.process.toml.");
  try {
    await SEND_EMAIL.send({ from: NOTICES_FROM, to: target, ...(await mailBody(story)) });
    return { isSent: true, result: "Accepted for delivery." };
  } catch (error) {
    return failed(`The mail was not accepted: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function post(
  url: string,
  { body, headers }: { body: string; headers: Record<string, string> },
): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      // A redirect could lead to an address that is not public.
      redirect: "manual",
      signal: AbortSignal.timeout(NOTIFY_LIMITS.timeoutMilliseconds),
    });
    await response.body?.cancel();
    return response.ok
      ? { isSent: true, result: `Answered ${response.status}.` }
      : failed(`Answered ${response.status}.`);
  } catch (error) {
    return failed(`No answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function signature(secret: string, seconds: number, body: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(signedText(seconds, body)));
  return `t=${seconds},v1=${toHex(new Uint8Array(mac))}`;
}

function failed(result: string): Attempt {
  return { isSent: false, result: result.slice(0, NOTIFY_LIMITS.resultChars) };
}
