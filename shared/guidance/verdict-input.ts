/** What the ledger holds about a domain over a period, as input of a verdict. Pure. */
import { countedPolicies, type DayTotals, type PolicyDays } from "../ledger/days.ts";
import type { KnownSenders } from "../ledger/known-senders.ts";
import type { SenderDecision } from "../ledger/sender-decisions.ts";
import { decisionAbout, readDecisions } from "./decisions.ts";
import type { Decide } from "./roles.ts";
import type { VerdictInput } from "./verdict.ts";

/** Answers of the ledger about one domain. */
export interface LedgerAnswers {
  /** Days since 1970-01-01 UTC, both included. */
  period: { firstDay: number; lastDay: number };
  /** What the verdict counts of the mail (authentication/sender-state.ts), by who sent it, and what DNS says of the senders. */
  senders: KnownSenders;
  /** Of the period only. */
  days: readonly Pick<DayTotals, "day" | "messages" | "uncounted">[];
  /** Of all time, the one seen last first. */
  policies: readonly Pick<PolicyDays, "policy" | "firstDay" | "lastDay" | "lastCountedDay">[];
  ruaAddresses: readonly string[];
}

/** @param decisions by text of their subject (subject.ts) */
export function decideBy(decisions: ReadonlyMap<string, SenderDecision>): Decide {
  const read = readDecisions(decisions);
  return (source) => decisionAbout(source, read)?.decision;
}

/** Puts answers together. @param domain policy domain, A-labels */
export function verdictInput(domain: string, answers: LedgerAnswers, decide: Decide): VerdictInput {
  const { period, senders, days, policies, ruaAddresses } = answers;
  return {
    domain,
    period,
    ...senders,
    days: days.filter(({ messages, uncounted }) => messages > uncounted).map(({ day }) => day),
    policies: countedPolicies(policies),
    ruaAddresses,
    decide,
  };
}
