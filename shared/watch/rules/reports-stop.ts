/**
 * Reports no longer come: from nobody, or from one that used to. Why: without reports nobody sees anything, and a domain looks
 * quiet. Only reporters that reported nearly every day are missed; a small one comes when there is mail.
 */

import { cleanDetail } from "../../report/problems.ts";
import type { Figures, ReporterDays, Rule } from "../figures.ts";
import type { Cause, Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { countText, dayText, domainLink } from "../words.ts";

export const reportsStopped: Rule = {
  code: "reportsStopped",
  find(figures) {
    const { domain, today, reporters } = figures;
    const { allSilentDays } = WATCH_RULES.reporters;
    const all = { reporter: "", days: [...new Set(reporters.flatMap(({ days }) => days))].sort((a, b) => a - b) };
    const last = all.days.at(-1);
    if (last === undefined || !isRegular(all, last) || today - last < allSilentDays) return [];
    return [
      {
        rule: "reportsStopped",
        subject: "all",
        severity: "urgent",
        title: `No reports about ${domain} come any more`,
        evidence: [
          `The last report is about ${dayText(last)}; before, ${countText(reporters.length, "reporter")} reported nearly every day.`,
        ],
        causes: causesOfSilence(figures),
        link: domainLink(domain, "records"),
        isEvent: false,
      },
    ];
  },
};

export const reporterSilent: Rule = {
  code: "reporterSilent",
  find(figures, found) {
    if (found.some(({ rule }) => rule === "reportsStopped")) return [];
    const { domain, reporters } = figures;
    // A day on which nobody reported says nothing about one of them.
    const reportedDays = [...new Set(reporters.flatMap(({ days }) => days))];
    return reporters.flatMap((one): Finding[] => {
      const last = one.days.at(-1);
      if (last === undefined || !isRegular(one, last)) return [];
      const missed = reportedDays.filter((day) => day > last).length;
      if (missed < WATCH_RULES.reporters.silentDays) return [];
      return [
        {
          rule: "reporterSilent",
          subject: one.reporter,
          severity: "attention",
          title: `${cleanDetail(one.reporter, 100)} no longer reports about ${domain}`,
          evidence: [`Its last report is about ${dayText(last)}; before, it reported nearly every day.`],
          causes: [
            {
              code: "reporterStopped",
              sentence:
                "Others still report, so the record works: the receiver stopped, or no longer gets mail of yours.",
            },
          ],
          link: `${domainLink(domain, "reports")}?reporter=${encodeURIComponent(one.reporter)}`,
          isEvent: false,
        },
      ];
    });
  },
};

/** Whether there was something nearly every day up to the last one. */
function isRegular({ days }: ReporterDays, last: number): boolean {
  const rule = WATCH_RULES.reporters;
  const before = days.filter((day) => day > last - rule.days);
  const gaps = before.slice(1).map((day, i) => day - (before[i] ?? day));
  return before.length >= rule.minDays && Math.max(0, ...gaps) <= rule.maxGap;
}

/** From the records as they were last found, and mail that was refused. */
function causesOfSilence({ check, ruaAddresses, refusedAddresses, changes, domain }: Figures): Cause[] {
  const causes: Cause[] = [];
  const refused = ruaAddresses.find((rua) => refusedAddresses.has(rua.toLowerCase()));
  const at = `_dmarc.${check?.policyDomain ?? domain}`;
  const change = changes.find(({ name }) => name === at);
  const when = change === undefined ? "" : ` since ${dayText(Math.floor(change.seenSeconds / 86_400))}`;
  if (check !== undefined && check.policyDomain === undefined) {
    const sentence = `_dmarc.${domain} has no DMARC record${when}. Publish it again.`;
    causes.push({ code: "recordRemoved", sentence });
  } else if (check !== undefined && !namesAny(check.destinations, ruaAddresses)) {
    const sentence = `The record at ${at} no longer names ${ruaAddresses[0] ?? "the RUA address"}${when}. Add it to rua.`;
    causes.push({ code: "ruaRemoved", sentence });
  }
  for (const { outcome, recordName, host } of check?.destinations ?? []) {
    if (outcome !== "refused") continue;
    const sentence = `${host} no longer says that it takes reports for this domain. Publish ${recordName ?? "the record"} there again.`;
    causes.push({ code: "destinationRefused", sentence });
  }
  if (refused !== undefined) {
    const sentence = `Mail to ${refused} is refused, since it is not registered. Register it again.`;
    causes.push({ code: "mailRefused", sentence });
  }
  return causes.length > 0
    ? causes
    : [{ code: "unknown", sentence: "The records look right. Check whether mail to the RUA address arrives." }];
}

function namesAny(destinations: readonly { uri: string }[], ruaAddresses: readonly string[]): boolean {
  const named = destinations.map(({ uri }) =>
    uri
      .toLowerCase()
      .replace(/^mailto:/, "")
      .replace(/![^!]*$/, ""),
  );
  return ruaAddresses.length === 0 || ruaAddresses.some((rua) => named.includes(rua.toLowerCase()));
}
