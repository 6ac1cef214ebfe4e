/** What the pages about TLS share, a domain's and one report's: totals, what was asked, what failed, what it means. */
import { formatCount, formatShare } from "../data/numbers.ts";
import { describeTlsPolicy, describeTlsResult } from "../data/tls-words.ts";
import { Explained, Figure, Note } from "../parts/marks.tsx";
import type { ViewColumn } from "../parts/table-view.tsx";

/** Sessions of mail servers in three large figures. */
export function SessionFigures({ successful, failed }: { successful: number; failed: number }) {
  return (
    <dl class="figures">
      <Figure label="Sessions" value={formatCount(successful + failed)} />
      <Figure label="Encrypted" value={formatShare(successful, successful + failed)} />
      <Figure label="Failed" value={formatCount(failed)} />
    </dl>
  );
}

/** Said where failure details come to more than the summary: both are not fact (RFC 8460 section 4.4 has both counts). */
export function MoreInDetails({ failed, detailed }: { failed: number; detailed: number }) {
  if (detailed <= failed) return null;
  return (
    <Note>
      The failure details name {formatCount(detailed)} sessions, the summary {formatCount(failed)} failed ones. A
      session may stand under several reasons, or a report contradicts itself: the figures above are the summary's.
    </Note>
  );
}

/** The kind of policy a sender went by. */
export function tlsPolicyColumn<Row extends { policyType: string }>(): ViewColumn<Row> {
  return {
    key: "policy",
    label: "Policy",
    term: "MTA-STS",
    value: ({ policyType }) => policyType,
    cell: ({ policyType }) => <Explained word={policyType} meaning={describeTlsPolicy(policyType)} />,
  };
}

/** Why sessions failed. */
export function tlsResultColumn<Row extends { resultType: string }>(): ViewColumn<Row> {
  return {
    key: "result",
    label: "What failed, and what to do",
    value: ({ resultType }) => resultType,
    cell: ({ resultType }) => <Explained word={resultType} meaning={describeTlsResult(resultType)} />,
  };
}
