/**
 * Receivers begin to quarantine or reject mail of the owner's senders. Why: that mail is lost now. The cause is a policy that
 * was tightened a short time ago, or else what made the sender fail.
 */
import { isEnforcing, stageNumber, stageOf } from "../../guidance/next-record.ts";
import { SECONDS_PER_DAY } from "../../report-day.ts";
import { causesOf } from "../causes.ts";
import { excess, type Figures, isRecurring, newestDays, type Rule, type Sender, sumDays } from "../figures.ts";
import type { Cause, Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { capital, dayText, messagesText, senderLink, senderText } from "../words.ts";

export const ownMailRefused: Rule = {
  code: "ownMailRefused",
  find(figures) {
    return figures.senders.flatMap((sender) => {
      const refusal = refusalOf(sender, figures);
      return refusal === undefined ? [] : [findingOf(sender, refusal, figures)];
    });
  },
};

interface Refusal {
  messages: number;
  refused: number;
  sinceDay: number;
}

function refusalOf(sender: Sender, { today, openedSeconds }: Figures): Refusal | undefined {
  const rule = WATCH_RULES.ownMailRefused;
  const opened = openedSeconds("ownMailRefused", sender.name);
  const isOpen = opened !== undefined;
  if (!isOpen && !isTheOwners(sender)) return undefined;
  const newest = newestDays(sender.days, today, rule.minMessages);
  const { messages, refused } = sumDays(newest);
  const firstNewDay = isOpen ? Math.floor(opened / SECONDS_PER_DAY) - rule.daysBeforeFound : newest[0]?.day;
  if (firstNewDay === undefined) return undefined;
  if (isOpen) {
    const isOver = newest.length > 0 && refused < rule.minShareOpen * messages;
    return isOver ? undefined : { messages, refused, sinceDay: firstNewDay };
  }
  const earlier = sender.days.filter(({ day }) => day < firstNewDay);
  const usual = sumDays(earlier);
  const usualShare = usual.messages === 0 ? 0 : usual.refused / usual.messages;
  const isMuch = refused >= rule.minRefused && refused >= rule.minShare * messages;
  const isNew = usual.messages >= rule.minUsualMessages && refused / messages >= usualShare + rule.minRise;
  if (!isMuch || !isNew || excess(refused, messages, usualShare) < rule.minDeviations) return undefined;
  if (isRecurring(earlier, refused / messages, (day) => day.refused / day.messages)) return undefined;
  return { messages, refused, sinceDay: firstNewDay };
}

/** Own senders, and services that nobody has decided about: those are mostly the owner's. */
function isTheOwners({ role, reason }: Sender): boolean {
  return role === "own" || (role === "undecided" && (reason === "knownService" || reason === "failingSignature"));
}

function findingOf(sender: Sender, { messages, refused, sinceDay }: Refusal, figures: Figures): Finding {
  const name = senderText(sender);
  return {
    rule: "ownMailRefused",
    subject: sender.name,
    severity: "urgent",
    title: `${capital(`mail of ${name}`)} is rejected or put into spam folders`,
    evidence: [
      `Receivers refused ${messagesText(refused)} of ${messages.toLocaleString("en-US")} since ${dayText(sinceDay)}.`,
    ],
    causes: [...policyCauses(sender, figures, sinceDay), ...causesOf(sender, figures, sinceDay)],
    link: senderLink(figures.domain, sender.kind === "ownServers" ? { kind: "other", name: sender.name } : sender),
    isEvent: false,
  };
}

/** A stricter policy that reports saw for the first time about when the mail was refused, of a sender that failed before. */
function policyCauses(sender: Sender, { policies, domain }: Figures, sinceDay: number): Cause[] {
  const [now, ...before] = policies;
  if (now === undefined || !isEnforcing(stageOf(now.policy))) return [];
  const number = stageNumber(stageOf(now.policy));
  const earlier = before.filter(({ policy }) => stageNumber(stageOf(policy)) < number);
  const usual = sumDays(sender.days.filter(({ day }) => day < sinceDay));
  const failedBefore = usual.failing >= WATCH_RULES.ownMailRefused.failedBeforeShare * usual.messages;
  const isRecent = Math.abs(now.firstDay - sinceDay) <= WATCH_RULES.ownMailRefused.policyDays;
  if (earlier.length === 0 || !isRecent || !failedBefore) return [];
  const { p } = stageOf(now.policy);
  const sentence =
    `The policy became p=${p} on ${dayText(now.firstDay)}, and this sender failed before already. Go back to ` +
    `p=none until ${domain} is signed there.`;
  return [{ code: "policyTightened", sentence }];
}
