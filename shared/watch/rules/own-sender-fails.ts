/**
 * A sender of the owner's begins to fail: the share of its newest mail that fails is far above what it was. Why: its
 * mail is what p=reject loses. Mail that failed all along is left to the verdict.
 */

import { SECONDS_PER_DAY } from "../../report-day.ts";
import { causesOf } from "../causes.ts";
import { excess, type Figures, isRecurring, newestDays, type Rule, type Sender, sumDays } from "../figures.ts";
import type { Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { capital, dayText, messagesText, senderLink, senderText, shareText } from "../words.ts";

export const ownSenderFails: Rule = {
  code: "ownSenderFails",
  find(figures, found) {
    const refused = new Set(found.filter(({ rule }) => rule === "ownMailRefused").map(({ subject }) => subject));
    return figures.senders.flatMap((sender) => {
      if (refused.has(sender.name)) return [];
      const failure = failureOf(sender, figures, figures.openedSeconds("ownSenderFails", sender.name));
      return failure === undefined ? [] : [findingOf(sender, failure, figures)];
    });
  },
};

/** How a sender's newest mail differs from what is usual. */
export interface Failure {
  /** Undefined: nothing new came, so that what was found still stands. */
  newest: { messages: number; failing: number; refused: number } | undefined;
  usualShare: number;
  sinceDay: number;
}

/** Whether a sender fails that used to pass. @param openedSeconds when that was found first; undefined: it was not */
function failureOf(sender: Sender, { today }: Figures, openedSeconds: number | undefined): Failure | undefined {
  const rule = WATCH_RULES.ownSenderFails;
  const isOpen = openedSeconds !== undefined;
  if (sender.role !== "own" && !isOpen) return undefined;
  const newest = newestDays(sender.days, today, rule.minMessages);
  const [first] = newest;
  const firstNewDay = isOpen ? Math.floor(openedSeconds / SECONDS_PER_DAY) - rule.daysBeforeFound : first?.day;
  if (firstNewDay === undefined) return undefined;
  const earlier = sender.days.filter(({ day }) => day < firstNewDay);
  const usual = sumDays(earlier);
  const usualShare = usual.messages === 0 ? 0 : usual.failing / usual.messages;
  const sum = sumDays(newest);
  const share = sum.messages === 0 ? 0 : sum.failing / sum.messages;
  if (isOpen) {
    if (newest.length === 0) return { newest: undefined, usualShare, sinceDay: firstNewDay };
    return share >= usualShare + rule.minRiseOpen ? { newest: sum, usualShare, sinceDay: firstNewDay } : undefined;
  }
  const isKnown = usual.messages >= rule.minUsualMessages;
  const isClear = excess(sum.failing, sum.messages, usualShare) >= rule.minDeviations;
  if (!isKnown || !isClear || sum.failing < rule.minFailing || share < usualShare + rule.minRise) return undefined;
  if (isRecurring(earlier, share, (day) => sumDays([day]).failing / day.messages)) return undefined;
  return { newest: sum, usualShare, sinceDay: firstNewDay };
}

function findingOf(sender: Sender, { newest, usualShare, sinceDay }: Failure, figures: Figures): Finding {
  const name = senderText(sender);
  const evidence =
    newest === undefined
      ? ["No newer mail of it was reported."]
      : [
          `${messagesText(newest.failing)} of ${newest.messages.toLocaleString("en-US")} failed since ${dayText(sinceDay)}; usually ${shareText(usualShare)} fail.`,
        ];
  return {
    rule: "ownSenderFails",
    subject: sender.name,
    severity: "attention",
    title: `${capital(`mail of ${name}`)} fails DMARC for ${figures.domain}`,
    evidence,
    causes: causesOf(sender, figures, sinceDay),
    link: senderLink(figures.domain, sender.kind === "ownServers" ? { kind: "other", name: sender.name } : sender),
    isEvent: false,
  };
}
