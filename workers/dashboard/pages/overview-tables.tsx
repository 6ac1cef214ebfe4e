/** The tables of a domain's overview. */

import type { DayTotals, PolicyDays } from "../../../shared/ledger/days.ts";
import type { DispositionTotals, ReasonTotals } from "../../../shared/ledger/sources.ts";
import { ownValue } from "../../../shared/own-value.ts";
import { formatShare, shareOf } from "../data/numbers.ts";
import { describePolicy, shortPolicy } from "../data/policy.ts";
import { type ReasonRow, reasonTotals } from "../data/reasons.ts";
import { dayColumn, messagesColumn } from "../parts/columns.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { DispositionMark } from "../parts/marks.tsx";
import { spreadColumn } from "../parts/spread.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

/** Messages by day. */
export function daysTable(days: readonly DayTotals[]): BoundTable {
  return bindTable<DayTotals>({
    id: "days",
    caption: "Messages by day",
    rows: days,
    sort: "-day",
    empty: "No reports in this period.",
    columns: [
      dayColumn("day", "Day (UTC)", ({ day }) => day),
      messagesColumn(),
      { key: "passed", label: "Pass", align: "end", value: ({ passed }) => passed },
      { key: "failed", label: "Fail", align: "end", value: ({ messages, passed }) => messages - passed },
      { key: "dkim_aligned", label: "DKIM aligned", align: "end", value: ({ dkimAligned }) => dkimAligned },
      { key: "spf_aligned", label: "SPF aligned", align: "end", value: ({ spfAligned }) => spfAligned },
      { key: "quarantined", label: "Quarantined", align: "end", value: ({ quarantined }) => quarantined },
      { key: "rejected", label: "Rejected", align: "end", value: ({ rejected }) => rejected },
      { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
      spreadColumn(),
    ],
  });
}

interface DispositionRow {
  disposition: string;
  messages: number;
  failed: number;
  total: number;
}

/** What receivers did. */
export function dispositionsTable(found: readonly DispositionTotals[]): BoundTable {
  const total = found.reduce((sum, { messages }) => sum + messages, 0);
  const rows = found.map(
    ({ disposition, messages, passed }): DispositionRow => ({
      disposition,
      messages,
      failed: messages - passed,
      total,
    }),
  );
  return bindTable<DispositionRow>({
    id: "dispositions",
    caption: "What receivers did",
    rows,
    sort: "-messages",
    empty: "No messages were reported.",
    columns: [
      {
        key: "disposition",
        label: "Disposition",
        term: "Disposition",
        value: ({ disposition }) => disposition,
        cell: ({ disposition }) => <DispositionMark disposition={disposition} />,
      },
      messagesColumn(),
      {
        key: "share",
        label: "Share",
        align: "end",
        value: (row) => shareOf(row.messages, row.total),
        cell: (row) => formatShare(row.messages, row.total),
      },
      { key: "failed", label: "Failing", align: "end", value: ({ failed }) => failed },
    ],
  });
}

const REASON_WORDS: Record<string, string> = {
  forwarded: "The receiver saw that it was forwarded.",
  sampled_out: "It was outside the percentage (pct) that the policy applied to.",
  trusted_forwarder: "It came from a forwarder the receiver trusts.",
  mailing_list: "It came through a mailing list.",
  local_policy: "The receiver's own rules decided.",
  policy_test_mode: "The policy is published as a test (t=y).",
  other: "Another reason; the comment may say which.",
};

/** Why receivers did something else than the policy asks for. */
export function reasonsTable(reasons: readonly ReasonTotals[]): BoundTable {
  return bindTable<ReasonRow>({
    id: "reasons",
    caption: "Policy overrides",
    rows: reasonTotals(reasons),
    sort: "-messages",
    empty: "No receiver reported a policy override.",
    columns: [
      {
        key: "reason",
        label: "Reason",
        term: "Policy override reason",
        value: ({ type }) => type,
        cell: ({ type, comment }) => (
          <span class="stack">
            <span>
              <ForeignText text={type} />
            </span>
            <span class="small muted">{ownValue(REASON_WORDS, type) ?? "A reason that no standard defines."}</span>
            {comment !== "" && (
              <span class="small muted">
                “<ForeignText text={comment} />”
              </span>
            )}
          </span>
        ),
      },
      { key: "comment", label: "Comment", value: ({ comment }) => comment, exportOnly: true },
      {
        key: "disposition",
        label: "Action taken",
        value: ({ disposition }) => disposition,
        cell: ({ disposition }) => <DispositionMark disposition={disposition} />,
      },
      messagesColumn(),
    ],
  });
}

/** The published policies over time, from all the data. */
export function policiesTable(policies: readonly PolicyDays[]): BoundTable {
  return bindTable<PolicyDays>({
    id: "policies",
    caption: "Published policy over time",
    rows: policies,
    sort: "-last_day",
    empty: "No report contains a published policy.",
    columns: [
      {
        key: "policy",
        label: "Policy",
        term: "Policy published",
        value: ({ policy }) => shortPolicy(policy),
        cell: ({ policy }) => (
          <span class="stack">
            <code>
              <ForeignText text={shortPolicy(policy)} />
            </code>
            <span class="small muted">
              <ForeignText text={describePolicy(policy)} />
            </span>
          </span>
        ),
      },
      dayColumn("first_day", "First seen", ({ firstDay }) => firstDay),
      dayColumn("last_day", "Last seen", ({ lastDay }) => lastDay),
      {
        key: "reporters",
        label: "Reporters",
        align: "end",
        term: "Reporter",
        value: ({ reporters, reportersAreAtMost }) => (reportersAreAtMost ? `at most ${reporters}` : reporters),
      },
      { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
      { key: "tags", label: "All tags", value: ({ policy }) => policy, exportOnly: true },
    ],
  });
}
