/** Domains: those that have reports in the period or are registered, the worst first, or what to do when there is none. */

import { hasDataQuery } from "../../../shared/ledger/data-extent.ts";
import type { AccountDomain } from "../../../shared/ledger/domain-checks.ts";
import {
  BEFORE,
  type DomainList,
  type DomainPage,
  type DomainStatus,
  type DomainTotals,
  domainsQuery,
  domainTrendsQuery,
  isDomainOrder,
  isDomainStatus,
  otherDomainsQuery,
} from "../../../shared/ledger/domains.ts";
import { TAG_LIMITS } from "../../../shared/limits.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { askOne } from "../data/ledger-request.ts";
import { changeOfCount, formatCount } from "../data/numbers.ts";
import { type Period, partsOfPeriod, periodBefore } from "../data/period.ts";
import { asksToReject, shortPolicy } from "../data/policy.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { Sparkline } from "../parts/chart-view.tsx";
import { dayColumn, dmarcColumn, messagesColumn } from "../parts/columns.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo, linkWith } from "../parts/links.ts";
import { Note, ShareBar } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodControl, PeriodText } from "../parts/period-view.tsx";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { domainPath, tagPath } from "../paths.ts";
import { askChoice, ChoiceChips, type DomainChoice, NO_CHOICE } from "./domain-choice.tsx";
import { NOT_JUDGED, SETUP_WORDS, STATUS_WORDS, StatusChips, StatusMark } from "./domain-status.tsx";
import { FirstRun } from "./first-run.tsx";
import { otherDomainsTable } from "./other-domains.tsx";
import { RemovedNote } from "./setup.tsx";

const TABLE = { id: "domains", sort: "status" };

/** A row of the table. */
interface DomainRow extends DomainTotals {
  /** Messages of the parts of the period; none in exports. */
  trend: number[];
}

export async function domainsPage(request: PageRequest): Promise<PageResult> {
  const period = periodOf(request);
  const isOperator = request.access.role === "operator";
  const choice = await askChoice(request);
  const scope = { accounts: choice.accounts, firstDay: period.firstDay, lastDay: period.lastDay };
  const [page, others] = await Promise.all([
    askOne(request, domainsQuery(scope, listOf(request, period))),
    request.ask(otherDomainsQuery(scope)),
  ]);
  const rows = await withTrends(request, { period, rows: page.rows });
  const table = domainsTable(request, { period, choice, page, rows });
  const othersTable = otherDomainsTable(request, others);
  const hasData =
    page.hasDomains || others.length > 0 || (await askOne(request, hasDataQuery(await request.accounts())));
  return {
    tables: [table, othersTable],
    content: {
      title: "Domains",
      section: "domains",
      body: (
        <>
          <PageHead title="Domains" lead={<Lead period={period} />}>
            <PeriodControl url={request.url} period={period} />
          </PageHead>
          <RemovedNote removed={request.parameters.get("removed")} />
          {isOperator && <Astray count={page.astray} />}
          {hasData ? (
            <>
              <p>
                {request.access.role !== "viewer" && (
                  <>
                    <a class="button" href="/add">
                      Add domains
                    </a>{" "}
                  </>
                )}
                <a href="/tags">Tags and groups</a>
              </p>
              {page.hasDomains && <StatusChips request={request} page={page} />}
              <ChoiceChips request={request} choice={choice} />
              {table.view(request.url)}
              {page.hasDomains && (
                <p class="small screen-only">
                  <a href="/report">Monthly report, to print</a>
                </p>
              )}
            </>
          ) : (
            <FirstRun request={request} accounts={await request.administered()} />
          )}
          {others.length > 0 && othersTable.view(request.url)}
        </>
      ),
    },
  };
}

/** The part of the list that the link asks for; all of it for an export. */
function listOf(request: PageRequest, period: Period): DomainList {
  const state = readTableState(request.parameters, TABLE);
  const { sort, descending, text } = state;
  const isExport = request.parameters.has("export");
  return {
    // Of the rows of a page it is asked with their trends.
    beforeFirstDay: isExport || sort === "change" ? periodBefore(period).firstDay : undefined,
    text,
    status: statusOf(request),
    tag: request.parameters.get("tag") ?? undefined,
    order: isDomainOrder(sort) ? sort : "status",
    descending: isDomainOrder(sort) && descending,
    ...readRowRange(request.parameters, state),
    allProblems: request.access.role === "operator",
    databases: request.databases,
  };
}

/** All domains that the list has by its address's parameters, one more than may be tagged at most; in each of their accounts. */
export async function listedDomains(request: PageRequest, parameters: URLSearchParams): Promise<AccountDomain[]> {
  const asked = { ...request, parameters };
  const period = periodOf(asked);
  const { accounts } = await askChoice(asked);
  const bounds = { limit: TAG_LIMITS.domainsAtOnce + 1, offset: 0, beforeFirstDay: undefined };
  const list = { ...listOf(asked, period), ...bounds };
  const { rows } = await askOne(asked, domainsQuery({ ...period, accounts }, list));
  return rows.flatMap(({ domain, accounts }) => accounts.map((account) => ({ account, domain })));
}

