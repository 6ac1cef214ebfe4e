/** Operations: what came in and its outcomes over time, latency, what is waiting. For operators. */

import {
  ACTIVITY_DAYS,
  missingParts,
  type OutcomeCount,
  outcomesQuery,
  type PartsBalance,
  partsQuery,
  readOutcomes,
  readParts,
} from "../../../shared/ledger/activity.ts";
import { type RefusedAddress, reportMails } from "../../../shared/ledger/refused-mail.ts";
import { D1_LIMITS, REFUSED_MAIL_LIMITS } from "../../../shared/limits.ts";
import { partWord } from "../../../shared/mail/part-words.ts";
import type { PipelineStatus } from "../../../shared/operations.ts";
import { type OperatorStep, operatorSteps } from "../../../shared/operator-steps.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { countText } from "../../../shared/watch/words.ts";
import { isoDay, isoMinute } from "../data/days.ts";
import { formatBytes, formatCount, formatDuration } from "../data/numbers.ts";
import { askOutcomeHistory, type OutcomeHistory } from "../data/outcome-history.ts";
import { Name } from "../parts/foreign-text.tsx";
import { linkWith } from "../parts/links.ts";
import { Figure, limitNote, Note } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf, requireOperator } from "../parts/page-request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { askTrend } from "./operations-trend.tsx";
import { latencyTable, OutcomesChart, outcomesTable } from "./outcomes.tsx";

export async function operationsPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const period = periodOf(request);
  const [history, parts, status, trend, open, refused, refusedLately] = await Promise.all([
    askOutcomeHistory(request, period),
    request.ask(partsQuery(request.nowSeconds)),
    request.operate("pipelineStatus", {}),
    askTrend(request, period),
    askOpen(request),
    request.read("refusedMail", { from: isoDay(period.firstDay), to: isoDay(period.lastDay) }),
    request.read("refusedMail", {}),
  ]);
  const queues = queuesTable(status, request.nowSeconds);
  const unfinished = unfinishedTable(status);
  const databases = databasesTable(status);
  const refusedMail = refusedTable(refused.items);
  const tables = historyTables(history);
  const balance = readParts(parts);
  const steps = operatorSteps({
    ...status,
    ...open,
    prefix: request.prefix,
    nowSeconds: request.nowSeconds,
    refusedReports: reportMails(refusedLately.items),
    missingParts: missingParts(balance),
  });
  return {
    tables: [queues, unfinished, databases, refusedMail, ...Object.values(tables), ...trend.tables],
    content: {
      title: "Operations",
      section: "operations",
      body: (
        <>
          <OperationsHead request={request} tab="status" period={period} title="Operations" lead={LEAD} />
          <Steps steps={steps} />
          <Totals outcomes={history.outcomes} status={status} open={open} refused={refused.items} />
          <Parts balance={balance} />
          <OutcomesChart id="outcomes" caption="Outcomes" rows={history.outcomes} period={period} table="Outcomes">
            By processing date.{" "}
            {history.step === "day" && (
              <a href={linkWith(request.url, { days: "1", from: undefined, to: undefined })}>Today by hour</a>
            )}
          </OutcomesChart>
          <div class="columns">
            {queues.view(request.url)}
            {unfinished.view(request.url)}
          </div>
          {refusedMail.view(request.url)}
          {databases.view(request.url)}
          <DatabaseRoom status={status} />
          <div class="columns">
            {tables.latency.view(request.url)}
            {tables.outcomes.view(request.url)}
          </div>
          {trend.view}
        </>
      ),
    },
  };
}

const LEAD = "Received reports, their outcomes, processing time and what is pending.";

/** How much a database may hold, and how to add one. */
function DatabaseRoom({ status: { databases, maxDatabaseBytes } }: { status: PipelineStatus }) {
  return (
    <p class="small muted">
      A database may hold {formatBytes(maxDatabaseBytes ?? D1_LIMITS.maxDatabaseBytes)}.
      {databases.length < D1_LIMITS.maxDatabases && (
        <>
          {" "}
          Before the last is full, add another: <code>npm run deploy -- --databases {databases.length + 1}</code>.
        </>
      )}
    </p>
  );
}

