/**
 * What a delivery says, in one form that every channel renders: a headline, sentences, sections of items with links. A new
 * kind of delivery is a function here, a new channel a file beside this one. Texts are plain; names in them are strangers'. Pure.
 */
import type { VerdictState } from "../guidance/verdict.ts";
import { NOTIFY_LIMITS } from "../limits.ts";
import { cleanDetail } from "../report/problems.ts";
import type { Incident, Notice, Severity } from "../watch/finding.ts";
import { causeText, domainLink, messagesText, shareText } from "../watch/words.ts";

/** One line of a section. */
export interface StoryItem {
  text: string;
  /** A second sentence; "" = none. */
  detail: string;
  /** Absolute; "" = no link. */
  url: string;
}

/** Items under a heading. */
export interface StorySection {
  heading: string;
  items: StoryItem[];
}

/** A share of a whole, for a picture. */
export interface StoryBar {
  label: string;
  count: number;
  tone: "good" | "attention" | "bad" | "neutral";
}

/** A day of a picture. */
export interface StoryDay {
  /** `YYYY-MM-DD`. */
  day: string;
  passed: number;
  failed: number;
}

/** A picture, what it shows in words, and the words beside it. */
export interface StoryPicture {
  days: StoryDay[];
  alt: string;
  caption: string;
}

/** What a delivery says. */
export interface Story {
  headline: string;
  /** Begins the subject of a mail, which stands without the rest; absent = the headline alone says enough. */
  subjectPrefix?: string;
  tone: "good" | "attention" | "bad" | "neutral";
  sentences: string[];
  bars: StoryBar[];
  /** Only mails have it. */
  picture?: StoryPicture;
  sections: StorySection[];
  /** The page that shows it, absolute; "" if the dashboard's address is not configured. */
  url: string;
  /** What its link is called; absent = it opens the dashboard. */
  urlLabel?: string;
  footer: string;
  /** The page on which what is sent is changed or stopped, absolute; absent = none. Only mails have it. */
  settingsUrl?: string;
}

/** What the link of a story is called. */
export function linkLabel({ urlLabel }: Story): string {
  return urlLabel ?? "Open the dashboard";
}

/** What stories need to know of their account. */
export interface StoryContext {
  account: string;
  /** What it is called. */
  accountName: string;
  /** Origin of the dashboard, "" if it is not configured. */
  dashboardUrl: string;
}

/** A notice: one step of an incident. */
export function noticeStory(notice: Notice, context: StoryContext): Story {
  const { domain, title, step, severity, evidence, cause, link } = notice;
  const prefix = { opened: "", reminded: "Still open: ", resolved: "Resolved: " }[step];
  return {
    headline: aboutText(domain, prefix, title),
    tone: step === "resolved" ? "good" : TONE_OF_SEVERITY[severity],
    sentences: (step === "resolved"
      ? ["This is no longer found. It was:", ...evidence]
      : [...evidence, ...(cause === "" ? [] : [causeText(notice.rule, cause)])]
    ).map(inert),
    bars: [],
    sections: [],
    url: absolute(link, context),
    footer: footerOf(context),
    ...settingsOf(context),
  };
}

const TONE_OF_SEVERITY: Record<Severity, Story["tone"]> = { urgent: "bad", attention: "attention", info: "neutral" };

/** A test of a channel. */
export function testStory(channelName: string, context: StoryContext): Story {
  return {
    headline: "Test of a notification channel",
    tone: "neutral",
    sentences: [`This is a test of the channel "${channelName}". It works: notices and digests will arrive like this.`],
    bars: [],
    sections: [],
    url: absolute("/", context),
    footer: footerOf(context),
    ...settingsOf(context),
  };
}

/**
 * Asks whether an address may be written to. It goes to people who may not know the account, so nothing in it is a text that
 * people of the account write freely, as the name of a token is.
 *
 * @param link confirms it; "" where the dashboard's address is not configured
 * @param askedBy who added the address: a mail address, or the name of a token, which has no "@"
 */
export function confirmStory(link: string, askedBy: string, context: StoryContext): Story {
  const isPerson = askedBy.includes("@");
  const account = `the account "${context.account}"`;
  const added = isPerson
    ? `${askedBy} added this address to the DMARC notices of ${account}.`
    : `A program of ${account} added this address to its DMARC notices.`;
  return {
    headline: "Confirm this address for DMARC notices",
    tone: "neutral",
    sentences: [
      `${added} Nothing else is sent until it is confirmed.`,
      link === ""
        ? "Ask your operator to confirm it on the page Channels."
        : "Open the link within a week and press Confirm.",
      `If you did not expect this, do nothing: no notices will come, and this question at most ${NOTIFY_LIMITS.confirmationsPerAddress} times a week.${isPerson ? ` To stop it, write to ${askedBy}.` : ""}`,
    ],
    bars: [],
    sections: [],
    url: link,
    urlLabel: "Confirm this address",
    footer: footerOf(context),
  };
}

