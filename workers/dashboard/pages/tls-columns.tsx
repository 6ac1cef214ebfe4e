/** Columns that tables about TLS share, on a domain's page and in one report: what was asked, what failed, what it means. */
import { describeTlsPolicy, describeTlsResult } from "../data/tls-words.ts";
import { Explained } from "../parts/marks.tsx";
import type { ViewColumn } from "../parts/table-view.tsx";

/** The kind of policy a sender went by. */
export function tlsPolicyColumn<Row extends { policyType: string }>(): ViewColumn<Row> {
  return {
    ...{ key: "policy", label: "Policy", term: "MTA-STS" },
    value: ({ policyType }) => policyType,
    cell: ({ policyType }) => <Explained word={policyType} meaning={describeTlsPolicy(policyType)} />,
  };
}

/** Why sessions failed. */
export function tlsResultColumn<Row extends { resultType: string }>(): ViewColumn<Row> {
  return {
    ...{ key: "result", label: "What failed, and what to do" },
    value: ({ resultType }) => resultType,
    cell: ({ resultType }) => <Explained word={resultType} meaning={describeTlsResult(resultType)} />,
  };
}
