/** A domain's month: its verdict, its days beside those of the month before, what changed, what was done and what is open. */
import { judge, type Verdict, type VerdictState } from "../../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../../shared/guidance/verdict-input.ts";
import type { AccountProfile } from "../../../shared/ledger/accounts.ts";
import { type DayTotals, dayTotalsQuery, policiesQuery, ruaAddressesQuery } from "../../../shared/ledger/days.ts";
import {
  accountOfDomainQuery,
  checksQuery,
  recordChangesOfPeriodQuery,
  type SeenChange,
} from "../../../shared/ledger/domain-checks.ts";
import { askKnownSenders } from "../../../shared/ledger/known-senders.ts";
import { incidentsQuery, noticesOfPeriodQuery } from "../../../shared/ledger/notices.ts";
import { type DecidedSender, decisionsOfPeriodQuery } from "../../../shared/ledger/sender-decisions.ts";
import { mailQuery } from "../../../shared/ledger/sources.ts";
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import type { Incident, Notice } from "../../../shared/watch/finding.ts";
import { profileOf } from "./account-profile.ts";
import { decisionsBySource } from "./decisions.ts";
import { askOne, domainScope, type LedgerRequest } from "./ledger-request.ts";
import { type Month, monthBefore } from "./month.ts";

/** What its report shows. */
export interface DomainMonth {
  domain: string;
  /** Whose it is, among those one may see; "" where nobody has reports about it. */
  account: string;
  profile: AccountProfile;
  month: Month;
  current: DayTotals[];
  before: DayTotals[];
  verdict: Verdict;
  notices: Notice[];
  open: Incident[];
  changes: SeenChange[];
  decided: DecidedSender[];
}

/** Asks for it. The verdict is of the month; incidents are those that are open today. */
export async function askDomainMonth(request: LedgerRequest, domain: string, month: Month): Promise<DomainMonth> {
  const scope = await domainScope(request, domain, month);
  const { accounts } = scope;
  const period = { firstDay: month.firstDay, lastDay: month.lastDay, limit: REPORT_LIMITS.rowsRead };
  const [days, mail, policies, addresses, decisions, notices, open, changes, decided, checks, owners] =
    await Promise.all([
      request.ask(dayTotalsQuery({ ...scope, firstDay: monthBefore(month).firstDay })),
      askOne(request, mailQuery({ ...scope, onlyCounted: true })),
      request.ask(policiesQuery({ ...(await domainScope(request, domain)), lastDay: month.lastDay })),
      request.ask(ruaAddressesQuery(scope)),
      decisionsBySource(request, domain),
      request.ask(noticesOfPeriodQuery(accounts, { ...period, domain })),
      request.ask(incidentsQuery(accounts, { domain, state: "open", limit: REPORT_LIMITS.rowsRead })),
      request.ask(recordChangesOfPeriodQuery(domain, accounts, period)),
      request.ask(decisionsOfPeriodQuery(domain, accounts, period)),
      request.ask(checksQuery(domain, accounts)),
      request.ask(accountOfDomainQuery(domain, accounts)),
    ]);
  const [account = ""] = owners;
  const profile = await profileOf(request, account);
  const known = { domain, mail, check: checks[0]?.check, nowSeconds: request.nowSeconds };
  const senders = await askKnownSenders((query) => request.ask(query), known);
  const current = days.filter(({ day }) => day >= month.firstDay);
  const ruaAddresses = addresses.map(({ rua }) => rua);
  const input = verdictInput(
    domain,
    { period: month, senders, days: current, policies, ruaAddresses },
    decideBy(decisions),
  );
  const before = days.filter(({ day }) => day < month.firstDay);
  const verdict = judge(input);
  return { domain, account, profile, month, current, before, verdict, notices, open, changes, decided };
}

/** What a state means, for readers who do not know DMARC. */
export const STATE_MEANINGS: Record<VerdictState, string> = {
  beingRejected: "Mail sent for you does not arrive. Act now.",
  notYet:
    "Anybody can still send mail in your name. Receivers can't be asked to refuse it yet: some of your own mail would be refused too.",
  ready: "Your own mail is proven. Receivers can be asked to refuse what others send in your name.",
  protected: "Receivers are asked to refuse what others send in your name, and your own mail passes.",
  tooEarly: "There is not enough data yet to say whether your own mail is safe.",
  silent: "Receivers sent no reports, so it is not known who sends in your name.",
  notInUse: "You send no mail from this domain.",
};
