/** What the ledger holds about a domain over a period, as input of a verdict. Pure. */
import { countedPolicies, type DayTotals, type PolicyDays } from "../ledger/days.ts";
import type { SenderDecision } from "../ledger/sender-decisions.ts";
import type { Mail } from "../ledger/sources.ts";
import { decisionAbout, readDecisions } from "./decisions.ts";
import type { Decide } from "./roles.ts";
import type { VerdictInput } from "./verdict.ts";

/** Answers of the ledger about one domain. */
export interface LedgerAnswers {
  /** Days since 1970-01-01 UTC, both included. */
  period: { firstDay: number; lastDay: number };
  /** What the judgement counts of it (authentication/sender-state.ts). */
  mail: Mail;
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
  const { period, mail, days, policies, ruaAddresses } = answers;
  return {
    domain,
    period,
    evidence: mail.evidence,
    totals: totalsOf(mail),
    days: days.filter(({ messages, uncounted }) => messages > uncounted).map(({ day }) => day),
    policies: countedPolicies(policies),
    ruaAddresses,
    decide,
  };
}

/** All messages, and those that fail. */
export function totalsOf({ dispositions }: Pick<Mail, "dispositions">): VerdictInput["totals"] {
  const totals = { messages: 0, failing: 0 };
  for (const { messages, passed } of dispositions) {
    totals.messages += messages;
    totals.failing += messages - passed;
  }
  return totals;
}