/** The status that the link asks for; undefined = any. */
function statusOf({ parameters }: PageRequest): DomainStatus | undefined {
  const asked = parameters.get("status") ?? "";
  if (asked === NOT_JUDGED) return "";
  return asked !== "" && isDomainStatus(asked) ? asked : undefined;
}

/** The rows with their small lines, which only a page shows. */
async function withTrends(
  request: PageRequest,
  { period, rows }: { period: Period; rows: DomainTotals[] },
): Promise<DomainRow[]> {
  if (request.parameters.has("export")) return rows.map((row) => ({ ...row, trend: [] }));
  const parts = partsOfPeriod(period);
  const { firstDay, lastDay } = period;
  const [[, end] = [firstDay, firstDay]] = parts;
  const scope = {
    accounts: [...new Set(rows.flatMap(({ accounts }) => accounts))],
    domains: rows.map(({ domain }) => domain),
    firstDay: periodBefore(period).firstDay,
    lastDay,
  };
  const found = await request.ask(domainTrendsQuery(scope, { firstDay, days: end - firstDay + 1 }));
  const messages = new Map(found.map((row) => [`${row.domain} ${row.part}`, row.messages]));
  return rows.map((row) => ({
    ...row,
    messagesBefore: messages.get(`${row.domain} ${BEFORE}`) ?? 0,
    trend: parts.map((_, part) => messages.get(`${row.domain} ${part}`) ?? 0),
  }));
}

function Lead({ period }: { period: Period }) {
  return (
    <>
      Who sends mail in your name, as receivers reported it for <PeriodText period={period} />.
    </>
  );
}

/** Dead letters and conflicts that belong to no row of the table. */
function Astray({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <Note>
      {count === 1
        ? "1 file couldn't be read and matches no domain below."
        : `${formatCount(count)} files couldn't be read and match no domain below.`}{" "}
      <a href="/operations/dead-letters">Dead letters</a>
    </Note>
  );
}

interface DomainsInput {
  period: Period;
  choice: DomainChoice;
  page: DomainPage;
  rows: DomainRow[];
}

function domainsTable(request: PageRequest, { period, choice, page, rows }: DomainsInput): BoundTable {
  return bindTable({
    ...TABLE,
    caption: "Domains",
    columns: columns(request, { period, choice }),
    rows,
    paged: { count: page.matching, sortable: isDomainOrder },
    controls: request.access.role !== "viewer" && isNarrowed(request) && rows.length > 1 && (
      <TagThese rows={rows} parameters={request.parameters} count={page.matching} />
    ),
    empty: page.hasDomains ? (
      <>
        No domain of this period matches.{" "}
        <a
          href={linkWith(request.url, {
            "domains.q": undefined,
            "domains.page": undefined,
            status: undefined,
            ...NO_CHOICE,
          })}
        >
          Show all
        </a>
      </>
    ) : (
      <>
        No aggregate reports for this period. <a href={linkWith(request.url, LONGEST)}>Show 12 months</a>, or wait: most
        receivers report once a day.
      </>
    ),
  });
}

/** Whether the list is of some of the domains. */
function isNarrowed({ parameters }: PageRequest): boolean {
  return ["domains.q", "status", "tag", "group"].some((name) => (parameters.get(name) ?? "") !== "");
}

/** To the form that tags domains, with those of this page filled in, or for all that the list has. */
function TagThese({
  rows,
  parameters,
  count,
}: {
  rows: readonly DomainRow[];
  parameters: URLSearchParams;
  count: number;
}) {
  const domains = new URLSearchParams({ domains: rows.map(({ domain }) => domain).join("\n") });
  const all = new URLSearchParams({ list: parameters.toString(), count: String(count) });
  return (
    <>
      <a class="button" href={`/tags?${domains}`}>{`Tag these ${rows.length}`}</a>
      {count > rows.length && <a class="button" href={`/tags?${all}`}>{`Tag all ${formatCount(count)}`}</a>}
    </>
  );
}

const LONGEST = { days: "365", from: undefined, to: undefined };

function trendColumn({ firstDay, lastDay }: Period): ViewColumn<DomainRow> {
  return {
    key: "change",
    label: "Trend",
    value: ({ messages, messagesBefore }) => (messagesBefore === 0 ? "" : messages / messagesBefore - 1),
    cell: ({ messages, messagesBefore, trend, domain, status }) =>
      status === "setUp" ? (
        ""
      ) : (
        <span class="stack">
          {trend.length > 0 && (
            <Sparkline
              values={trend}
              label={`Messages of ${domain} by day, ${isoDay(firstDay)} to ${isoDay(lastDay)}`}
            />
          )}
          <span class="small muted nowrap">{changeOfCount(messages, messagesBefore)}</span>
        </span>
      ),
  };
}

