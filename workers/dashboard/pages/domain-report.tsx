/**
 * A domain's month for readers who do not run it, to print or pass on: the verdict first, what changed, what was done, what to do
 * next, who sends. Two pages of paper; lists are cut to fit.
 */

import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import type { Verdict } from "../../../shared/guidance/verdict.ts";
import { verdictWords } from "../../../shared/guidance/verdict-words.ts";
import type { DayTotals } from "../../../shared/ledger/days.ts";
import { REPORT_LIMITS } from "../../../shared/limits.ts";
import { causeText } from "../../../shared/watch/words.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { askDomainMonth, type DomainMonth, STATE_MEANINGS } from "../data/domain-month.ts";
import type { Month } from "../data/month.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { daysOf } from "../data/period.ts";
import { DayChart } from "../parts/chart-view.tsx";
import { domainCrumbs } from "../parts/domain-frame.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import {
  decisionLines,
  monthOfLink,
  NoticeList,
  ReportHead,
  type ReportLine,
  ReportList,
  ReportTable,
  Volumes,
} from "../parts/report-page.tsx";

export async function domainReportPage(request: PageRequest, domain: string): Promise<PageResult> {
  const month = monthOfLink(request);
  const found = await askDomainMonth(request, domain, month);
  return {
    tables: [],
    content: {
      title: `${domain}, ${month.name}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <ReportHead request={request} profile={found.profile} month={month} title={<Name text={domain} />} />
          <FirstPage found={found} />
          <div class="page-break" />
          <SecondPage found={found} today={request.today} />
        </>
      ),
    },
  };
}

function FirstPage({ found }: { found: DomainMonth }) {
  const { domain, month, current, before, verdict, notices } = found;
  const { headline } = verdictWords(verdict);
  const known = new Map(current.map((day) => [day.day, day]));
  const total = current.reduce((sum, { messages }) => sum + messages, 0);
  return (
    <>
      <section class={`card verdict ${verdict.state}`} aria-labelledby="verdict">
        <h2 id="verdict">
          <ForeignText text={headline} />
        </h2>
        <p class="next-step">{STATE_MEANINGS[verdict.state]}</p>
        <InShort verdict={verdict} />
      </section>
      <Volumes current={current} before={before} />
      <section class="card" aria-labelledby="volume">
        <h2 id="volume">Messages by day</h2>
        <DayChart
          id="volume"
          label={`Messages of ${domain} by day in ${month.name}: ${formatCount(total)} in all. Weeks are in the table below.`}
          days={daysOf(month).map((day) => {
            const { messages = 0, passed = 0 } = known.get(day) ?? {};
            return { day, values: { passed, failed: messages - passed } };
          })}
          series={[
            { name: "passed", label: "Proven", look: "pass" },
            { name: "failed", label: "Not proven", look: "fail" },
          ]}
          unit="messages"
        />
      </section>
      <section class="card" aria-labelledby="changed">
        <h2 id="changed">What changed</h2>
        <NoticeList notices={notices} withDomain={false} />
      </section>
    </>
  );
}

/** What failed, by the role of its sender. */
function InShort({ verdict: { messages, wouldHit, letThrough } }: { verdict: Verdict }) {
  if (messages === 0) return null;
  const { own, undecided, forwarder, foreign } = wouldHit.reject;
  const parts = [
    { count: own, words: "from your own senders" },
    { count: undecided, words: "from senders without a decision" },
    { count: forwarder + letThrough, words: "forwarded" },
    { count: foreign, words: "from others" },
  ].filter(({ count }) => count > 0);
  if (parts.length === 0) return <p>All messages were proven to be yours.</p>;
  return (
    <p>
      Not proven: {parts.map(({ count, words }, i) => `${i === 0 ? "" : ", "}${formatCount(count)} ${words}`).join("")}.
    </p>
  );
}

function SecondPage({ found, today }: { found: DomainMonth; today: number }) {
  const { verdict, month, current } = found;
  return (
    <>
      <NextSteps found={found} />
      <section class="card" aria-labelledby="done">
        <h2 id="done">What was done</h2>
        <ReportList lines={doneLines(found)} shown={REPORT_LIMITS.listed} none="Nothing was changed or decided." />
      </section>
      <Senders sources={verdict.sources} />
      <Weeks month={month} days={current} today={today} />
    </>
  );
}

function NextSteps({ found: { domain, verdict, open } }: { found: DomainMonth }) {
  const { nextStep } = verdictWords(verdict);
  const lines = open.map(({ rule, title, causes }): ReportLine => {
    const cause = causes[0] === undefined ? "" : ` ${causeText(rule, causes[0].sentence)}`;
    return { text: <ForeignText text={`${title}.${cause}`} /> };
  });
  return (
    <section class="card" aria-labelledby="next">
      <h2 id="next">What to do next</h2>
      <p class="next-step">
        <ForeignText text={nextStep} />
      </p>
      {verdict.nextRecord !== undefined && (
        <>
          <p class="small muted">
            To be published by whoever runs the DNS, at <ForeignText text={`_dmarc.${domain}`} />:
          </p>
          <pre class="record">
            <ForeignText text={verdict.nextRecord} />
          </pre>
        </>
      )}
      {lines.length > 0 && (
        <>
          <h3>Open today</h3>
          <ReportList lines={lines} shown={REPORT_LIMITS.openListed} none="" />
        </>
      )}
    </section>
  );
}

function doneLines({ changes, decided }: DomainMonth): ReportLine[] {
  const records = changes.map(({ seenSeconds, type, name, before, after }) => {
    const word = before.length === 0 ? "published" : after.length === 0 ? "removed" : "changed";
    return { day: dayOfSeconds(seenSeconds), text: <ForeignText text={`${type} record of ${name} ${word}`} /> };
  });
  return [...records, ...decisionLines(decided, false)].sort((a, b) => b.day - a.day);
}

const WHOSE: Record<Role, string> = {
  own: "yours",
  undecided: "undecided",
  forwarder: "forwarder",
  foreign: "not yours",
};

function Senders({ sources }: { sources: readonly JudgedSource[] }) {
  const shown = sources.toSorted((a, b) => b.messages - a.messages).slice(0, REPORT_LIMITS.senders);
  const more = sources.length - shown.length;
  return (
    <section class="card" aria-labelledby="senders">
      <h2 id="senders">Who sends in the domain's name</h2>
      <ReportTable
        name="senders"
        columns={[
          { label: "Sender" },
          { label: "Whose" },
          { label: "Messages", isFigure: true },
          { label: "Proven", isFigure: true },
          { label: "Refused", isFigure: true },
        ]}
        rows={shown.map(({ name, service, role, messages, passed, refused }) => [
          <ForeignText text={service === "" ? name || "others" : `${service} (${name})`} />,
          WHOSE[role],
          formatCount(messages),
          formatShare(passed, messages),
          formatCount(refused),
        ])}
      />
      {shown.length === 0 && <p>Nobody was reported.</p>}
      {more > 0 && <p class="small muted">and {formatCount(more)} more with fewer messages</p>}
    </section>
  );
}

function Weeks({ month, days, today }: { month: Month; days: readonly DayTotals[]; today: number }) {
  const weeks = [0, 1, 2, 3, 4].map((week) => {
    const firstDay = month.firstDay + 7 * week;
    const lastDay = Math.min(firstDay + 6, month.lastDay);
    const ofWeek = days.filter(({ day }) => day >= firstDay && day <= lastDay);
    const sum = (count: (day: DayTotals) => number): number => ofWeek.reduce((total, day) => total + count(day), 0);
    return {
      firstDay,
      lastDay,
      messages: sum(({ messages }) => messages),
      passed: sum(({ passed }) => passed),
      refused: sum(({ quarantined, rejected }) => quarantined + rejected),
    };
  });
  return (
    <section class="card" aria-labelledby="weeks">
      <h2 id="weeks">Messages by week</h2>
      <ReportTable
        name="weeks"
        columns={[
          { label: "Days" },
          { label: "Messages", isFigure: true },
          { label: "Proven", isFigure: true },
          { label: "Refused", isFigure: true },
        ]}
        rows={weeks
          .filter(({ firstDay }) => firstDay <= Math.min(month.lastDay, today))
          .map(({ firstDay, lastDay, messages, passed, refused }) => [
            `${isoDay(firstDay)} to ${isoDay(lastDay)}`,
            formatCount(messages),
            formatShare(passed, messages),
            formatCount(refused),
          ])}
      />
    </section>
  );
}
