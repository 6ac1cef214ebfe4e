/** What is said of statements that are taken and would get figures wrong. */
import { expect, test } from "vitest";
import { statementAdvice } from "../../local/analytics/advice.ts";
import { checkStatement } from "../../local/analytics/dialect.ts";

const LATELY = "WHERE timestamp > now() - INTERVAL '30' DAY";
const WEIGHED = "sum(double4 * _sample_interval) AS n";

/** Statement → the first words of each sentence. */
const STATEMENTS: [string, string[]][] = [
  [`SELECT ${WEIGHED} FROM dmarc_records ${LATELY}`, ["A point may be written twice"]],
  [`SELECT blob3 AS d, ${WEIGHED} FROM dmarc_records ${LATELY} GROUP BY d`, ["A point may be written twice"]],
  [`SELECT blob1, ${WEIGHED} FROM dmarc_records ${LATELY} GROUP BY blob1`, ["A point may be written twice"]],
  [
    `SELECT sum(n) AS n FROM (SELECT double4 * _sample_interval AS n FROM dmarc_records ${LATELY})`,
    ["A point may be written twice"],
  ],
  [`SELECT sum(_sample_interval) AS n FROM dmarc_events ${LATELY}`, ["A point may be written twice"]],
  [`SELECT count() AS n FROM dmarc_events ${LATELY}`, ["A point may be written twice", "Points may be sampled"]],
  [
    `SELECT sum(n) AS n FROM (SELECT blob1 AS e, max(_sample_interval) AS n FROM dmarc_events ${LATELY} GROUP BY e)`,
    [],
  ],
  [
    `SELECT sum(n) AS n FROM (SELECT blob1 AS uid, argMax(double4 * _sample_interval, double2) AS n FROM dmarc_records ${LATELY} GROUP BY uid, double3)`,
    [],
  ],
  [`SELECT count(DISTINCT blob1) AS n FROM dmarc_records ${LATELY}`, []],
  [`SELECT blob1, blob3 FROM dmarc_records ${LATELY}`, []],
  ["SELECT blob1 FROM dmarc_records", ["Without a bound on timestamp"]],
  ["SELECT blob1 FROM dmarc_records WHERE timestamp < now()", ["Without a bound on timestamp"]],
  [`SELECT blob1 FROM dmarc_records ${LATELY} OR blob1 = 'x'`, ["Without a bound on timestamp"]],
  ["SELECT blob1 FROM dmarc_records WHERE blob1 = 'x' AND toDateTime(0) <= timestamp", []],
  ["SELECT blob1 FROM dmarc_records WHERE timestamp BETWEEN toDateTime(0) AND now()", []],
  ["SELECT count() AS n FROM somebody_elses", []],
  ["SHOW TABLES", []],
];

test.each(STATEMENTS)("%s", (sql, starts) => {
  const checked = checkStatement(sql);
  if (!checked.ok) throw new Error(checked.error.message);
  const advice = statementAdvice(checked.value);
  expect(advice).toEqual(starts.map((start) => expect.stringContaining(start)));
});
