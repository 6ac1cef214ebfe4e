/**
 * The verdict has changed since the last notice about it. Why: "ready" is what an owner waits for, "no longer ready"
 * what they must know before the next step. A state that lasts less than two days is not announced; `beingRejected` is
 * announced at once.
 */
import type { VerdictState } from "../../guidance/verdict.ts";
import { verdictWords } from "../../guidance/verdict-words.ts";
import type { Figures, Rule } from "../figures.ts";
import type { RuleCode, Severity } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { domainLink } from "../words.ts";

/** What each state means in a notice; other rules announce the remaining states, or nobody does. */
const SEVERITY: Partial<Record<VerdictState, Severity>> = {
  beingRejected: "urgent",
  notYet: "attention",
  ready: "attention",
  protected: "info",
  notInUse: "info",
};

/** A notice about the sender is enough; the verdict then needs no separate one. */
const EXPLAINING: ReadonlySet<RuleCode> = new Set(["ownMailRefused", "ownSenderFails", "newSender"]);

export const verdictChanged: Rule = {
  code: "verdictChanged",
  find(figures, found) {
    const { domain, verdict } = figures;
    const isExplained = verdict.state === "notYet" && found.some(({ rule }) => EXPLAINING.has(rule));
    const severity = isExplained ? "info" : SEVERITY[verdict.state];
    if (severity === undefined || !isNews(figures)) return [];
    const { headline, nextStep } = verdictWords(verdict);
    return [
      {
        rule: "verdictChanged",
        // The day on which it began identifies the change.
        subject: `${verdict.state} ${figures.stateSinceSeconds}`,
        severity,
        title: `${domain}: ${headline}`,
        evidence: [`Before: ${STATE_WORDS[figures.toldState === "" ? "silent" : figures.toldState]}.`],
        causes: [{ code: verdict.reasons[0]?.code ?? verdict.state, sentence: nextStep }],
        link: domainLink(domain),
        isEvent: true,
      },
    ];
  },
};

/** Whether to announce the state: it differs from the last announced one, and has held for long enough. */
function isNews({ verdict, toldState, stateSinceSeconds, nowSeconds }: Figures): boolean {
  if (toldState === "" || toldState === verdict.state || SEVERITY[verdict.state] === undefined) return false;
  const { minSeconds } = WATCH_RULES.verdictChanged;
  return verdict.state === "beingRejected" || nowSeconds - stateSinceSeconds >= minSeconds;
}

/** The last announced state, after this evaluation. */
export function announcedStateAfter(figures: Figures): VerdictState | "" {
  const { verdict, toldState } = figures;
  const isFirst = toldState === "" && SEVERITY[verdict.state] !== undefined;
  return isFirst || isNews(figures) ? verdict.state : toldState;
}

const STATE_WORDS: Record<VerdictState, string> = {
  beingRejected: "being rejected",
  notYet: "not yet ready for p=reject",
  ready: "ready for the next step",
  protected: "protected by p=reject",
  tooEarly: "too early to say",
  silent: "no reports",
  notInUse: "not in use",
};
