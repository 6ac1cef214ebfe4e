/**
 * What the monthly reports of a domain and of an account share: whose they are, the choice of a month, and lists that
 * fit a page.
 */
import type { Child } from "hono/jsx";
import type { AccountProfile } from "../../../shared/ledger/accounts.ts";
import type { DayTotals } from "../../../shared/ledger/days.ts";
import type { DecidedSender, SenderDecision } from "../../../shared/ledger/sender-decisions.ts";
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import type { Notice } from "../../../shared/watch/finding.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { type Month, monthFigures, offeredMonths, readMonth } from "../data/month.ts";
import { changeOfCount, formatCount, formatShare } from "../data/numbers.ts";
import { ApiError } from "../errors.ts";
import { ForeignText } from "./foreign-text.tsx";
import { Figure } from "./marks.tsx";
import type { PageRequest } from "./page-request.ts";
import { ROLE } from "./table-view.tsx";

/** The month of the link. @throws ApiError when it is not valid */
export function monthOfLink(request: PageRequest): Month {
  const month = readMonth(request.parameters.get("month") ?? "", request.today);
  if (!month.ok) throw new ApiError("bad_request", month.error);
  return month.value;
}

interface HeadProps {
  request: PageRequest;
  profile: AccountProfile;
  month: Month;
  title: Child;
  /** Further fields of the form that chooses the month. */
  kept?: Record<string, string>;
}

/** Logo and name of the account, what the report is about, and on a screen the choice of another month. */
export function ReportHead({ request, profile: { name, logo }, month, title, kept = {} }: HeadProps) {
  return (
    <div class="page-head">
      <div>
        <p class="report-owner">
          {logo !== undefined && <img src={`data:${logo.mediaType};base64,${logo.base64}`} alt="" height="32" />}
          <ForeignText text={name} />
        </p>
        <h1>{title}</h1>
        <p class="lead">
          Mail authentication in {month.name}
          {month.lastDay >= request.today - 1 && ", which is not over: reports come a day or two later"}
        </p>
      </div>
      <form class="inline report-choice" method="get">
        {Object.entries(kept).map(([field, value]) => (
          <input type="hidden" name={field} value={value} />
        ))}
        <label for="month">Month</label>
        <select id="month" name="month">
          {offeredMonths(request.today).map((one) => (
            <option value={one.iso} selected={one.iso === month.iso}>
              {one.name}
            </option>
          ))}
        </select>
        <button type="submit">Show</button>
        <span class="small muted">Print it or save it as PDF with your browser: two pages.</span>
      </form>
    </div>
  );
}

interface VolumesProps {
  /** Of the month, and of the one before. */
  current: readonly DayTotals[];
  before: readonly DayTotals[];
}

/** The figures of a month beside those of the one before. */
export function Volumes({ current, before }: VolumesProps) {
  const { messages, passed, refused, reports } = monthFigures(current);
  const { messages: messagesBefore, passed: passedBefore, refused: refusedBefore, ...last } = monthFigures(before);
  const ofMonthBefore = (count: number): string =>
    messagesBefore === 0 ? "no earlier data" : `${formatCount(count)} the month before`;
  return (
    <dl class="figures">
      <Figure label="Messages" value={formatCount(messages)} remark={changeOfCount(messages, messagesBefore)} />
      <Figure
        label="Proven to be yours"
        value={formatShare(passed, messages)}
        remark={
          messagesBefore === 0 ? "no earlier data" : `${formatShare(passedBefore, messagesBefore)} the month before`
        }
      />
      <Figure
        label="Not proven"
        value={formatCount(messages - passed)}
        remark={ofMonthBefore(messagesBefore - passedBefore)}
      />
      <Figure label="Refused or put into spam" value={formatCount(refused)} remark={ofMonthBefore(refusedBefore)} />
      <Figure label="Reports" value={formatCount(reports)} remark={changeOfCount(reports, last.reports)} />
    </dl>
  );
}

interface ReportTableProps {
  /** Id of the heading that names it. */
  name: string;
  columns: readonly { label: string; isFigure?: boolean }[];
  /** Cells of each row, in the order of the columns; the first is the row's head. */
  rows: readonly (readonly Child[])[];
}

/** A plain table: on paper nothing is sorted or paged. On a phone its rows are blocks, as those of other tables. */
export function ReportTable({ name, columns, rows }: ReportTableProps) {
  const look = (i: number): string => (columns[i]?.isFigure ? "end" : "text");
  return (
    <table class="plain stacks" {...ROLE.table} aria-labelledby={name}>
      <thead {...ROLE.rowgroup}>
        <tr {...ROLE.row}>
          {columns.map(({ label, isFigure = false }) => (
            <th scope="col" {...ROLE.head} class={isFigure ? "end" : undefined}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...ROLE.rowgroup}>
        {rows.map(([head, ...cells]) => (
          <tr {...ROLE.row}>
            <th scope="row" {...ROLE.rowHead} class="text">
              {head}
            </th>
            {cells.map((cell, i) => (
              <td {...ROLE.cell} class={look(i + 1)} data-label={columns[i + 1]?.label}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A line of a list. */
export interface ReportLine {
  /** Days since 1970-01-01 UTC; undefined = no day is shown. */
  day?: number;
  text: Child;
}

/** A list that fits its page: what is more is counted. */
export function ReportList({ lines, shown, none }: { lines: readonly ReportLine[]; shown: number; none: string }) {
  if (lines.length === 0) return <p>{none}</p>;
  const more = lines.length - shown;
  return (
    <ul class="report-list">
      {lines.slice(0, shown).map(({ day, text }) => (
        <li>
          {day !== undefined && <span class="nowrap muted">{isoDay(day)} </span>}
          {text}
        </li>
      ))}
      {more > 0 && <li class="muted">and {formatCount(more)} more</li>}
    </ul>
  );
}

/** The worst of some notices as lines, the newest first. @param withDomain the report is about several domains */
export function NoticeList({ notices, withDomain }: { notices: readonly Notice[]; withDomain: boolean }) {
  const worst = notices.slice(0, REPORT_LIMITS.listed).sort((a, b) => b.createdSeconds - a.createdSeconds);
  const lines = [...worst, ...notices.slice(REPORT_LIMITS.listed)].map((notice) => noticeLine(notice, withDomain));
  return <ReportList lines={lines} shown={REPORT_LIMITS.listed} none="Nothing that needed attention." />;
}

function noticeLine({ createdSeconds, domain, step, title }: Notice, withDomain: boolean): ReportLine {
  const prefix = { opened: "", reminded: "Still: ", resolved: "Over: " }[step];
  const isNamed = !withDomain || domain === "" || title.startsWith(`${domain}: `);
  const text = `${isNamed ? "" : `${domain}: `}${prefix}${title}`;
  return { day: dayOfSeconds(createdSeconds), text: <ForeignText text={text} /> };
}

const DECIDED: Record<SenderDecision, string> = {
  mine: "is ours",
  notMine: "is not ours",
  forwarder: "forwards our mail",
  undecided: "is open again",
};

/** Decisions about senders as lines, in the order given. @param withDomain the report is about several domains */
export function decisionLines(
  decided: readonly DecidedSender[],
  withDomain: boolean,
): (ReportLine & { day: number })[] {
  return decided.map(({ decidedSeconds, domain, source, decision, decidedBy }) => {
    const prefix = withDomain ? `${domain}: decided that` : "Decided:";
    const text = `${prefix} ${source} ${DECIDED[decision]} (${decidedBy})`;
    return { day: dayOfSeconds(decidedSeconds), text: <ForeignText text={text} /> };
  });
}
