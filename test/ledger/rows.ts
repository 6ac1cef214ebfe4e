/** Support: rows of the ledger as tests write them. */

import * as v from "valibot";
import { UNCHECKED } from "../../shared/authentication/sender-state.ts";
import { noChanges } from "../../shared/ledger/commit-batch.ts";
import { NO_SUMS, type ReportReference, type ReportShare, reportDetails } from "../../shared/ledger/report-rows.ts";
import type { ReportWrite } from "../../shared/ledger/reports.ts";

export const NOW = 1_795_000_000;
export const DAY = 20_775;
export const EMPTY = noChanges();

/** A report about example.com; `uid` is a hex digit. */
export function reference(uid: string, day = DAY): ReportReference {
  return { account: "acme", kind: "aggregate", domain: "example.com", day, uid: uid.repeat(32).slice(0, 32) };
}

/** A report's figures on one day. */
export function share(day: number, figures: Record<string, number>): ReportShare {
  const total = Object.values(figures).reduce((sum, count) => sum + count, 0);
  return {
    domain: "example.com",
    day,
    place: 0,
    sums: { ...NO_SUMS, records: Object.keys(figures).length, total, passed: total },
    policy: "p=none",
    details: v.parse(reportDetails, { kind: "aggregate", email: "a@reporter.example", policy: { p: "none" } }),
    figures: [JSON.stringify(figures)],
    reading: undefined,
  };
}

/** A report with these shares; `changes` over what is usual. */
export function write(to: ReportReference, shares: ReportShare[], changes: Partial<ReportWrite> = {}): ReportWrite {
  return {
    account: to.account,
    kind: to.kind,
    uid: to.uid,
    version: 0,
    generation: 1,
    state: "accepted",
    contentHash: "c".repeat(32),
    reporter: "Reporter",
    reportId: "1",
    beginSeconds: to.day * 86_400,
    endSeconds: to.day * 86_400 + 86_399,
    receivedSeconds: NOW,
    rua: "dmarc@example.com",
    rawKey: `raw/2026/11/18/${"a".repeat(64)}/r.xml.gz`,
    part: "",
    points: 1,
    highestPoints: 1,
    sender: UNCHECKED,
    shares,
    spreadBefore: [],
    ...changes,
  };
}