/** What a digest is made of. */
export interface DigestFacts {
  interval: "daily" | "weekly" | "monthly";
  /** Local day of the digest, `YYYY-MM-DD`. */
  day: string;
  /** Number of domains by state of their verdict. */
  states: readonly { state: VerdictState; domains: number; messages: number }[];
  /** Domains that need attention, the worst first. */
  needed: readonly { domain: string; state: VerdictState; atRisk: number; reason: string; nextRecord: string }[];
  /** How many need attention in all. */
  neededCount: number;
  /** The worst first, and how many there are. */
  openIncidents: readonly Incident[];
  openCount: number;
  /** Notices since the digest before, the worst and newest first, and how many there were. */
  notices: readonly Notice[];
  noticeCount: number;
  /** Messages of the last days, the oldest first, those without reports included. */
  days: readonly StoryDay[];
}

/** Interval → what the time since the digest before is called, which ends today, and when it is sent. */
const INTERVAL_WORDS: Record<DigestFacts["interval"], { since: string; sent: string }> = {
  daily: { since: "since yesterday", sent: "every day" },
  weekly: { since: "in the last week", sent: "every Monday" },
  monthly: { since: "in the last month", sent: "on the first of every month" },
};

/** State of a verdict → words in lists, and how good it is. */
const STATE_WORDS: Record<VerdictState, { label: string; tone: Story["tone"] }> = {
  beingRejected: { label: "real senders being rejected", tone: "bad" },
  notYet: { label: "not yet ready for p=reject", tone: "attention" },
  ready: { label: "ready for the next step", tone: "good" },
  protected: { label: "protected", tone: "good" },
  tooEarly: { label: "too early to say", tone: "neutral" },
  silent: { label: "no reports", tone: "attention" },
  notInUse: { label: "not in use", tone: "neutral" },
};

/** A digest: the verdict first, then what changed and what to do; also sent when there is nothing to do. */
export function digestStory(facts: DigestFacts, context: StoryContext): Story {
  const { states, neededCount } = facts;
  const words = INTERVAL_WORDS[facts.interval];
  const total = states.reduce((sum, { domains }) => sum + domains, 0);
  const rejected = states.find(({ state }) => state === "beingRejected")?.domains ?? 0;
  const messages = states.reduce((sum, one) => sum + one.messages, 0);
  const sections = [neededSection(facts, context), openSection(facts, context), changesSection(facts, context)];
  return {
    headline: digestHeadline(facts, { total, rejected }),
    subjectPrefix: `DMARC ${facts.interval}: `,
    tone: rejected > 0 ? "bad" : neededCount > 0 ? "attention" : "good",
    sentences: [
      total === 0
        ? "There are no domains with reports yet."
        : `${domainsText(total)}, ${messagesText(messages)} reported over the last 30 days.`,
      ...(facts.noticeCount === 0 ? [`Nothing changed ${words.since}.`] : []),
    ],
    bars: states.map(({ state, domains }) => ({
      label: STATE_WORDS[state].label,
      count: domains,
      tone: STATE_WORDS[state].tone,
    })),
    ...pictureOf(facts.days),
    sections: sections.filter(({ items }) => items.length > 0),
    ...linkOf(facts, context),
    footer: `${footerOf(context)} Sent ${words.sent}, also when there is nothing to do.`,
    ...settingsOf(context),
  };
}

function pictureOf(days: readonly StoryDay[]): Pick<Story, "picture"> {
  const [first, last] = [days[0], days.at(-1)];
  const largest = days.reduce<StoryDay | undefined>(
    (most, one) => (most && sumOf(most) >= sumOf(one) ? most : one),
    first,
  );
  if (first === undefined || last === undefined || largest === undefined || sumOf(largest) === 0) return {};
  const total = days.reduce((sum, one) => sum + sumOf(one), 0);
  const passed = days.reduce((sum, one) => sum + one.passed, 0);
  const share = shareText(passed / total);
  const most = `most on ${largest.day} (${sumOf(largest).toLocaleString("en-US")})`;
  return {
    picture: {
      days: [...days],
      alt: `Messages by day from ${first.day} to ${last.day}: ${total.toLocaleString("en-US")} in all, ${share} pass DMARC, ${most}.`,
      caption: `Messages by day, ${first.day} to ${last.day}; ${most}. Green passes DMARC (${share}), striped orange does not.`,
    },
  };
}

