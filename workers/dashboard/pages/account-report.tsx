/**
 * An account's month over all its domains, to print or hand on: how many need attention, what changed, what was done,
 * every domain.
 */
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import { type AccountMonth, askAccountMonth, summaryOf } from "../data/account-month.ts";
import type { Month } from "../data/month.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { ApiError } from "../errors.ts";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import {
  decisionLines,
  monthOfLink,
  NoticeList,
  ReportHead,
  ReportList,
  ReportTable,
  Volumes,
} from "../parts/report-page.tsx";
import { domainPath } from "../paths.ts";
import { STATUS_WORDS, StatusMark } from "./domain-status.tsx";

const PATH = "/report";
const NO_VERDICT = "A domain gets its verdict within an hour or two after its first report.";

export async function accountReportPage(request: PageRequest): Promise<PageResult> {
  const month = monthOfLink(request);
  const accounts = await request.accounts();
  const account = request.parameters.get("account") ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (account === undefined) return choice(accounts, month);
  if (!accounts.includes(account)) throw new ApiError("not_found", "There is no such account.");
  const found = await askAccountMonth(request, account, month);
  const { profile } = found;
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
      <PageHead title="Monthly report" lead={`Choose an account, ${month.name}`} />
      <section class="card">
        {accounts.length === 0 ? (
          <p>There is no account with reports yet.</p>
        ) : (
          <ul class="columned">
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
        <ReportList lines={decisionLines(decided, true)} shown={REPORT_LIMITS.listed} none="No decisions." />
      </section>
      <div class="page-break" />
      <Domains found={found} />
    </>
  );
}

/** The verdicts as they are today: those of a month that is over are not kept. */
function InShort({ found }: { found: AccountMonth }) {
  const { headline, refused, needed, counts } = summaryOf(found);
  if (counts.size === 0) {
    return (
      <section class="card verdict" aria-labelledby="verdict">
        <h2 id="verdict">{headline}</h2>
        <p>{NO_VERDICT}</p>
      </section>
    );
  }
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
      <h2 id="domains">Domains, worst first</h2>
      <ReportTable
        name="domains"
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
      {shown.length === 0 && <p>{NO_VERDICT}</p>}
      {more > 0 && (
        <p class="small muted">
          and {formatCount(more)} more; <a href="/">the list of domains</a> has them all
        </p>
      )}
    </section>
  );
}
