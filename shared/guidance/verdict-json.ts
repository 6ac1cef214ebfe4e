/** A verdict as programs get it. Pure. */

import type { Reason, Verdict } from "./verdict.ts";
import { reasonText, roleReasonText, verdictWords } from "./verdict-words.ts";

/** One reason, its code for programs and its sentence for people. */
export interface ReasonJson {
  code: string;
  sentence: string;
  messages: number;
  source?: string;
}

/** The whole; `nextRecord` is the text to publish at `_dmarc.<domain>`, null = keep the present one. */
export function verdictJson(verdict: Verdict) {
  const { headline, nextStep } = verdictWords(verdict);
  return {
    domain: verdict.domain,
    state: verdict.state,
    headline,
    nextStep,
    reasons: verdict.reasons.map(reasonJson),
    days: verdict.days,
    messages: verdict.messages,
    ownMessages: verdict.ownMessages,
    letThrough: verdict.letThrough,
    wouldHit: verdict.wouldHit,
    policy: verdict.policy,
    nextRecord: verdict.nextRecord ?? null,
    missing: verdict.missing.map(reasonJson),
    sources: verdict.sources
      .filter(({ hit, refused, letThrough }) => hit > 0 || refused > 0 || letThrough > 0)
      .slice(0, MAX_SOURCES)
      .map(({ name, kind, service, role, reason, messages, passed, letThrough, hit, refused }) => ({
        name,
        kind,
        service,
        role,
        reason: { code: reason, sentence: roleReasonText(reason) },
        messages,
        passed,
        letThrough,
        hit,
        refused,
      })),
  };
}

/** Ours: sources with failing mail in one answer, the largest. */
const MAX_SOURCES = 200;

function reasonJson(reason: Reason): ReasonJson {
  const { code, messages, source } = reason;
  return {
    code,
    sentence: reasonText(reason),
    messages,
    ...(source === undefined ? {} : { source: source.name }),
  };
}
