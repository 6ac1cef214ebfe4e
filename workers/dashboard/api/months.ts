/** Monthly reports of a domain and of an account: what the API answers with. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { verdictJson } from "../../../shared/guidance/verdict-json.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { askAccountMonth, summaryOf } from "../data/account-month.ts";
import { isoDay } from "../data/days.ts";
import { askDomainMonth, STATE_MEANINGS } from "../data/domain-month.ts";
import { type Month, monthFigures, readMonth } from "../data/month.ts";
import { ApiError } from "../errors.ts";
import type { Call } from "./call.ts";
import { daysOf } from "./domains.ts";
import { ledgerRequest } from "./ledger-request.ts";
import { cutPage, partOf } from "./page.ts";

/** A domain's month. @throws ApiError when the month has not begun */
export async function getDomainMonth(c: Call, input: Inputs["domainMonth"]): Promise<Outputs["domainMonth"]> {
  const request = ledgerRequest(c, input.account);
  const month = monthOfInput(input.month, request.today);
  const found = await askDomainMonth(request, input.domain, month);
  const { domain, account, profile, verdict, notices, changes } = found;
  const senders = verdict.sources.toSorted((a, b) => b.messages - a.messages);
  return {
    domain,
    account,
    accountName: profile.name,
    ...monthJson(month),
    figures: monthFigures(found.current),
    figuresBefore: monthFigures(found.before),
    verdict: verdictJson(verdict),
    meaning: STATE_MEANINGS[verdict.state],
    days: found.current.map(({ day, ...sums }) => ({ day: isoDay(day), ...sums })),
    notices,
    openIncidents: found.open,
    changes,
    decisions: found.decided,
    senders: senders.slice(0, PAGE_LIMITS.listed).map(({ name: source, kind, service, role, ...sums }) => ({
      source,
      kind,
      service,
      role,
      messages: sums.messages,
      passed: sums.passed,
      refused: sums.refused,
    })),
    sendersInAll: senders.length,
  };
}

/** An account's month, its domains page by page. @throws ApiError when the month has not begun, or the cursor makes no sense */
export async function getAccountMonth(c: Call, input: Inputs["accountMonth"]): Promise<Outputs["accountMonth"]> {
  const { account } = input;
  const request = ledgerRequest(c, account);
  const month = monthOfInput(input.month, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const found = await askAccountMonth(request, account, month);
  const { headline, counts } = summaryOf(found);
  const sums = new Map(found.sums.map((sum) => [sum.domain, sum]));
  const page = cutPage(found.verdicts, part);
  return {
    account,
    accountName: found.profile.name,
    ...monthJson(month),
    figures: monthFigures(found.current),
    figuresBefore: monthFigures(found.before),
    headline,
    byState: Object.fromEntries(counts),
    notices: found.notices,
    decisions: found.decided,
    ...page,
    items: page.items.map(({ domain, state, reasons }) => {
      const { messages = 0, passed = 0 } = sums.get(domain) ?? {};
      return { domain, state, reasons, messages, passed };
    }),
  };
}

function monthJson(month: Month): { month: string; from: string; to: string } {
  return { month: month.iso, ...daysOf(month) };
}

function monthOfInput(text: string | undefined, today: number): Month {
  const month = readMonth(text ?? "", today);
  if (!month.ok) throw new ApiError("bad_request", month.error);
  return month.value;
}
