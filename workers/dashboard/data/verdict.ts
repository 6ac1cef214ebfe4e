/**
 * Is it safe to ask receivers to reject the rest? What reports can tell, and no more: which mail would be refused under
 * p=reject, and whether it looks like the owner's. Pure.
 */
import { asksToReject } from "./policy.ts";
import type { Source } from "./sources.ts";

/** Ours: below this, a few days or mails decide and nothing can be said. */
export const VERDICT_LIMITS = {
  minDaysWithReports: 14,
  minMessages: 100,
  /** Share of all mail that fails from senders that look legitimate, up to which p=reject is called safe. */
  maxDoubtfulShare: 0.002,
} as const;

export type Verdict = "no_data" | "too_early" | "not_yet" | "ready" | "enforced";

/** The verdict and what it rests on. */
export interface Assessment {
  verdict: Verdict;
  messages: number;
  failed: number;
  daysWithReports: number;
  /** Failing mail of senders that authenticate as somebody: services not set up, lists, forwarders. Largest first. */
  doubtful: Source[];
  doubtfulMessages: number;
  /** Failing mail nothing authenticates: spoofing, or a server nobody set up. Largest first. */
  unauthenticated: Source[];
  unauthenticatedMessages: number;
}

/** Judges a domain by its sources over a period. */
export function assess(input: { sources: readonly Source[]; daysWithReports: number; policy: string }): Assessment {
  const { sources, daysWithReports, policy } = input;
  const failing = sources.filter(({ messages, passed }) => messages > passed).sort((a, b) => failed(b) - failed(a));
  const doubtful = failing.filter(({ kind }) => kind !== "none");
  const unauthenticated = failing.filter(({ kind }) => kind === "none");
  const messages = sources.reduce((sum, source) => sum + source.messages, 0);
  const doubtfulMessages = sumFailed(doubtful);
  const figures = {
    messages,
    failed: sumFailed(failing),
    daysWithReports,
    doubtful,
    doubtfulMessages,
    unauthenticated,
    unauthenticatedMessages: sumFailed(unauthenticated),
  };
  return { ...figures, verdict: decide(figures, policy) };
}

/** Messages of a source that failed DMARC. */
export function failed({ messages, passed }: { messages: number; passed: number }): number {
  return messages - passed;
}

function decide({ messages, daysWithReports, doubtfulMessages }: Omit<Assessment, "verdict">, policy: string): Verdict {
  if (messages === 0) return "no_data";
  if (asksToReject(policy)) return "enforced";
  if (daysWithReports < VERDICT_LIMITS.minDaysWithReports || messages < VERDICT_LIMITS.minMessages) return "too_early";
  return doubtfulMessages / messages > VERDICT_LIMITS.maxDoubtfulShare ? "not_yet" : "ready";
}

function sumFailed(sources: readonly Source[]): number {
  return sources.reduce((sum, source) => sum + failed(source), 0);
}
