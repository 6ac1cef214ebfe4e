/** The verdict about a domain from the ledger: what the API answers with. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { judge } from "../../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../../shared/guidance/verdict-input.ts";
import { verdictJson } from "../../../shared/guidance/verdict-json.ts";
import { dayTotalsQuery, policiesQuery, ruaAddressesQuery } from "../../../shared/ledger/days.ts";
import { checksQuery } from "../../../shared/ledger/domain-checks.ts";
import { askKnownSenders } from "../../../shared/ledger/known-senders.ts";
import { senderDecisionsQuery } from "../../../shared/ledger/sender-decisions.ts";
import { type DomainScope, mailQuery } from "../../../shared/ledger/sources.ts";
import { dayOfSeconds } from "../data/days.ts";
import type { Call } from "./call.ts";
import { periodOfInput } from "./ledger-request.ts";

/** Of the accounts the person may see. @throws ApiError when the period makes no sense */
export async function getVerdict(c: Call, input: Inputs["verdict"], nowSeconds: number): Promise<Outputs["verdict"]> {
  const period = periodOfInput(input, dayOfSeconds(nowSeconds));
  const { firstDay, lastDay } = period;
  const domain = domainName(input.domain);
  const ledger = c.get("ledger");
  const always: DomainScope = { accounts: c.get("access").accounts ?? (await ledger.accounts()), domains: [domain] };
  const scope: DomainScope = { ...always, firstDay, lastDay };
  const [[mail], days, policies, addresses, decided, checks] = await Promise.all([
    ledger.ask(mailQuery({ ...scope, onlyCounted: true })),
    ledger.ask(dayTotalsQuery(scope)),
    ledger.ask(policiesQuery(always)),
    ledger.ask(ruaAddressesQuery(scope)),
    ledger.ask(senderDecisionsQuery(domain, always.accounts)),
    ledger.ask(checksQuery(domain, always.accounts)),
  ]);
  if (mail === undefined) throw new Error("A question without an answer.");
  const ruaAddresses = addresses.map(({ rua }) => rua);
  const decide = decideBy(new Map(decided.map(({ source, decision }) => [source, decision])));
  const known = { domain, mail, check: checks[0]?.check, nowSeconds };
  const senders = await askKnownSenders((query) => ledger.ask(query), known);
  return verdictJson(judge(verdictInput(domain, { period, senders, days, policies, ruaAddresses }, decide)));
}
