/**
 * An account's month over all its domains, to print or hand on: how many need attention, what changed, what was done,
 * every domain.
 */
import type { VerdictState } from "../../../shared/guidance/verdict.ts";
import { type DayTotals, type DomainSum, dayTotalsQuery, domainSumsQuery } from "../../../shared/ledger/days.ts";
import { type DomainVerdict, domainVerdictsQuery } from "../../../shared/ledger/domain-verdicts.ts";
import { noticesOfPeriodQuery } from "../../../shared/ledger/notices.ts";
import { accountDecisionsQuery, type DecidedSender } from "../../../shared/ledger/sender-decisions.ts";
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import type { Notice } from "../../../shared/watch/finding.ts";
import { type Month, monthBefore } from "../data/month.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { ApiError } from "../errors.ts";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { domainPath } from "../parts/links.ts";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import {
  decisionLines,
  monthOfLink,
  NoticeList,
  profileOf,
  ReportHead,
  ReportList,
  ReportTable,
  Volumes,
} from "../parts/report-page.tsx";
import type { PageRequest } from "../parts/request.ts";
import { STATUS_WORDS, StatusMark } from "./domain-status.tsx";

const PATH = "/report";

interface AccountMonth {
  account: string;
  month: Month;
  current: DayTotals[];
  before: DayTotals[];
  verdicts: DomainVerdict[];
  sums: DomainSum[];
  notices: Notice[];
  decided: DecidedSender[];
}

export async function accountReportPage(request: PageRequest): Promise<PageResult> {
  const month = monthOfLink(request);
  const accounts = await request.accounts();
  const account = request.parameters.get("account") ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (account === undefined) return choice(accounts, month);
  if (!accounts.includes(account)) throw new ApiError("not_found", "There is no such account.");
  const [found, profile] = await Promise.all([askMonth(request, account, month), profileOf(request, account)]);
  const title = "All domains";
  return {
    tables: [],
    content: {
      title: `${profile.name}, ${month.name}`,
      section: "domains",
      crumbs: [{ label: "Domains", href: "/" }],
      body: (
        <>
          <ReportHead request={request} profile={profile} month={month} title={title} kept={{ account }} />
          <Body found={found} />
        </>
      ),
    },
  };
}

function choice(accounts: readonly string[], month: Month): PageResult {
  const body = (
    <>
      <PageHead title="Monthly report" lead={`Of which account, ${month.name}?`} />
      <section class="card">
        {accounts.length === 0 ? (
          <p>There is no account with reports yet.</p>
        ) : (
          <ul>
            {accounts.map((account) => (
              <li>
                <a href={`${PATH}?${new URLSearchParams({ account, month: month.iso })}`}>
                  <ForeignText text={account} />
                </a>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
  const crumbs = [{ label: "Domains", href: "/" }];
  return { tables: [], content: { title: "Monthly report", section: "domains", crumbs, body } };
}

async function askMonth(request: PageRequest, account: string, month: Month): Promise<AccountMonth> {
  const accounts = [account];
  const period = { firstDay: month.firstDay, lastDay: month.lastDay, limit: REPORT_LIMITS.rowsRead };
  const scope = { accounts, firstDay: month.firstDay, lastDay: month.lastDay };
  const [days, verdicts, sums, notices, decided] = await Promise.all([
    request.ask(dayTotalsQuery({ ...scope, firstDay: monthBefore(month).firstDay }), account),
    request.ask(domainVerdictsQuery(accounts, { limit: REPORT_LIMITS.domainsRead }), account),
    request.ask(domainSumsQuery(scope), account),
    request.ask(noticesOfPeriodQuery(accounts, period), account),
    request.ask(accountDecisionsQuery(account, period), account),
  ]);
  const current = days.filter(({ day }) => day >= month.firstDay);
  const before = days.filter(({ day }) => day < month.firstDay);
  return { account, month, current, before, verdicts, sums, notices, decided };
}

function Body({ found }: { found: AccountMonth }) {
  const { current, before, notices, decided } = found;
  return (
    <>
      <InShort found={found} />
      <Volumes current={current} before={before} />
      <section class="card" aria-labelledby="changed">
        <h2 id="changed">What changed</h2>
        <NoticeList notices={notices} withDomain />
      </section>
      <section class="card" aria-labelledby="done">
        <h2 id="done">What was done</h2>
        <ReportList lines={decisionLines(decided, true)} shown={REPORT_LIMITS.listed} none="Nothing was decided." />
      </section>
      <div class="page-break" />
      <Domains found={found} />
    </>
  );
}

const BAD: readonly VerdictState[] = ["beingRejected"];
const NEEDED: readonly VerdictState[] = ["beingRejected", "notYet", "ready", "silent"];

/** The verdicts as they are today: those of a month that is over are not kept. */
function InShort({ found: { verdicts } }: { found: AccountMonth }) {
  const counts = new Map<VerdictState, number>();
  for (const { state } of verdicts) counts.set(state, (counts.get(state) ?? 0) + 1);
  const count = (states: readonly VerdictState[]): number =>
    states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  const [refused, needed] = [count(BAD), count(NEEDED)];
  const headline =
    refused > 0
      ? `Mail of real senders is refused at ${domainsText(refused)}`
      : needed > 0
        ? `${domainsText(needed)} of ${formatCount(verdicts.length)} ${needed === 1 ? "needs" : "need"} attention`
        : "Nothing to do";
  const tone = refused > 0 ? "beingRejected" : needed > 0 ? "notYet" : "protected";
  return (
    <section class={`card verdict ${tone}`} aria-labelledby="verdict">
      <h2 id="verdict">{headline}</h2>
      <p>
        Today:{" "}
        {[...counts].map(([state, number], i) => `${i === 0 ? "" : ", "}${formatCount(number)} ${STATUS_WORDS[state]}`)}
        .
      </p>
    </section>
  );
}

function Domains({ found: { verdicts, sums, month } }: { found: AccountMonth }) {
  const byName = new Map(sums.map((sum) => [sum.domain, sum]));
  const shown = verdicts.slice(0, REPORT_LIMITS.domains);
  const more = verdicts.length - shown.length;
  return (
    <section class="card" aria-labelledby="domains">
      <h2 id="domains">Domains, the worst first</h2>
      <ReportTable
        columns={[
          { label: "Domain" },
          { label: "Today" },
          { label: "Messages", isFigure: true },
          { label: "Proven", isFigure: true },
          { label: "Why" },
        ]}
        rows={shown.map(({ domain, state, reasons }) => {
          const { messages = 0, passed = 0 } = byName.get(domain) ?? {};
          return [
            <a href={`${domainPath(domain)}/report?month=${month.iso}`}>
              <Name text={domain} />
            </a>,
            <StatusMark row={{ status: state, setup: "" }} />,
            formatCount(messages),
            formatShare(passed, messages),
            <ForeignText text={reasons[0]?.sentence ?? ""} />,
          ];
        })}
      />
      {shown.length === 0 && <p>There are no domains with reports yet.</p>}
      {more > 0 && (
        <p class="small muted">
          and {formatCount(more)} more; <a href="/">the list of domains</a> has them all
        </p>
      )}
    </section>
  );
}

function domainsText(count: number): string {
  return count === 1 ? "1 domain" : `${formatCount(count)} domains`;
}
