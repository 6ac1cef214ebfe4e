/** Whether a report's mail proves who sent it: a mark, its words, and what a verdict is based on. */

import type { Child } from "hono/jsx";
import { SENDER_STATES, type SenderState } from "../../../shared/authentication/sender-state.ts";
import type { DayTotals } from "../../../shared/ledger/days.ts";
import { countText } from "../../../shared/watch/words.ts";
import { formatShare } from "../data/numbers.ts";
import { domainPath } from "../paths.ts";
import { Name } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import type { PageRequest } from "./page-request.ts";
import type { ViewColumn } from "./table-view.tsx";

const WORDS: Record<SenderState, { mark: string; kind: string; meaning: string }> = {
  verified: { mark: "✓ verified", kind: "pass", meaning: "its mail comes from the reporter" },
  unchecked: { mark: "– unchecked", kind: "", meaning: "its sender couldn't be checked" },
  unverified: { mark: "! unverified", kind: "warn", meaning: "nothing proves who sent it" },
  contradicted: {
    mark: "✕ contradicted",
    kind: "fail",
    meaning: "its mail fails authentication, or comes from another sender",
  },
};

/** The state as a word with a sign. */
function SenderMark({ state }: { state: SenderState }) {
  const { mark, kind } = WORDS[state];
  return <span class={`result ${kind}`}>{mark}</span>;
}

/** The state, what it means, and the domain that the mail is authenticated for. */
export function SenderText({ state, domain }: { state: SenderState; domain: string }) {
  return (
    <>
      <SenderMark state={state} /> <span class="muted">{WORDS[state].meaning}</span>
      {domain !== "" && (
        <>
          : <Name text={domain} />
        </>
      )}
    </>
  );
}

/** The state in a list of reports; files have the domain too. */
export function senderColumns<Row extends { senderState: SenderState; senderDomain: string }>(): ViewColumn<Row>[] {
  return [
    {
      key: "sender",
      label: "Sender",
      narrow: true,
      term: "Verified report",
      value: ({ senderState }) => senderState,
      cell: ({ senderState }) => <SenderMark state={senderState} />,
    },
    { key: "sender_domain", label: "Sender domain", value: ({ senderDomain }) => senderDomain, exportOnly: true },
  ];
}

/** The state that a link asks for; undefined = any. */
export function readSenderState(text: string | null): SenderState | undefined {
  return SENDER_STATES.find((state) => state === text);
}

interface BasisProps {
  request: PageRequest;
  domain: string;
  days: readonly DayTotals[];
}

/** What the verdict leaves out, and what it counts unchecked; nothing if all is verified. */
export function JudgementBasis({ request, domain, days }: BasisProps): Child {
  const sum = (count: (day: DayTotals) => number): number => days.reduce((total, day) => total + count(day), 0);
  const messages = sum((day) => day.messages);
  const uncounted = sum((day) => day.uncounted);
  const reports = sum((day) => day.uncountedReports);
  const unchecked = sum((day) => day.unchecked);
  const list = (state: SenderState): string => {
    const path = linkTo(request, `${domainPath(domain)}/reports`);
    return `${path}${path.includes("?") ? "&" : "?"}sender=${state}`;
  };
  return (
    <>
      {reports > 0 && (
        <p class="small">
          {formatShare(uncounted, messages)} of messages come from {countText(reports, "report")} whose sender isn't
          proven. The verdict leaves them out: anybody can send such a report.{" "}
          <a href={list("unverified")}>Unverified</a>, <a href={list("contradicted")}>contradicted</a>
        </p>
      )}
      {unchecked > 0 && (
        <p class="small">
          {unchecked === messages - uncounted ? "All" : `${formatShare(unchecked, messages - uncounted)} of the`}{" "}
          counted messages come from <a href={list("unchecked")}>reports whose sender couldn't be checked</a>. They came
          before senders were checked, or no way to check them is configured.
        </p>
      )}
    </>
  );
}
