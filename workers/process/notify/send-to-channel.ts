/** Sends one delivery to its channel: what it says, from the ledger, in the form of the channel, by mail or HTTP. */
import { accountProfile } from "../../../shared/ledger/accounts.ts";
import { type Delivery, digestBeforeQuery } from "../../../shared/ledger/channels.ts";
import { ask } from "../../../shared/ledger/database.ts";
import { readDigestFacts } from "../../../shared/ledger/digest-facts.ts";
import { noticeQuery } from "../../../shared/ledger/notices.ts";
import { NOTIFY_LIMITS } from "../../../shared/limits.ts";
import { type Channel, validTarget } from "../../../shared/notify/channel.ts";
import { type MailBody, mailBody } from "../../../shared/notify/mail.ts";
import { mailRefusal } from "../../../shared/notify/mail-refusal.ts";
import { type Content, POST_FORMATS } from "../../../shared/notify/post-formats.ts";
import { confirmStory, digestStory, noticeStory, testStory } from "../../../shared/notify/story.ts";
import { MAIL_DELIVERY_HEADER } from "../../../shared/notify/webhook.ts";
import type { Invocation } from "../env.ts";
import { answerText, firstText, noAnswer, retryAfterSeconds } from "../read-answer.ts";
import { confirmationLink } from "./confirm-channel.ts";

/** What an attempt came to. */
export interface Attempt {
  isSent: boolean;
  /** Whether there was an answer at all. */
  isAnswered: boolean;
  /** A sentence. */
  result: string;
  /** For how many seconds it accepts nothing at all (429, 503); undefined if it does not say. */
  waitSeconds?: number;
  /** For how many seconds it does not take this, whatever it does with others; Infinity = for good. */
  retrySeconds?: number;
}

/** Sends it. @throws whatever D1 throws */
export async function sendTo(channel: Channel, delivery: Delivery, invocation: Invocation): Promise<Attempt> {
  if (channel.confirmedSeconds === 0 && delivery.kind !== "confirm") return refused("The address is not confirmed.");
  const profile = await accountProfile(invocation.shards.directory, channel.account);
  const content = await contentOf(delivery, { channel, accountName: profile?.name ?? channel.account }, invocation);
  if (content === undefined) return refused("What it was about is no longer stored.");
  const { env, nowSeconds } = invocation;
  if (channel.kind === "email") {
    const isToStranger = delivery.kind === "confirm";
    const context = {
      accountName: (isToStranger ? undefined : profile?.name) ?? channel.account,
      logo: isToStranger ? undefined : profile?.logo,
      compress,
    };
    const body = await mailBody(content.story, context);
    return sendMail(body, { to: channel.target, deliveryId: delivery.id }, env);
  }
  const target = validTarget(channel.kind, channel.target, env.NOTIFY_LOCAL_ORIGIN);
  if (!target.ok) return refused(target.error);
  const { write, refusesInText = false } = POST_FORMATS[channel.kind];
  const { body, headers } = await write({ content, delivery, secret: channel.secret, nowSeconds });
  return post(target.value, { body, headers }, { refusesInText, nowSeconds });
}

/** A failed attempt, though the other end answered. */
export function refused(result: string): Attempt {
  return { isSent: false, isAnswered: true, result: result.slice(0, NOTIFY_LIMITS.resultChars) };
}

async function contentOf(
  delivery: Delivery,
  { channel, accountName }: { channel: Channel; accountName: string },
  { ledger, env }: Invocation,
): Promise<Content | undefined> {
  const { kind, subject } = delivery;
  const context = { account: channel.account, accountName, dashboardUrl: env.DASHBOARD_URL };
  switch (kind) {
    case "test":
      return { delivered: { kind }, story: testStory(channel.name, context) };
    case "confirm": {
      const link = await confirmationLink(channel, Number(subject), env.DASHBOARD_URL);
      return {
        delivered: { kind },
        story: confirmStory(link, channel.createdBy, { ...context, accountName: channel.account }),
      };
    }
    case "notice": {
      const [notice] = await ask(ledger, noticeQuery(subject));
      return notice === undefined ? undefined : { delivered: { kind, notice }, story: noticeStory(notice, context) };
    }
    case "digest": {
      const interval = channel.digest === "none" ? "daily" : channel.digest;
      const toSeconds = delivery.createdSeconds;
      const [before] = await ask(ledger, digestBeforeQuery(delivery));
      const fromSeconds = before === undefined || before === null ? channel.createdSeconds : before + 1;
      const facts = await readDigestFacts(ledger, channel.account, { interval, day: subject, fromSeconds, toSeconds });
      return { delivered: { kind, facts }, story: digestStory(facts, context) };
    }
  }
}

async function sendMail(
  body: MailBody,
  { to, deliveryId }: { to: string; deliveryId: string },
  { SEND_EMAIL, NOTICES_FROM }: Invocation["env"],
): Promise<Attempt> {
  if (NOTICES_FROM === "") return refused("No sender is configured: set NOTICES_FROM in wrangler.process.toml.");
  // No vacation answer, and no loop of answers (RFC 3834).
  const headers = { [MAIL_DELIVERY_HEADER]: deliveryId, "Auto-Submitted": "auto-generated" };
  try {
    await SEND_EMAIL.send({ from: NOTICES_FROM, to, headers, ...body });
    return { isSent: true, isAnswered: true, result: "Accepted for delivery." };
  } catch (error) {
    const { result, ...others } = mailRefusal(error);
    return { ...refused(result), ...others };
  }
}

/** For pictures: zlib, as PNG has it. */
async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/**
 * A receiver may repeat where it was asked: viewers see its answer, and the path and the query are secrets of Slack and Teams. As
 * it may write them in HTML or JSON, the values of the query go one by one, and the path also with its slashes escaped.
 */
function withoutPath(answer: string, url: string): string {
  const { pathname, search, searchParams } = new URL(url);
  const values = [...search.split(/[?&=]/), ...searchParams.values()].filter((text) => text.length >= 8);
  return [pathname + search, pathname, pathname.replaceAll("/", "\\/"), ...values]
    .filter((text) => !/^\\?\/?$/.test(text))
    .reduce((shown, text) => shown.replaceAll(text, "…"), answer);
}

/** Statuses of a receiver that accepts nothing at present, and may say for how long. */
const BUSY = new Set([429, 503]);

async function post(
  url: string,
  { body, headers }: { body: string; headers: Record<string, string> },
  { refusesInText, nowSeconds }: { refusesInText: boolean; nowSeconds: number },
): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "user-agent": "dmarc-pipeline/1", ...headers },
      body,
      // A redirect could lead to an address that is not public.
      redirect: "manual",
      signal: AbortSignal.timeout(NOTIFY_LIMITS.timeoutMilliseconds),
    });
    const isEnough = response.ok && !refusesInText;
    if (isEnough) await response.body?.cancel().catch(() => {});
    const text = isEnough ? "" : await firstText(response, 4 * NOTIFY_LIMITS.resultChars);
    const isSent = response.ok && !/delivery failed|HTTP error \d{3}/i.test(text);
    if (isSent) return { isSent, isAnswered: true, result: `Answered ${response.status}.` };
    const attempt = refused(withoutPath(answerText(response, text), url));
    const wait = BUSY.has(response.status) ? retryAfterSeconds(response, text, nowSeconds) : undefined;
    return wait === undefined ? attempt : { ...attempt, waitSeconds: Math.min(wait, NOTIFY_LIMITS.maxRetrySeconds) };
  } catch (error) {
    return { ...refused(noAnswer(error)), isAnswered: false };
  }
}
