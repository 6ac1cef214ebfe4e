/** One domain over a period: its days, its mail, the policies that reports saw, and what was changed and decided. */

import { type Extent, extentQuery } from "../../../shared/ledger/data-extent.ts";
import {
  type DayTotals,
  dayTotalsQuery,
  type PolicyDays,
  policiesQuery,
  ruaAddressesQuery,
} from "../../../shared/ledger/days.ts";
import { checksQuery, recordChangesOfPeriodQuery, type SeenChange } from "../../../shared/ledger/domain-checks.ts";
import { askKnownSenders, type KnownSenders } from "../../../shared/ledger/known-senders.ts";
import {
  type DecidedSender,
  decisionsOfPeriodQuery,
  type SenderDecision,
} from "../../../shared/ledger/sender-decisions.ts";
import { type Mail, mailQuery } from "../../../shared/ledger/sources.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { decisionsBySource } from "./decisions.ts";
import { daysWithData } from "./extent.ts";
import { askOne, domainScope, type LedgerRequest } from "./ledger-request.ts";
import { type Period, periodBefore } from "./period.ts";

/** What is known: the days of the period before are there too, for comparison. */
export interface Overview {
  domain: string;
  period: Period;
  days: DayTotals[];
  mail: Mail;
  policies: PolicyDays[];
  extent: Extent;
  ruaAddresses: string[];
  /** What the owner decided about sources, by name. */
  decisions: ReadonlyMap<string, SenderDecision>;
  /** Of the period, the newest. */
  changes: SeenChange[];
  decided: DecidedSender[];
  /** Of the mail, what the verdict counts, by who sent it. */
  senders: KnownSenders;
}

/** Asks for it. */
export async function askOverview(request: LedgerRequest, domain: string, period: Period): Promise<Overview> {
  const scope = await domainScope(request, domain, period);
  const events = { firstDay: period.firstDay, lastDay: period.lastDay, limit: DASHBOARD_LIMITS.maxTimelineEvents };
  const [days, mail, policies, extent, addresses, decisions, changes, decided, checks] = await Promise.all([
    request.ask(dayTotalsQuery({ ...scope, firstDay: periodBefore(period).firstDay })),
    askOne(request, mailQuery(scope)),
    request.ask(policiesQuery(await domainScope(request, domain))),
    askOne(request, extentQuery(scope)),
    request.ask(ruaAddressesQuery(scope)),
    decisionsBySource(request, domain),
    request.ask(recordChangesOfPeriodQuery(domain, scope.accounts, events)),
    request.ask(decisionsOfPeriodQuery(domain, scope.accounts, events)),
    request.ask(checksQuery(domain, scope.accounts)),
  ]);
  const ruaAddresses = addresses.map(({ rua }) => rua);
  const isAllCounted = days.every(({ day, uncounted }) => day < period.firstDay || uncounted === 0);
  const countedMail = isAllCounted ? mail : await askOne(request, mailQuery({ ...scope, onlyCounted: true }));
  const known = { domain, mail: countedMail, check: checks[0]?.check, nowSeconds: request.nowSeconds };
  const senders = await askKnownSenders((query) => request.ask(query), known);
  return { domain, period, days, mail, senders, policies, extent, ruaAddresses, decisions, changes, decided };
}

/** Every day of the period from the first report on, those without a report with zeros. */
export function fillDays(
  days: readonly DayTotals[],
  { period, extent }: { period: Period; extent: Extent },
): DayTotals[] {
  const known = new Map(days.map((day) => [day.day, day]));
  const none = {
    messages: 0,
    passed: 0,
    dkimAligned: 0,
    spfAligned: 0,
    quarantined: 0,
    rejected: 0,
    reports: 0,
    spread: 0,
    uncounted: 0,
    uncountedReports: 0,
    unchecked: 0,
  };
  return daysWithData(period, extent).map((day) => known.get(day) ?? { day, ...none });
}
