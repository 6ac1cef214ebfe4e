/** Columns that several tables have: shares of messages, days. */
import { isoDay, isoMinute } from "../data/days.ts";
import { formatShare, shareOf } from "../data/numbers.ts";
import { ForeignText } from "./foreign-text.tsx";
import { ShareBar } from "./marks.tsx";
import { PeriodMark } from "./spread.tsx";
import type { ViewColumn } from "./table-view.tsx";

/** A share of `total` with a bar under it. */
export function shareWithBar<Row>(
  part: (row: Row) => number,
  total: (row: Row) => number,
): Pick<ViewColumn<Row>, "align" | "value" | "cell"> {
  return {
    align: "end",
    value: (row) => shareOf(part(row), total(row)),
    cell: (row) => <ShareBar part={part(row)} total={total(row)} />,
  };
}

/** The share of a row's messages that pass DMARC. */
export function dmarcColumn<Row extends { passed: number; messages: number }>(): ViewColumn<Row> {
  return {
    key: "dmarc_pass",
    label: "DMARC",
    term: "DMARC pass",
    ...shareWithBar<Row>(
      ({ passed }) => passed,
      ({ messages }) => messages,
    ),
  };
}

/** A share of a row's messages as text. */
export function shareColumn<Row extends { messages: number }>(
  column: Pick<ViewColumn<Row>, "key" | "label" | "term" | "screenOnly">,
  part: (row: Row) => number,
): ViewColumn<Row> {
  return {
    ...column,
    align: "end",
    value: (row) => shareOf(part(row), row.messages),
    cell: (row) => formatShare(part(row), row.messages),
  };
}

/** A day, UTC. */
export function dayColumn<Row>(key: string, label: string, day: (row: Row) => number): ViewColumn<Row> {
  return {
    key,
    label,
    narrow: true,
    value: (row) => isoDay(day(row)),
    cell: (row) => (Number.isNaN(day(row)) ? null : <span class="nowrap">{isoDay(day(row))}</span>),
  };
}

/** The period of a report as the link to it, and its end for exports. */
export function reportPeriodColumns<Row extends { beginSeconds: number; endSeconds: number }>(
  linkOf: (row: Row) => string,
): ViewColumn<Row>[] {
  return [
    {
      key: "begin",
      label: "Period (UTC)",
      value: ({ beginSeconds }) => isoMinute(beginSeconds),
      cell: (row) => (
        <span class="stack">
          <a class="nowrap" href={linkOf(row)}>
            {isoMinute(row.beginSeconds)}
          </a>
          <span class="small muted nowrap">to {isoMinute(row.endSeconds)}</span>
          <PeriodMark {...row} />
        </span>
      ),
    },
    { key: "end", label: "End", value: ({ endSeconds }) => isoMinute(endSeconds), exportOnly: true },
  ];
}

/** What its reporter calls a report. */
export function reportIdColumn<Row extends { reportId: string }>(): ViewColumn<Row> {
  return {
    key: "report_id",
    label: "Report id",
    term: "Report id",
    value: ({ reportId }) => reportId,
    cell: ({ reportId }) => (
      <span class="mono small">
        <ForeignText text={reportId} />
      </span>
    ),
  };
}

/** Who wrote a report. */
export function reporterColumn<Row extends { reporter: string }>(): ViewColumn<Row> {
  return { key: "reporter", label: "Reporter", term: "Reporter", value: ({ reporter }) => reporter };
}

/** What tells a report from all others, for exports. */
export function identityColumns<Row extends { account: string; reportUid: string }>(): ViewColumn<Row>[] {
  return [{ key: "account", label: "Account", value: ({ account }) => account, exportOnly: true }, reportUidColumn()];
}

/** A report's uid, for exports. */
export function reportUidColumn<Row extends { reportUid: string }>(): ViewColumn<Row> {
  return { key: "report_uid", label: "Report uid", value: ({ reportUid }) => reportUid, exportOnly: true };
}

/** When the mail with a report came. */
export function receivedColumn<Row extends { receivedSeconds: number }>(): ViewColumn<Row> {
  return {
    key: "received",
    label: "Received",
    narrow: true,
    value: ({ receivedSeconds }) => isoMinute(receivedSeconds),
    cell: ({ receivedSeconds }) => <span class="nowrap small">{isoMinute(receivedSeconds)}</span>,
  };
}

/** Messages of a row. */
export function messagesColumn<Row extends { messages: number }>(): ViewColumn<Row> {
  return { key: "messages", label: "Messages", align: "end", value: ({ messages }) => messages };
}