/** What an operator does next, each with its command. */
function Steps({ steps }: { steps: readonly OperatorStep[] }) {
  if (steps.length === 0) return <Note kind="done">Nothing to do.</Note>;
  return (
    <section class="card" aria-labelledby="to-do">
      <h2 id="to-do">To do</h2>
      <ul class="findings">
        {steps.map(({ what, command }) => (
          <li>
            {what}: <code data-copy="">{command}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function mailsOf(refused: readonly RefusedAddress[]): number {
  return refused.reduce((sum, { mails }) => sum + mails, 0);
}

/** Shows that no part of any mail was lost: what was found, and its outcome. */
function Parts({ balance }: { balance: PartsBalance }) {
  const { found, outcomes, passedOver } = balance;
  if (found === 0) return null;
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${formatCount(count)} ${partWord(name, count)}`)
      .join(", ");
  const passed = Object.values(passedOver).reduce((sum, count) => sum + count, 0);
  const missing = missingParts(balance);
  return (
    <>
      <p class="small muted">
        Mail of the last {ACTIVITY_DAYS} days had {countText(found, "part")}: {list(outcomes)}
        {passed > 0 && `, ${formatCount(passed)} without a report (${list(passedOver)})`}.
      </p>
      {missing !== 0 && (
        <Note kind="fault">
          {formatCount(missing)} of them have no outcome. That is a fault of the pipeline: reprocess the mail of these
          days.
        </Note>
      )}
    </>
  );
}

function historyTables({ outcomes, latency, step }: OutcomeHistory) {
  return {
    outcomes: outcomesTable({ id: "outcomes", caption: "Outcomes", rows: outcomes, step }),
    latency: latencyTable({ id: "latency", caption: "Processing time", rows: latency }),
  };
}

/** Open items of any age. */
interface Open {
  deadLetters: number;
  conflicts: number;
}

async function askOpen(request: PageRequest): Promise<Open> {
  const outcomes = readOutcomes(await request.ask(outcomesQuery(request.today * SECONDS_PER_DAY)));
  return { deadLetters: outcomes.dead_letter ?? 0, conflicts: outcomes.conflict ?? 0 };
}

interface TotalsProps {
  outcomes: OutcomeCount[];
  status: PipelineStatus;
  open: Open;
  refused: RefusedAddress[];
}

function Totals({ outcomes, status, open, refused }: TotalsProps) {
  const countOf = (name: string): string => {
    return formatCount(outcomes.reduce((sum, { outcome, events }) => sum + (outcome === name ? events : 0), 0));
  };
  const { unfinished, reportsWithDueSlices } = status;
  const refusedMails = mailsOf(refused);
  const isAtLeast = refused.some((one) => one.isAtLeast);
  return (
    <dl class="figures">
      <Figure
        label="Open dead letters"
        term="Dead letter"
        value={formatCount(open.deadLetters)}
        remark={<OpenRemark href="/operations/dead-letters" what="dead letters" events={countOf("dead_letter")} />}
      />
      <Figure
        label="Open conflicts"
        term="Conflict"
        value={formatCount(open.conflicts)}
        remark={<OpenRemark href="/operations/conflicts" what="conflicts" events={countOf("conflict")} />}
      />
      <Figure
        label="Pending files"
        value={formatCount(unfinished)}
        remark={
          <a href="#unfinished">
            by day<span class="hidden-label"> of arrival</span>
          </a>
        }
      />
      <Figure
        label="Refused mails"
        value={`${formatCount(refusedMails)}${isAtLeast ? " or more" : ""}`}
        remark={<a href="#refused">to addresses not registered</a>}
      />
      <Figure label="Reports accepted" value={countOf("accepted")} remark="in the period" />
      <Figure label="Reprocessed" term="Reprocessing" value={countOf("reprocessed")} remark="in the period" />
      <Figure label="Duplicate reports" term="Duplicate" value={countOf("duplicate")} remark="in the period" />
      <Figure
        label="Points pending"
        value={formatCount(reportsWithDueSlices)}
        remark="reports whose points are still to be written"
      />
    </dl>
  );
}

/** Under the open items: the outcomes of the period's mail, open or not. */
function OpenRemark({ href, what, events }: { href: string; what: string; events: string }) {
  return (
    <>
      <a href={href}>
        show<span class="hidden-label"> {what}</span>
      </a>
      , {events} from this period
    </>
  );
}

function refusedTable(rows: RefusedAddress[]): BoundTable {
  return bindTable<RefusedAddress>({
    id: "refused",
    caption: "Refused mail: address not registered",
    rows,
    sort: "-mails",
    size: 10,
    empty: "No mail was refused in this period.",
    partial: limitNote(rows, REFUSED_MAIL_LIMITS.addressesShown),
    columns: [
      {
        key: "rua",
        label: "Sent to",
        value: ({ rua }) => rua,
        cell: ({ rua }) => (rua === "" ? "other addresses" : <Name text={rua} />),
      },
      {
        key: "mails",
        label: "Mails",
        align: "end",
        value: ({ mails }) => mails,
        cell: ({ mails, isAtLeast }) => `${formatCount(mails)}${isAtLeast ? " or more" : ""}`,
      },
      { key: "at_least", label: "Or more", value: ({ isAtLeast }) => (isAtLeast ? "yes" : "no"), exportOnly: true },
      { key: "last", label: "Last mail", value: ({ lastSeconds }) => isoMinute(lastSeconds) },
      {
        key: "sender",
        label: "Last envelope sender",
        value: ({ lastSender }) => lastSender,
        cell: ({ lastSender }) => (lastSender === "" ? "–" : <Name text={lastSender} />),
      },
    ],
  });
}

/** How full the ledger is, before it is. */
function databasesTable({ databases }: PipelineStatus): BoundTable {
  return bindTable<PipelineStatus["databases"][number]>({
    id: "databases",
    caption: "Databases",
    rows: databases,
    sort: "database",
    size: 10,
    empty: "No database answers.",
    columns: [
      { key: "database", label: "Number", value: ({ database }) => database },
      { key: "accounts", label: "Accounts", align: "end", value: ({ accounts }) => accounts },
      {
        key: "bytes",
        label: "Size",
        align: "end",
        value: ({ bytes }) => bytes,
        cell: ({ bytes }) => (bytes === 0 ? "–" : formatBytes(bytes)),
      },
    ],
  });
}

function unfinishedTable({ unfinishedDays }: PipelineStatus): BoundTable {
  return bindTable({
    id: "unfinished",
    caption: "Pending files",
    rows: unfinishedDays,
    sort: "-day",
    empty: "Nothing is pending.",
    columns: [
      { key: "day", label: "Arrived on (UTC)", value: ({ day }) => day },
      { key: "objects", label: "Files", align: "end", value: ({ objects }) => objects },
      { key: "counted", label: "Counted", value: ({ countedSeconds }) => isoMinute(countedSeconds) },
    ],
  });
}

function queuesTable({ queues }: PipelineStatus, nowSeconds: number): BoundTable {
  return bindTable({
    id: "queues",
    caption: "Queues",
    rows: queues,
    sort: "queue",
    empty: "No queue is reported.",
    columns: [
      { key: "queue", label: "Queue", value: ({ queue }) => queue },
      { key: "messages", label: "Waiting", align: "end", value: ({ messages }) => messages },
      {
        key: "bytes",
        label: "Size",
        align: "end",
        value: ({ bytes }) => bytes,
        cell: ({ bytes }) => formatBytes(bytes),
      },
      {
        key: "oldest_seconds",
        label: "Oldest",
        align: "end",
        value: ({ oldestSeconds }) => oldestSeconds,
        cell: ({ oldestSeconds }) => (oldestSeconds === 0 ? "–" : formatDuration(nowSeconds - oldestSeconds)),
      },
    ],
  });
}
