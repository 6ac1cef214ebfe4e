/** The list of domains, a domain's figures over a period, and what it published: what the API answers with. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { mergeSources } from "../../../shared/guidance/sources.ts";
import { type Extent, extentQuery } from "../../../shared/ledger/data-extent.ts";
import type { DayTotals } from "../../../shared/ledger/days.ts";
import { checksQuery, recordChangesQuery } from "../../../shared/ledger/domain-checks.ts";
import {
  type DomainList,
  type DomainPage,
  type DomainStatus,
  type DomainTotals,
  domainsQuery,
  MAX_OTHER_DOMAINS,
  otherDomainsQuery,
} from "../../../shared/ledger/domains.ts";
import { FAILURE_LIMITS, failuresQuery } from "../../../shared/ledger/failures.ts";
import { senderDecisionsQuery } from "../../../shared/ledger/sender-decisions.ts";
import { groupedAccountsQuery } from "../../../shared/ledger/tags.ts";
import { TLS_LIMITS, tlsDaysQuery, tlsFailuresQuery, tlsPoliciesQuery } from "../../../shared/ledger/tls.ts";
import { GUIDANCE_LIMITS, PAGE_LIMITS } from "../../../shared/limits.ts";
import { isoDay } from "../data/days.ts";
import { detailsSince } from "../data/extent.ts";
import { askOne, domainScope, type LedgerRequest } from "../data/ledger-request.ts";
import { askOverview, fillDays } from "../data/overview.ts";
import { type Period, periodBefore } from "../data/period.ts";
import { reasonTotals } from "../data/reasons.ts";
import { type TimelineEvent, timelineEvents } from "../data/timeline.ts";
import type { Call } from "./call.ts";
import { ledgerRequest, periodOfInput } from "./ledger-request.ts";
import { pageFrom, partOf } from "./page.ts";

type ListedStatus = Outputs["listDomains"]["items"][number]["status"];

/** Domains of the accounts that one may see. @throws ApiError when the period or the cursor makes no sense */
export async function listDomains(c: Call, input: Inputs["listDomains"]): Promise<Outputs["listDomains"]> {
  const { text = "", status, tag, policy, order = "status", descending = false } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const list: DomainList = {
    beforeFirstDay: periodBefore(period).firstDay,
    text,
    status: status === "notJudged" ? "" : status,
    tag,
    policy: policy === undefined ? undefined : `p=${policy}`,
    order,
    descending,
    ...part,
    allProblems: request.access.role === "operator",
    databases: request.databases,
  };
  const { firstDay, lastDay } = period;
  const accounts = await accountsOfGroup(request, input.group);
  const page: DomainPage = await askOne(request, domainsQuery({ accounts, firstDay, lastDay }, list));
  return {
    ...daysOf(period),
    ...pageFrom(page.rows.map(domainJson), part, page.matching),
    byStatus: Object.fromEntries([...page.byStatus].map(([one, count]) => [statusJson(one), count])),
    byPolicy: Object.fromEntries(page.byPolicy),
  };
}

/** Those of a group; all without one. */
async function accountsOfGroup(request: LedgerRequest, group: string | undefined): Promise<readonly string[]> {
  const accounts = await request.accounts();
  if (group === undefined) return accounts;
  const grouped = await request.askDirectory(groupedAccountsQuery(accounts));
  const chosen = new Set(grouped.filter((one) => one.group === group).map(({ account }) => account));
  return accounts.filter((account) => chosen.has(account));
}

function statusJson(status: DomainStatus): ListedStatus {
  return status === "" ? "notJudged" : status;
}

function domainJson({
  rank: _,
  weight: _weight,
  status,
  firstDay,
  lastDay,
  ...row
}: DomainTotals): Outputs["listDomains"]["items"][number] {
  const firstReportDay = firstDay === null ? null : isoDay(firstDay);
  const lastReportDay = lastDay === null ? null : isoDay(lastDay);
  return { ...row, status: statusJson(status), firstReportDay, lastReportDay };
}

/** A period in an answer. */
export function daysOf({ firstDay, lastDay }: Period): { from: string; to: string } {
  return { from: isoDay(firstDay), to: isoDay(lastDay) };
}

/** Where the data begins, in an answer. */
export function knownSince(extent: Extent): { firstReportDay: string | null; detailsSince: string | null } {
  const since = detailsSince(extent);
  return {
    firstReportDay: extent.firstDay === undefined ? null : isoDay(extent.firstDay),
    detailsSince: Number.isFinite(since) ? isoDay(since) : null,
  };
}

/** Domains without aggregate reports. @throws ApiError when the period makes no sense */
export async function listOtherDomains(c: Call, input: Inputs["otherDomains"]): Promise<Outputs["otherDomains"]> {
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const { firstDay, lastDay } = period;
  const accounts = await accountsOfGroup(request, input.group);
  const items = await request.ask(otherDomainsQuery({ accounts, firstDay, lastDay }));
  return { ...daysOf(period), items, isComplete: items.length < MAX_OTHER_DOMAINS };
}