const accountColumn: ViewColumn<DomainRow> = {
  key: "account",
  label: "Account",
  value: ({ accounts }) => accounts.join(", "),
};

const tagsColumn: ViewColumn<DomainRow> = {
  key: "tags",
  label: "Tags",
  value: ({ tags }) => tags.join(", "),
  // Nothing at all where there are none: a phone leaves out the label of an empty cell.
  cell: ({ tags }) =>
    tags.length > 0 && (
      <span class="tags">
        {tags.map((tag) => (
          <>
            <a class="tag" href={tagPath(tag)}>
              <ForeignText text={tag} />
            </a>{" "}
          </>
        ))}
      </span>
    ),
};

interface ColumnsInput {
  period: Period;
  choice: DomainChoice;
}

function columns(request: PageRequest, { period, choice }: ColumnsInput): ViewColumn<DomainRow>[] {
  return [
    domainColumn(request),
    statusColumn,
    // Where rows may be of more than one account.
    ...(choice.accounts.length > 1 ? [accountColumn] : []),
    ...(choice.tags.length > 0 ? [tagsColumn] : []),
    messagesColumn(),
    passColumn,
    trendColumn(period),
    { key: "messages_before", label: "Before", value: ({ messagesBefore }) => messagesBefore, exportOnly: true },
    policyColumn,
    { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
    dayColumn("last_report_day", "Last report", ({ lastEndSeconds }) =>
      // A domain without a report has no day.
      lastEndSeconds === 0 ? Number.NaN : dayOfSeconds(lastEndSeconds),
    ),
    {
      key: "problems",
      label: "Unread reports",
      align: "end",
      term: "Dead letter",
      value: ({ deadLetters, conflicts }) => deadLetters + conflicts,
      cell: (row) => <Problems row={row} isOperator={request.access.role === "operator"} />,
    },
    ...exportColumns(choice),
  ];
}

function domainColumn(request: PageRequest): ViewColumn<DomainRow> {
  return {
    key: "domain",
    label: "Domain",
    term: "Policy domain",
    value: ({ domain }) => domain,
    cell: ({ domain, status }) => (
      <a href={linkTo(request, status === "setUp" ? `${domainPath(domain)}/setup` : domainPath(domain))}>
        <Name text={domain} />
      </a>
    ),
  };
}

const statusColumn: ViewColumn<DomainRow> = {
  key: "status",
  label: "Status",
  value: ({ status, setup }) => (status === "setUp" ? SETUP_WORDS[setup || "unknown"].label : STATUS_WORDS[status]),
  cell: (row) => <StatusMark row={row} />,
};

const passColumn: ViewColumn<DomainRow> = {
  ...dmarcColumn<DomainRow>(),
  label: "Pass DMARC",
  cell: ({ passed, messages, policy }) => (
    <ShareBar part={passed} total={messages} isRefused={passed === 0 && asksToReject(policy)} />
  ),
};

const policyColumn: ViewColumn<DomainRow> = {
  key: "policy",
  label: "Published policy",
  term: "Policy published",
  value: ({ policy }) => (policy === "" ? "" : shortPolicy(policy)),
  cell: ({ policy }) =>
    policy === "" ? (
      ""
    ) : (
      <code class="whole-words">
        <ForeignText text={shortPolicy(policy)} />
      </code>
    ),
};

/** What an exported file has and the page does not show. */
function exportColumns({ groupOf }: DomainChoice): ViewColumn<DomainRow>[] {
  return [
    {
      key: "group",
      label: "Group",
      value: ({ accounts }) => [...new Set(accounts.flatMap((account) => groupOf.get(account) ?? []))].join(", "),
      exportOnly: true,
    },
    { key: "passed", label: "Passed", value: ({ passed }) => passed, exportOnly: true },
    { key: "at_risk", label: "At risk", value: ({ atRisk }) => atRisk, exportOnly: true },
    {
      key: "state",
      label: "State",
      value: ({ status, setup }) => (status === "setUp" ? setup : status),
      exportOnly: true,
    },
    { key: "published_policy", label: "Policy", value: ({ policy }) => policy, exportOnly: true },
  ];
}

function Problems({ row: { domain, deadLetters, conflicts }, isOperator }: { row: DomainRow; isOperator: boolean }) {
  if (deadLetters + conflicts === 0) return null;
  const mark = <span class="result warn">! {formatCount(deadLetters + conflicts)}</span>;
  if (!isOperator) return mark;
  const letters = `/operations/dead-letters?${new URLSearchParams({ domain })}`;
  return <a href={deadLetters > 0 ? letters : "/operations/conflicts"}>{mark}</a>;
}
