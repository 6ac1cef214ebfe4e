/**
 * The verdict has changed since the last notice about it. Why: "ready" is what an owner waits for, "no longer ready"
 * what they must know before the next step. A state that lasts less than a week is not announced, nor, after "ready", little more
 * failing mail than that allows; `beingRejected` is announced at once. "Not yet" while an incident explains it counts as announced:
 * mail that failed stays in the verdict's period for a month, and would be announced again when the incident is over.
 */
import type { VerdictState } from "../../guidance/verdict.ts";
import { verdictWords } from "../../guidance/verdict-words.ts";
import { mustNotBeLost } from "../../guidance/what-if.ts";
import { VERDICT_LIMITS } from "../../limits.ts";
import type { Figures, Rule } from "../figures.ts";
import type { Incident, RuleCode, Severity } from "../finding.ts";
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
function isNews(figures: Figures): boolean {
  const { verdict, toldState, stateSinceSeconds, nowSeconds } = figures;
  if (toldState === "" || toldState === verdict.state || SEVERITY[verdict.state] === undefined) return false;
  if (verdict.state === "beingRejected") return true;
  const { minSeconds, minSecondsNear } = WATCH_RULES.verdictChanged;
  return nowSeconds - stateSinceSeconds >= (isNearReady(figures) ? minSecondsNear : minSeconds);
}

/** Whether a domain announced as ready is a few failing messages away from it. */
function isNearReady({ verdict, toldState }: Pick<Figures, "verdict" | "toldState">): boolean {
  const { state, reasons, wouldHit, ownMessages } = verdict;
  if (toldState !== "ready" || state !== "notYet" || reasons.some(({ code }) => code === "spfOnly")) return false;
  const { minFailing, minTimesLimit } = WATCH_RULES.verdictChanged;
  const failing = mustNotBeLost(wouldHit.reject);
  return failing < minFailing || failing < minTimesLimit * VERDICT_LIMITS.maxLostShare * ownMessages;
}

/** The last announced state, after this evaluation. @param incidents those that the domain's findings opened or kept open */
export function announcedStateAfter(
  figures: Figures,
  incidents: readonly Pick<Incident, "rule" | "state">[],
): VerdictState | "" {
  const { verdict, toldState } = figures;
  const isExplained = incidents.some(({ rule, state }) => state === "open" && EXPLAINING.has(rule));
  if (toldState !== "" && verdict.state === "notYet" && isExplained) return "notYet";
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