function sumOf({ passed, failed }: StoryDay): number {
  return passed + failed;
}

/** A monthly digest leads to the report of the month that is over, to print or hand on. */
function linkOf({ interval, day }: DigestFacts, context: StoryContext): Pick<Story, "url" | "urlLabel"> {
  if (interval !== "monthly" || context.account === "") return { url: absolute("/", context) };
  const month = new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 7);
  const query = new URLSearchParams({ account: context.account, month });
  return { url: absolute(`/report?${query}`, context), urlLabel: "Open the month's report" };
}

function digestHeadline(
  { needed, neededCount, openCount }: DigestFacts,
  { total, rejected }: { total: number; rejected: number },
): string {
  const only = (count: number, is: (one: DigestFacts["needed"][number]) => boolean): string =>
    (count === 1 ? needed.find(is)?.domain : undefined) ?? domainsText(count);
  if (rejected > 0)
    return `Real senders are being refused at ${only(rejected, (one) => one.state === "beingRejected")}`;
  if (neededCount === 1) return `${only(1, () => true)} needs you`;
  if (neededCount > 0) return `${domainsText(neededCount)} of ${total.toLocaleString("en-US")} need you`;
  if (openCount > 0)
    return openCount === 1 ? "1 incident is open" : `${openCount.toLocaleString("en-US")} incidents are open`;
  return "Nothing to do";
}

function neededSection({ needed, neededCount }: DigestFacts, context: StoryContext): StorySection {
  const items = needed.slice(0, NOTIFY_LIMITS.digestItems).map(({ domain, state, atRisk, reason, nextRecord }) => ({
    text: inert(`${domain}: ${STATE_WORDS[state].label}${atRisk > 0 ? `, ${messagesText(atRisk)} at risk` : ""}`),
    detail: inert(state === "ready" && nextRecord !== "" ? `Publish: ${nextRecord}` : reason),
    url: absolute(domainLink(domain), context),
  }));
  return { heading: "What to do", items: withMore(items, neededCount, absolute("/", context)) };
}

function openSection({ openIncidents, openCount }: DigestFacts, context: StoryContext): StorySection {
  const items = openIncidents.slice(0, NOTIFY_LIMITS.digestItems).map(({ domain, rule, title, causes, link }) => ({
    text: aboutText(domain, "", title),
    detail: causes[0] === undefined ? "" : inert(causeText(rule, causes[0].sentence)),
    url: absolute(link, context),
  }));
  return { heading: "Open incidents", items: withMore(items, openCount, absolute("/alerts", context)) };
}

function changesSection({ notices, noticeCount }: DigestFacts, context: StoryContext): StorySection {
  const prefix = { opened: "", reminded: "still open: ", resolved: "resolved: " };
  const items = notices.slice(0, NOTIFY_LIMITS.digestItems).map(({ domain, title, step, link }) => ({
    text: aboutText(domain, prefix[step], title),
    detail: "",
    url: absolute(link, context),
  }));
  return { heading: "What changed", items: withMore(items, noticeCount, absolute("/alerts", context)) };
}

/** What a title is about, once: the title of a changed verdict begins with its domain. */
function aboutText(domain: string, prefix: string, title: string): string {
  const about = `${domain === "" ? "Report pipeline" : domain}: `;
  return inert(`${about}${prefix}${title.startsWith(about) ? title.slice(about.length) : title}`);
}

/** A text with strangers' names in it, on one line, and without characters that act or are not seen. */
function inert(text: string): string {
  return cleanDetail(text, NOTIFY_LIMITS.chatChars);
}

function withMore(items: StoryItem[], total: number, url: string): StoryItem[] {
  const more = total - items.length;
  return more > 0 ? [...items, { text: `and ${more.toLocaleString("en-US")} more`, detail: "", url }] : items;
}

function domainsText(count: number): string {
  return count === 1 ? "1 domain" : `${count.toLocaleString("en-US")} domains`;
}

function absolute(path: string, { dashboardUrl }: StoryContext): string {
  return dashboardUrl === "" ? "" : `${dashboardUrl}${path}`;
}

function settingsOf(context: StoryContext): Pick<Story, "settingsUrl"> {
  return context.dashboardUrl === "" ? {} : { settingsUrl: absolute("/channels", context) };
}

function footerOf({ account, accountName }: StoryContext): string {
  return account === "" ? "DMARC reports, for operators." : `DMARC reports of ${accountName}.`;
}