/** A domain over a period. @throws ApiError when the period makes no sense */
export async function getOverview(c: Call, input: Inputs["domainOverview"]): Promise<Outputs["domainOverview"]> {
  const { domain } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const { days, mail, policies, extent, changes, decided } = await askOverview(request, domain, period);
  const current = days.filter(({ day }) => day >= period.firstDay);
  const before = days.filter(({ day }) => day < period.firstDay);
  const sources = mergeSources(mail.sources, domain);
  const dataSince = detailsSince(extent);
  const filled = extent.firstDay === undefined ? [] : fillDays(current, { period, extent });
  const events = timelineEvents({ period, changes, policies, decisions: decided, sources, dataSince });
  return {
    domain,
    ...daysOf(period),
    ...knownSince(extent),
    messages: sumOf(current, "messages"),
    passed: sumOf(current, "passed"),
    messagesBefore: sumOf(before, "messages"),
    passedBefore: sumOf(before, "passed"),
    days: filled.map(({ day, ...sums }) => ({ day: isoDay(day), ...sums })),
    dispositions: mail.dispositions,
    reasons: reasonTotals(mail.reasons),
    policies: policies.map(({ policy, firstDay, lastDay, reports, reporters }) => ({
      policy,
      firstDay: isoDay(firstDay),
      lastDay: isoDay(lastDay),
      reports,
      reporters,
    })),
    events: events.map(eventJson),
  };
}

function sumOf(days: readonly DayTotals[], name: "messages" | "passed"): number {
  return days.reduce((sum, day) => sum + day[name], 0);
}

function eventJson(event: TimelineEvent): Outputs["domainOverview"]["events"][number] {
  const day = isoDay(event.day);
  switch (event.kind) {
    case "record":
      return { kind: "record", day, change: event.change };
    case "policy":
      return { kind: "policy", day, policy: event.policy };
    case "decision":
      return { kind: "decision", day, decision: event.decided };
    case "source":
      return {
        kind: "source",
        day,
        sources: event.sources.map(({ name, service, messages }) => ({ source: name, service, messages })),
      };
  }
}

/** TLS reports about a domain. @throws ApiError when the period makes no sense */
export async function getTlsSummary(c: Call, input: Inputs["tlsSummary"]): Promise<Outputs["tlsSummary"]> {
  const { domain } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const scope = await domainScope(request, domain, period);
  const [days, policies, failures, extent] = await Promise.all([
    request.ask(tlsDaysQuery(scope)),
    request.ask(tlsPoliciesQuery(scope)),
    request.ask(tlsFailuresQuery(scope)),
    askOne(request, extentQuery(scope, "tls")),
  ]);
  return {
    domain,
    ...daysOf(period),
    ...knownSince(extent),
    successful: days.reduce((sum, { successful }) => sum + successful, 0),
    failed: days.reduce((sum, { failed }) => sum + failed, 0),
    days: days.map(({ day, ...sums }) => ({ day: isoDay(day), ...sums })),
    policies: policies.map(({ mxHosts, lastDay, ...policy }) => ({
      ...policy,
      mxHosts: mxHosts.split("\n").filter((host) => host !== ""),
      lastDay: isoDay(lastDay),
    })),
    failures: failures.map(({ lastDay, ...failure }) => ({ ...failure, lastDay: isoDay(lastDay) })),
    isComplete: Math.max(policies.length, failures.length) < TLS_LIMITS.maxGroups,
  };
}

/** Failure reports about a domain. @throws ApiError when the period makes no sense */
export async function getFailureSummary(c: Call, input: Inputs["failureSummary"]): Promise<Outputs["failureSummary"]> {
  const { domain } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const groups = await request.ask(failuresQuery(await domainScope(request, domain, period)));
  return {
    domain,
    ...daysOf(period),
    incidents: groups.reduce((sum, { incidents }) => sum + incidents, 0),
    items: groups.map(({ lastDay, ...group }) => ({ ...group, lastDay: isoDay(lastDay) })),
    isComplete: groups.length < FAILURE_LIMITS.maxGroups,
  };
}

/** What a domain of an account published when it was last checked. */
export async function getKeptCheck(c: Call, { account, domain }: Inputs["keptCheck"]): Promise<Outputs["keptCheck"]> {
  const request = ledgerRequest(c, account);
  const [[kept], changes] = await Promise.all([
    request.ask(checksQuery(domain, [account])),
    request.ask(recordChangesQuery(domain, [account], GUIDANCE_LIMITS.maxShownChanges)),
  ]);
  return {
    account,
    domain,
    checkedSeconds: kept?.checkedSeconds ?? 0,
    check: kept?.check ?? null,
    changes,
  };
}

/** What was decided about its senders. */
export async function listDecisions(c: Call, input: Inputs["listDecisions"]): Promise<Outputs["listDecisions"]> {
  const { domain } = input;
  const request = ledgerRequest(c, input.account);
  const decided = await request.ask(senderDecisionsQuery(domain, await request.accounts()));
  const items = decided
    .filter(({ decision }) => decision !== "undecided")
    .sort((a, b) => b.decidedSeconds - a.decidedSeconds);
  return { domain, items };
}
