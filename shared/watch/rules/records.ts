/**
 * A record broke; an MTA-STS policy will make senders refuse mail; a record changed. Why: the person who changed it may
 * not know what else rests on it. What was broken when the domain was first looked at is found as well, but announced
 * in the digest only.
 */
import { CHECK_TITLES } from "../../guidance/check.ts";
import type { StoredCheck } from "../../guidance/stored-check.ts";
import type { SeenChange } from "../../ledger/domain-checks.ts";
import { SECONDS_PER_DAY } from "../../report-day.ts";
import { isGone, seenText } from "../causes.ts";
import type { Figures, Rule } from "../figures.ts";
import type { Cause, Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { domainLink } from "../words.ts";

type StoredKind = StoredCheck["checks"][number];
type StoredFinding = StoredKind["findings"][number];

/** An MTA-STS policy that senders enforce, and that does not fit the mail servers. */
export const mtaStsBreaksMail: Rule = {
  code: "mtaStsBreaksMail",
  find(figures) {
    if (figures.check?.mtaStsPolicy?.mode !== "enforce") return [];
    return brokenOf(figures, ({ kind }) => kind === "mtaSts").map(({ check, found }) => ({
      rule: "mtaStsBreaksMail",
      subject: found.code,
      severity: "urgent",
      title: `The MTA-STS policy of ${figures.domain} keeps mail away`,
      evidence: [found.sentence],
      causes: causesOfBreak(check, found, figures),
      link: domainLink(figures.domain, "records"),
      isEvent: false,
    }));
  },
};

/** A published record that does not work. */
export const recordBroke: Rule = {
  code: "recordBroke",
  find(figures, found) {
    const said = new Set(found.flatMap(({ rule, subject }) => (rule === "mtaStsBreaksMail" ? [subject] : [])));
    const isNews = ({ kind }: StoredKind, { code }: StoredFinding): boolean =>
      kind !== "bimi" && !(kind === "mtaSts" && said.has(code));
    return brokenOf(figures, isNews).map(({ check, found: one }) => ({
      rule: "recordBroke",
      subject: `${check.kind} ${one.code}`,
      severity: "attention",
      title: `${CHECK_TITLES[check.kind]} of ${figures.domain} is broken`,
      evidence: [one.sentence],
      causes: causesOfBreak(check, one, figures),
      link: domainLink(figures.domain, "records"),
      isEvent: false,
    }));
  },
};

/** Findings of broken records and of records that are gone: one of each code. */
function brokenOf(
  figures: Figures,
  isWanted: (check: StoredKind, found: StoredFinding) => boolean,
): { check: StoredKind; found: StoredFinding }[] {
  const broken = (figures.check?.checks ?? []).flatMap((check) =>
    check.findings
      .filter((found) => found.state === "broken" || isRemoved(check, found, figures))
      .filter((found) => isWanted(check, found))
      .map((found) => ({ check, found })),
  );
  return broken.filter(
    ({ check, found }, place) =>
      broken.findIndex((other) => other.check.kind === check.kind && other.found.code === found.code) === place,
  );
}

/** An optional record that was there until a change. */
function isRemoved(check: StoredKind, { code }: StoredFinding, figures: Figures): boolean {
  if (code !== "no_record" && code !== "no_rua" && code !== "missing_key") return false;
  const { causeDays } = WATCH_RULES.records;
  return changesOf(check, figures, causeDays).some(({ before, after }) =>
    code === "no_rua" ? after.length > 0 && before.some((text) => text.includes("rua=")) : isGone(after),
  );
}

/** Changes of what a check asked for, the newest first. */
function changesOf({ asked }: StoredKind, { changes, nowSeconds }: Figures, days: number): SeenChange[] {
  const names = new Set(asked.map(({ type, name }) => `${type} ${name}`));
  return changes.filter(
    ({ type, name, seenSeconds }) => names.has(`${type} ${name}`) && seenSeconds >= nowSeconds - days * SECONDS_PER_DAY,
  );
}

function causesOfBreak(check: StoredKind, found: StoredFinding, figures: Figures): Cause[] {
  const changed = changesOf(check, figures, WATCH_RULES.records.causeDays).map(
    (change): Cause => ({
      code: isGone(change.after) ? "recordRemoved" : "recordChanged",
      sentence: `${change.type} ${change.name} ${isGone(change.after) ? "was removed" : "changed"} on ${seenText(change)}. ${found.sentence}`,
    }),
  );
  return [...changed, { code: found.code, sentence: found.sentence }];
}

/** A record that differs from the previous check, and works. */
export const recordChanged: Rule = {
  code: "recordChanged",
  find(figures) {
    const { domain, changes, nowSeconds } = figures;
    const since = nowSeconds - WATCH_RULES.records.newDays * SECONDS_PER_DAY;
    const news = changes.filter((change) => change.seenSeconds >= since && isAboutMail(change, domain));
    const bySeconds = Map.groupBy(news, ({ seenSeconds }) => seenSeconds);
    return [...bySeconds].map(
      ([seenSeconds, together]): Finding => ({
        rule: "recordChanged",
        subject: String(seenSeconds),
        severity: "info",
        title: `Records of ${domain} changed`,
        evidence: together.slice(0, 10).map(({ type, name, before, after }) => {
          const text = (records: readonly string[]): string => (records.length === 0 ? "nothing" : records.join(" | "));
          return `${type} ${name}: ${text(before)} became ${text(after)}`.slice(0, 500);
        }),
        causes: [],
        link: domainLink(domain, "records"),
        isEvent: true,
      }),
    );
  },
};

/** A domain's own TXT records are about many things: only SPF matters. */
function isAboutMail({ type, name, before, after }: SeenChange, domain: string): boolean {
  if (type !== "TXT" || name !== domain) return true;
  const spf = (records: readonly string[]): string => records.filter((text) => /^v=spf1( |$)/i.test(text)).join("\n");
  return spf(before) !== spf(after);
}
