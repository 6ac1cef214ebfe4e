/**
 * Less of the owner's mail passes than on the same weekday of the weeks before, and none of the rules about single senders says
 * why. Why: what is spread over many small senders is seen only here.
 */

import { type DayFigures, excess, type Figures, type Rule, sumDays } from "../figures.ts";
import type { RuleCode } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { dayText, domainLink, messagesText, shareText } from "../words.ts";

/** What explains a drop. */
const EXPLAINING: ReadonlySet<RuleCode> = new Set(["ownMailRefused", "ownSenderFails", "newSender"]);

export const passRateDrops: Rule = {
  code: "passRateDrops",
  find(figures, found) {
    if (found.some(({ rule }) => EXPLAINING.has(rule))) return [];
    const rule = WATCH_RULES.passRateDrops;
    const days = ownDays(figures);
    const newest = days.findLast(({ day, messages }) => day >= figures.today - 3 && messages >= rule.minMessages);
    if (newest === undefined) return [];
    const sameWeekday = days.filter(({ day, messages }) => {
      const before = newest.day - day;
      return before > 0 && before % 7 === 0 && messages >= rule.minMessages / 2;
    });
    if (sameWeekday.length < rule.minWeeks) return [];
    const now = sumDays([newest]);
    const share = now.failing / now.messages;
    const usual = Math.max(...sameWeekday.map((one) => sumDays([one]).failing / one.messages));
    const isOpen = figures.openedSeconds("passRateDrops", "domain") !== undefined;
    const minDrop = isOpen ? rule.minDrop / 2 : rule.minDrop;
    if (share < usual + minDrop || excess(now.failing, now.messages, usual) < rule.minDeviations) return [];
    return [
      {
        rule: "passRateDrops",
        subject: "domain",
        severity: "attention",
        title: `Less mail of ${figures.domain} passes DMARC than usual`,
        evidence: [
          `${messagesText(now.failing)} of ${now.messages.toLocaleString("en-US")} failed on ` +
            `${dayText(newest.day)}, ${shareText(share)}; on this weekday it was ${shareText(usual)} at most.`,
        ],
        causes: [],
        link: domainLink(figures.domain),
        isEvent: false,
      },
    ];
  },
};

/** Mail by day of all senders of the owner's. */
function ownDays({ senders }: Figures): DayFigures[] {
  const byDay = new Map<number, DayFigures>();
  for (const { role, days } of senders) {
    if (role !== "own") continue;
    for (const one of days) {
      const known = byDay.get(one.day) ?? { day: one.day, messages: 0, passed: 0, letThrough: 0, refused: 0 };
      known.messages += one.messages;
      known.passed += one.passed;
      known.letThrough += one.letThrough;
      known.refused += one.refused;
      byDay.set(one.day, known);
    }
  }
  return [...byDay.values()].sort((a, b) => a.day - b.day);
}
