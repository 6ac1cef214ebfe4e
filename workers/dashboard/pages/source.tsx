/** One source, or one address: figures per address, what authenticated its mail, records and the reports behind it. */

import { knownService } from "../../../shared/guidance/known-services.ts";
import type { SourceDetail, SourceReport } from "../../../shared/ledger/one-source.ts";
import { addFigures } from "../../../shared/ledger/sources.ts";
import { canonicalIp } from "../../../shared/report/values.ts";
import { isSpread } from "../../../shared/report-day.ts";
import { isoDay } from "../data/days.ts";
import { daysWithData } from "../data/extent.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { addressNamed, askSource, type FoundSource, type SourceChoice, sourceNamed } from "../data/source-detail.ts";
import { BeforeDetails } from "../parts/before-details.tsx";
import { chartTable, FoldedTable } from "../parts/chart-table.tsx";
import { DayChart, type Series } from "../parts/chart-view.tsx";
import type { ChartDay } from "../parts/charts.ts";
import { domainPage } from "../parts/domain-frame.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Figure, Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { saying } from "../parts/said-note.tsx";
import { SpreadMark } from "../parts/spread.tsx";
import { addressPath, domainPath, sourcePath } from "../paths.ts";
import { originColumns, recordsTable } from "./records-table.tsx";
import { changeSenderDecision, SenderDecisionCard } from "./sender-decision.tsx";
import { DiagnosisCard, SpfCard } from "./source-advice.tsx";
import { AddressNote, addressesTable, authTable, fromTable, sourceReportsTable } from "./source-tables.tsx";

/** A source by its name (organizational domain), as the page Sources names it; an address is one, too. */
export function sourcePage(
  request: PageRequest,
  { domain, source }: { domain: string; source: string },
): Promise<PageResult> {
  const address = canonicalIp(source);
  return detailPage(request, address === null ? sourceNamed({ domain, source }) : addressNamed({ domain, address }));
}

/** One address, whatever its mail authenticated as. */
export function addressPage(request: PageRequest, name: { domain: string; address: string }): Promise<PageResult> {
  return detailPage(request, addressNamed(name));
}

/** Keeps what the owner says of a source. @returns the page to go to */
export async function decideSource(
  request: PageRequest,
  form: URLSearchParams,
  { domain, source }: { domain: string; source: string },
): Promise<string> {
  const done = await changeSenderDecision(request, form, { domain, source });
  return saying(done, linkTo(request, sourcePath(domain, source)));
}

/** The same of an address. @returns the page to go to */
export async function decideAddress(
  request: PageRequest,
  form: URLSearchParams,
  { domain, address }: { domain: string; address: string },
): Promise<string> {
  const done = await changeSenderDecision(request, form, { domain, source: address });
  return saying(done, linkTo(request, addressPath(domain, address)));
}

function detailPath({ domain, name, match }: SourceChoice): string {
  return "sourceIp" in match ? addressPath(domain, name) : sourcePath(domain, name);
}

async function detailPage(request: PageRequest, detail: SourceChoice): Promise<PageResult> {
  const { domain, name } = detail;
  const period = periodOf(request);
  const found = await askSource(request, { detail, period });
  const chart = chartDays(found.days, daysWithData(period, found.extent));
  const tables = detailTables(request, { detail, found, chart });
  return domainPage(request, {
    domain,
    period,
    tab: "sources",
    title: `${name} sending as ${domain}`,
    heading: <Name text={name} />,
    lead: <Lead name={name} domain={domain} period={period} />,
    isBelowSources: true,
    tables: Object.values(tables),
    body: (
      <>
        {found.groups.length === 0 ? (
          <NoMail request={request} detail={detail} />
        ) : (
          <Content request={request} detail={detail} found={found} chart={chart} tables={tables} period={period} />
        )}
      </>
    ),
  });
}

interface TablesInput {
  detail: SourceChoice;
  found: FoundSource;
  /** Messages by day. */
  chart: ChartDay[];
}

function detailTables(request: PageRequest, { detail, found, chart }: TablesInput) {
  const { groups, records, reports, names } = found;
  return {
    days: chartTable("Messages by day", { days: chart, series: SERIES }),
    addresses: addressesTable(request, { domain: detail.domain, groups, names }),
    dkim: authTable("dkim", groups),
    spf: authTable("spf", groups),
    from: fromTable(groups),
    records: recordsTable(request, {
      id: "records",
      caption: "Newest records",
      records,
      columns: originColumns(request),
      sort: "-day",
      isOneAddress: isAddress(detail),
    }),
    reports: sourceReportsTable(request, reports),
  };
}

function isAddress({ match }: SourceChoice): boolean {
  return "sourceIp" in match;
}

