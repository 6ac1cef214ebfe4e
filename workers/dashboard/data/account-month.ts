/**
 * An account's month over all its domains: its days beside those of the month before, its verdicts, what changed and
 * what was done.
 */
import type { VerdictState } from "../../../shared/guidance/verdict.ts";
import type { AccountProfile } from "../../../shared/ledger/accounts.ts";
import { type DayTotals, type DomainSum, dayTotalsQuery, domainSumsQuery } from "../../../shared/ledger/days.ts";
import { type DomainVerdict, domainVerdictsQuery } from "../../../shared/ledger/domain-verdicts.ts";
import { noticesOfPeriodQuery } from "../../../shared/ledger/notices.ts";
import { accountDecisionsQuery, type DecidedSender } from "../../../shared/ledger/sender-decisions.ts";
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import type { Notice } from "../../../shared/watch/finding.ts";
import { profileOf } from "./account-profile.ts";
import type { LedgerRequest } from "./ledger-request.ts";
import { type Month, monthBefore } from "./month.ts";
import { formatCount } from "./numbers.ts";

/** What its report shows; verdicts are those of today, as those of a month that is over are not kept. */
export interface AccountMonth {
  account: string;
  profile: AccountProfile;
  month: Month;
  current: DayTotals[];
  before: DayTotals[];
  verdicts: DomainVerdict[];
  sums: DomainSum[];
  notices: Notice[];
  decided: DecidedSender[];
}

/** Asks for it. @param account one that the person may see */
export async function askAccountMonth(request: LedgerRequest, account: string, month: Month): Promise<AccountMonth> {
  const accounts = [account];
  const period = { firstDay: month.firstDay, lastDay: month.lastDay, limit: REPORT_LIMITS.rowsRead };
  const scope = { accounts, firstDay: month.firstDay, lastDay: month.lastDay };
  const [days, verdicts, sums, notices, decided, profile] = await Promise.all([
    request.ask(dayTotalsQuery({ ...scope, firstDay: monthBefore(month).firstDay }), account),
    request.ask(domainVerdictsQuery(accounts, { limit: REPORT_LIMITS.domainsRead }), account),
    request.ask(domainSumsQuery(scope), account),
    request.ask(noticesOfPeriodQuery(accounts, period), account),
    request.ask(accountDecisionsQuery(account, period), account),
    profileOf(request, account),
  ]);
  const current = days.filter(({ day }) => day >= month.firstDay);
  const before = days.filter(({ day }) => day < month.firstDay);
  return { account, profile, month, current, before, verdicts, sums, notices, decided };
}

const BAD: readonly VerdictState[] = ["beingRejected"];
const NEEDED: readonly VerdictState[] = ["beingRejected", "notYet", "ready", "silent"];

/** The month in a sentence, and how many domains are in each state. */
export interface AccountSummary {
  headline: string;
  refused: number;
  needed: number;
  counts: ReadonlyMap<VerdictState, number>;
}

/** Puts the verdicts of an account's domains together. */
export function summaryOf({ verdicts }: Pick<AccountMonth, "verdicts">): AccountSummary {
  const counts = new Map<VerdictState, number>();
  for (const { state } of verdicts) counts.set(state, (counts.get(state) ?? 0) + 1);
  const count = (states: readonly VerdictState[]): number =>
    states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  const [refused, needed] = [count(BAD), count(NEEDED)];
  const headline =
    verdicts.length === 0
      ? "No domain has a verdict yet"
      : refused > 0
        ? `Real senders are being refused at ${domainsText(refused)}`
        : needed > 0
          ? `${domainsText(needed)} of ${formatCount(verdicts.length)} ${needed === 1 ? "needs" : "need"} attention`
          : "Nothing to do";
  return { headline, refused, needed, counts };
}

function domainsText(count: number): string {
  return count === 1 ? "1 domain" : `${formatCount(count)} domains`;
}
