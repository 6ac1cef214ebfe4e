/** Records as reports have them, in full. */

import { readAuthResults, readReasons } from "../../../shared/guidance/auth-results.ts";
import type { SourceRecord } from "../../../shared/ledger/one-source.ts";
import { isoDay } from "../data/days.ts";
import { AddressLink } from "../parts/address-link.tsx";
import { messagesColumn } from "../parts/columns.tsx";
import { FirstOf, ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { DispositionMark, ResultMark } from "../parts/marks.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable, type TableSpec, type ViewColumn } from "../parts/table-view.tsx";
import { reportPath } from "../paths.ts";

/** What is shown of a record, wherever it was read. */
type Shown = Omit<SourceRecord, "reportUid" | "account" | "day" | "reporter">;

interface RecordsInput<Row extends Shown>
  extends Partial<Pick<TableSpec<Row>, "paged" | "controls" | "empty" | "partial" | "size">> {
  id: string;
  caption: string;
  records: readonly Row[];
  /** Stand in front: where a record is from, or its place. */
  columns: ViewColumn<Row>[];
  sort: string;
  /** All are from one address, which is not repeated in each row. */
  isOneAddress?: boolean;
}

/** Records in full. */
export function recordsTable<Row extends Shown>(request: PageRequest, input: RecordsInput<Row>): BoundTable {
  const { records, isOneAddress = false, columns, ...given } = input;
  return bindTable<Row>({
    size: 10,
    empty: "No records.",
    ...given,
    rows: records,
    columns: [...columns, ...recordColumns(request, isOneAddress)],
  });
}

/** The report a record is from. */
export function originColumns(request: PageRequest): ViewColumn<SourceRecord>[] {
  return [
    {
      key: "day",
      label: "Day (UTC)",
      value: ({ day }) => isoDay(day),
      cell: (record) => (
        <span class="stack">
          <a class="nowrap" href={linkTo(request, reportPath(record))}>
            {isoDay(record.day)}
          </a>
          <span class="small muted">
            <ForeignText text={record.reporter} />
          </span>
        </span>
      ),
    },
    { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter, exportOnly: true },
  ];
}

function recordColumns(request: PageRequest, isOneAddress: boolean): ViewColumn<Shown>[] {
  return [
    {
      key: "address",
      label: "Address",
      ...(isOneAddress ? { exportOnly: true } : {}),
      value: ({ sourceIp }) => sourceIp,
      cell: ({ domain, sourceIp }) => <AddressLink request={request} domain={domain} address={sourceIp} />,
    },
    messagesColumn(),
    ...RESULT_COLUMNS,
  ];
}

/** The results of the mail, and the reasons. */
const RESULT_COLUMNS: ViewColumn<Shown>[] = [
  {
    key: "dmarc",
    label: "DMARC",
    term: "DMARC pass",
    value: ({ isPass }) => (isPass ? "pass" : "fail"),
    cell: ({ isPass }) => <ResultMark result={isPass ? "pass" : "fail"} />,
  },
  {
    key: "disposition",
    label: "Disposition",
    term: "Disposition",
    value: ({ disposition }) => disposition,
    cell: ({ disposition }) => <DispositionMark disposition={disposition} />,
  },
  {
    key: "from",
    label: "From, envelope",
    term: "From header",
    value: ({ headerFrom }) => headerFrom,
    cell: ({ headerFrom, envelopeFrom }) => (
      <span class="stack">
        <span>
          <Name text={headerFrom} />
        </span>
        <span class="small muted">
          <Name text={envelopeFrom} />
        </span>
      </span>
    ),
  },
  authColumn({ key: "dkim_results", label: "DKIM: aligned, found", term: "DKIM" }, (record) => [
    record.dkim,
    record.dkimResults,
  ]),
  authColumn({ key: "spf_results", label: "SPF: aligned, found", term: "SPF" }, (record) => [
    record.spf,
    record.spfResults,
  ]),
  { key: "dkim_aligned", label: "DKIM aligned", value: ({ dkim }) => dkim, exportOnly: true },
  { key: "spf_aligned", label: "SPF aligned", value: ({ spf }) => spf, exportOnly: true },
  { key: "envelope_from", label: "Envelope from", value: ({ envelopeFrom }) => envelopeFrom, exportOnly: true },
  {
    key: "reasons",
    label: "Reasons",
    term: "Policy override reason",
    value: ({ reasons }) => reasons,
    cell: ({ reasons }) => (
      <span class="stack small">
        <FirstOf
          items={readReasons(reasons)}
          view={({ type, comment }) => <ForeignText text={comment === "" ? type : `${type}: ${comment}`} />}
        />
      </span>
    ),
  },
];

function authColumn(
  column: { key: string; label: string; term: string },
  read: (record: Shown) => [aligned: string, results: string],
): ViewColumn<Shown> {
  return {
    ...column,
    value: (record) => read(record)[1],
    cell(record) {
      const [aligned, results] = read(record);
      return (
        <span class="stack">
          <span>
            <ResultMark result={aligned} />
          </span>
          <FirstOf
            items={readAuthResults(results)}
            view={({ domain, detail, result }) => (
              <span class="small muted">
                <Name text={domain || "no domain"} /> <Name text={detail} /> <ForeignText text={result} />
              </span>
            )}
          />
        </span>
      );
    },
  };
}
