/**
 * Many more messages fake the domain than on any day of the weeks before. Why: a campaign is under way, and p=reject is what
 * keeps it from people. Campaigns that come again and again are usual after the first.
 */

import type { DayFigures, Figures, Rule } from "../figures.ts";
import type { Cause } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { dayText, domainLink, messagesText } from "../words.ts";

export const spoofingRises: Rule = {
  code: "spoofingRises",
  find(figures) {
    const { domain, today, dataSince, verdict, openedSeconds } = figures;
    const rule = WATCH_RULES.spoofingRises;
    const faked = fakedByDay(figures);
    const newest = [...faked].filter(([day]) => day >= today - rule.newDays).sort((a, b) => b[1] - a[1])[0];
    if (newest === undefined || dataSince > today - rule.minHistoryDays) return [];
    const [day, messages] = newest;
    const isOpen = openedSeconds("spoofingRises", "spoofing") !== undefined;
    const usual = Math.max(0, ...[...faked].filter(([one]) => one < today - rule.newDays).map(([, count]) => count));
    const least = Math.max(rule.minMessages, rule.minTimes * usual);
    // While it lasts, half as much is enough, so that it does not end and begin again.
    if (messages < (isOpen ? least / 2 : least)) return [];
    const isProtected = verdict.stage.p === "reject" && !verdict.stage.isTest;
    return [
      {
        rule: "spoofingRises",
        subject: "spoofing",
        severity: isProtected ? "info" : "attention",
        title: `Many messages fake ${domain}`,
        evidence: [
          `${messagesText(messages)} on ${dayText(day)}; on no day of the weeks before were there more than ` +
            `${usual.toLocaleString("en-US")}.`,
        ],
        causes: [causeOf(isProtected)],
        link: domainLink(domain, "sources"),
        isEvent: true,
      },
    ];
  },
};

/** Failing mail by day of senders that are not the owner's, as far as is known. */
function fakedByDay({ senders }: Figures): Map<number, number> {
  const faked = new Map<number, number>();
  for (const { role, kind, reason, days } of senders) {
    const isStranger = role === "foreign" || (role === "undecided" && kind === "none" && reason !== "steadyServer");
    if (!isStranger) continue;
    for (const one of days) faked.set(one.day, (faked.get(one.day) ?? 0) + failing(one));
  }
  return faked;
}

function failing({ messages, passed, letThrough }: DayFigures): number {
  return messages - passed - letThrough;
}

function causeOf(isProtected: boolean): Cause {
  return isProtected
    ? { code: "campaign", sentence: "A spoofing campaign. p=reject keeps it from most people; nothing to do." }
    : { code: "campaign", sentence: "A spoofing campaign. Only an enforced policy keeps it from people." };
}
