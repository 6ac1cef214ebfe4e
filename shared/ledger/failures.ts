/** Queries about failure reports. */
import * as v from "valibot";
import { firstRows, sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { figuresIn, inScope, type Scope } from "./figure-sql.ts";
import { type FailureFigure, readFailureKey } from "./figures.ts";

/** The limit of each list (our choice); pages say when it was reached. */
export const FAILURE_LIMITS = { maxGroups: 5000, maxReports: 5000 } as const;

/** Failure reports with the same content about the same address. */
export interface FailureTotals extends FailureFigure {
  incidents: number;
  lastDay: number;
}

/** Failure reports by address and what failed, most incidents first. */
export function failuresQuery(scope: Scope): Query<FailureTotals> {
  const figures = figuresIn("failure", scope);
  return {
    ...query(
      `SELECT key, sum(value) AS incidents, max(day) AS lastDay FROM ${figures.sql}
      GROUP BY key ORDER BY incidents DESC, key LIMIT ${FAILURE_LIMITS.maxGroups}`,
      figures.parameters,
      v.pipe(
        v.object({ key: v.string(), incidents: v.number(), lastDay: v.number() }),
        v.transform(({ key, ...row }): FailureTotals => ({ ...readFailureKey(key), ...row })),
      ),
    ),
    combine: (parts) =>
      sumRows(
        parts,
        ({ incidents: _, lastDay: __, ...what }) => JSON.stringify(what),
        (a, b) => ({ ...a, incidents: a.incidents + b.incidents, lastDay: Math.max(a.lastDay, b.lastDay) }),
      ),
  };
}

export interface FailureReportRow {
  reportUid: string;
  account: string;
  domain: string;
  day: number;
  /** When the reported mail arrived; 0 if the report does not say. */
  arrivalSeconds: number;
  receivedSeconds: number;
  sourceIp: string;
  authFailure: string;
  deliveryResult: string;
  reportingMta: string;
  incidents: number;
}

/** Single failure reports, newest first. */
export function failureReportsQuery(scope: Scope): Query<FailureReportRow> {
  const where = inScope("r", "failure", scope);
  const { maxReports } = FAILURE_LIMITS;
  return {
    ...query(
      `SELECT lower(hex(r.uid)) AS reportUid, r.account, r.domain, r.day,
        coalesce(r.details ->> 'arrivalSeconds', 0) AS arrivalSeconds, r.received_seconds AS receivedSeconds,
        r.details ->> 'sourceIp' AS sourceIp, r.details ->> 'authFailure' AS authFailure,
        r.details ->> 'deliveryResult' AS deliveryResult, r.reporter AS reportingMta, r.total AS incidents
      FROM reports r WHERE ${where.sql} AND r.state = 'accepted'
      ORDER BY r.day DESC, arrivalSeconds DESC, r.uid LIMIT ${maxReports}`,
      where.parameters,
      v.object({
        reportUid: v.string(),
        account: v.string(),
        domain: v.string(),
        day: v.number(),
        arrivalSeconds: v.number(),
        receivedSeconds: v.number(),
        sourceIp: v.string(),
        authFailure: v.string(),
        deliveryResult: v.string(),
        reportingMta: v.string(),
        incidents: v.number(),
      }),
    ),
    combine: (parts) => firstRows(parts, (a, b) => b.day - a.day || b.arrivalSeconds - a.arrivalSeconds, maxReports),
  };
}