function NoMail({ request, detail }: { request: PageRequest; detail: SourceChoice }) {
  return (
    <section class="card">
      <p class="empty">
        No mail from this {isAddress(detail) ? "address" : "source"} was reported in this period. Choose a longer one,
        or see <a href={linkTo(request, `${domainPath(detail.domain)}/sources`)}>all sources</a>.
      </p>
    </section>
  );
}

interface ContentProps {
  request: PageRequest;
  detail: SourceChoice;
  found: FoundSource;
  chart: ChartDay[];
  tables: ReturnType<typeof detailTables>;
  period: Period;
}

function Content({ request, detail, found, chart, tables, period }: ContentProps) {
  const { url } = request;
  return (
    <>
      <BeforeDetails url={request.url} period={period} extent={found.extent} />
      {isAddress(detail) && (
        <div>
          <AddressNote name={found.names.get(detail.name)} />
        </div>
      )}
      {found.advice !== undefined && <DiagnosisCard diagnosis={found.advice.diagnosis} />}
      <SenderDecisionCard
        decisions={found.decisions}
        suggestion={found.suggestion}
        domain={detail.domain}
        action={linkTo(request, detailPath(detail))}
      />
      {found.advice?.spf !== undefined && <SpfCard advice={found.advice.spf} />}
      <SourceFigures groups={found.groups} />
      {found.isPartial && (
        <Note>This is more than a page can show; only the largest parts are listed. Choose a shorter period.</Note>
      )}
      <SourceChart chart={chart} reports={found.reports} name={detail.name} />
      <FoldedTable table={tables.days} url={url} label="Messages by day, as a table" />
      {!isAddress(detail) && tables.addresses.view(url)}
      <div class="columns">
        {tables.dkim.view(url)}
        {tables.spf.view(url)}
      </div>
      {tables.from.view(url)}
      {tables.records.view(url)}
      {tables.reports.view(url)}
    </>
  );
}

function Lead({ name, domain, period }: { name: string; domain: string; period: Period }) {
  const service = knownService(name);
  return (
    <>
      {service !== undefined && `${service}. `}Mail from this source with <ForeignText text={domain} /> in its From
      header, <PeriodText period={period} />.
    </>
  );
}

function SourceFigures({ groups }: { groups: SourceDetail[] }) {
  const total = groups.slice(1).reduce((sum, group) => addFigures(sum, group), groups[0] ?? EMPTY);
  const addresses = new Set(groups.map(({ sourceIp }) => sourceIp)).size;
  return (
    <dl class="figures">
      <Figure label="Messages" value={formatCount(total.messages)} />
      <Figure label="Pass DMARC" term="DMARC pass" value={formatShare(total.passed, total.messages)} />
      <Figure label="DKIM aligned" term="DKIM" value={formatShare(total.dkimAligned, total.messages)} />
      <Figure label="SPF aligned" term="SPF" value={formatShare(total.spfAligned, total.messages)} />
      <Figure label="Addresses" value={formatCount(addresses)} />
      {total.uncounted > 0 && (
        <Figure
          label="From unverified reports"
          term="Verified report"
          value={formatShare(total.uncounted, total.messages)}
          remark="of messages; the verdict leaves them out"
        />
      )}
      <Figure
        label="First seen"
        value={isoDay(total.firstDay)}
        remark={`last seen ${isoDay(total.lastDay)} (all data)`}
      />
    </dl>
  );
}

const EMPTY = {
  messages: 0,
  passed: 0,
  dkimAligned: 0,
  spfAligned: 0,
  quarantined: 0,
  rejected: 0,
  spared: 0,
  uncounted: 0,
  firstDay: 0,
  lastDay: 0,
};

const SERIES: readonly Series[] = [
  { name: "passed", label: "Pass DMARC", look: "pass" },
  { name: "failed", label: "Fail DMARC", look: "fail" },
];

/** Every day of some in a row, those without a report with zeros. */
function chartDays(days: readonly { day: number; messages: number; passed: number }[], all: number[]): ChartDay[] {
  const filled = all.map((day) => ({ day, values: { passed: 0, failed: 0 } }));
  for (const { day, messages, passed } of days) {
    const values = filled[day - (all[0] ?? 0)]?.values;
    if (values === undefined) continue;
    values.passed += passed;
    values.failed += messages - passed;
  }
  return filled;
}

function SourceChart({ chart, reports, name }: { chart: ChartDay[]; reports: readonly SourceReport[]; name: string }) {
  return (
    <section class="card" aria-labelledby="volume">
      <h2 id="volume">Messages by day</h2>
      <DayChart
        id="source"
        label={`Messages of ${name} by day; the figures are in the table below.`}
        days={chart}
        series={SERIES}
        unit="messages"
      />
      {reports.some(isSpread) && (
        <p class="small muted">
          <SpreadMark /> Some of these messages come from reports over several days: each day has its share, in
          proportion to the hours.
        </p>
      )}
    </section>
  );
}
