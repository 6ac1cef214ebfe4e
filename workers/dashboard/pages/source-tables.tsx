/** The tables of a source: addresses, what authenticated its mail, From domains, reports. */

import type { AddressName } from "../../../shared/guidance/address-name.ts";
import type { SourceDetail, SourceReport } from "../../../shared/ledger/one-source.ts";
import { SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { namePhrases } from "../data/address-names.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { type AddressRow, type AuthRow, addressRows, authRows, type FromRow, fromRows } from "../data/source-detail.ts";
import { AddressLink } from "../parts/address-link.tsx";
import {
  dayColumn,
  dmarcColumn,
  messagesColumn,
  reporterColumn,
  reportUidColumn,
  shareColumn,
} from "../parts/columns.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Note, ResultMark } from "../parts/marks.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { reportPath } from "../paths.ts";

/** What an address is called, under it. */
export function AddressNote({ name }: { name: AddressName | undefined }) {
  return (
    <>
      {namePhrases(name).map((phrase) => (
        <div class="small muted">
          <ForeignText text={phrase} />
        </div>
      ))}
    </>
  );
}

/** Figures per address. */
export function addressesTable(
  request: PageRequest,
  {
    domain,
    groups,
    names,
  }: { domain: string; groups: readonly SourceDetail[]; names: ReadonlyMap<string, AddressName> },
): BoundTable {
  return bindTable<AddressRow>({
    id: "addresses",
    caption: "Addresses",
    rows: addressRows(groups),
    sort: "-messages",
    empty: "No address.",
    columns: [
      {
        key: "address",
        label: "Address",
        term: "Source",
        value: ({ sourceIp }) => sourceIp,
        cell: ({ sourceIp }) => (
          <>
            <AddressLink request={request} domain={domain} address={sourceIp} />
            <AddressNote name={names.get(sourceIp)} />
          </>
        ),
      },
      {
        key: "host",
        label: "Reverse name",
        value: ({ sourceIp }) => names.get(sourceIp)?.host ?? "",
        exportOnly: true,
      },
      { key: "asn", label: "Network", value: ({ sourceIp }) => names.get(sourceIp)?.asn ?? 0, exportOnly: true },
      { key: "holder", label: "Holder", value: ({ sourceIp }) => names.get(sourceIp)?.holder ?? "", exportOnly: true },
      messagesColumn(),
      dmarcColumn(),
      shareColumn({ key: "dkim_pass", label: "DKIM pass" }, ({ dkimPassed }) => dkimPassed),
      shareColumn({ key: "dkim_aligned", label: "DKIM aligned" }, ({ dkimAligned }) => dkimAligned),
      shareColumn({ key: "spf_pass", label: "SPF pass" }, ({ spfPassed }) => spfPassed),
      shareColumn({ key: "spf_aligned", label: "SPF aligned" }, ({ spfAligned }) => spfAligned),
      dayColumn("first_seen", "First seen", ({ firstDay }) => firstDay),
      dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    ],
  });
}

/** DKIM signatures by domain and selector, or SPF checks by domain and scope. */
export function authTable(kind: "dkim" | "spf", groups: readonly SourceDetail[]): BoundTable {
  const isDkim = kind === "dkim";
  return bindTable<AuthRow>({
    id: kind,
    caption: isDkim ? "DKIM signatures" : "SPF checks",
    rows: authRows(kind, groups),
    sort: "-messages",
    size: 10,
    empty: isDkim ? "The mail carried no DKIM signature." : "No SPF check was reported.",
    columns: [
      { key: "domain", label: isDkim ? "Signing domain" : "SPF domain", value: ({ domain }) => domain },
      {
        key: isDkim ? "selector" : "scope",
        label: isDkim ? "Selector" : "Scope",
        ...(isDkim ? { term: "DKIM selector" } : {}),
        value: ({ detail }) => detail,
      },
      {
        key: "result",
        label: "Result",
        value: ({ result }) => result,
        cell: ({ result }) => <ResultMark result={result} />,
      },
      messagesColumn(),
    ],
  });
}

/** From domains, with the envelope's. */
export function fromTable(groups: readonly SourceDetail[]): BoundTable {
  return bindTable<FromRow>({
    id: "from",
    caption: "From domains",
    rows: fromRows(groups),
    sort: "-messages",
    size: 10,
    empty: "No From domain was reported.",
    columns: [
      { key: "header_from", label: "From header", term: "From header", value: ({ headerFrom }) => headerFrom },
      {
        key: "envelope_from",
        label: "Envelope from",
        term: "Envelope from",
        value: ({ envelopeFrom }) => envelopeFrom,
      },
      messagesColumn(),
      dmarcColumn(),
    ],
  });
}

/** The reports that name a source, one row each. */
export function sourceReportsTable(request: PageRequest, groups: readonly SourceReport[]): BoundTable {
  const reports = new Map<string, SourceReport>();
  for (const group of groups) {
    const { messages = 0, passed = 0 } = reports.get(group.reportUid) ?? {};
    reports.set(group.reportUid, { ...group, messages: messages + group.messages, passed: passed + group.passed });
  }
  return bindTable<SourceReport>({
    id: "reports",
    caption: "Reports",
    rows: [...reports.values()],
    sort: "-day",
    size: 10,
    empty: "No report in this period.",
    partial: reports.size >= SOURCE_LIMITS.maxReports && (
      <Note>
        These are the newest {formatCount(SOURCE_LIMITS.maxReports)}; the others are among all reports of the domain.
      </Note>
    ),
    columns: [
      {
        key: "day",
        label: "Begins (UTC)",
        value: ({ beginSeconds }) => isoDay(dayOfSeconds(beginSeconds)),
        cell: (report) => (
          <a class="nowrap" href={linkTo(request, reportPath(report))}>
            {isoDay(dayOfSeconds(report.beginSeconds))}
          </a>
        ),
      },
      reporterColumn(),
      messagesColumn(),
      dmarcColumn(),
      reportUidColumn(),
    ],
  });
}
