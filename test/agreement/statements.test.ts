/** Every statement in the documentation is answered by the local engine, and counts nothing twice. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { statementAdvice } from "../../local/analytics/advice.ts";
import { checkStatement } from "../../local/analytics/dialect.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import { eventRow, failureRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "../support/local-engine.ts";
import { DOCUMENTS } from "./documents.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  // Twice, as a redelivery writes it, and once more under a newer generation.
  const row = { domain: "acme.example", count: 3, passed: 0 };
  await engine.write("tls", [tlsRow({}), tlsRow({}), tlsRow({ generation: 2, successfulSessions: 5 })]);
  await engine.write("failures", [failureRow({}), failureRow({}), failureRow({ generation: 2, incidents: 5 })]);
  await engine.write("records", [recordRow(row), recordRow(row), recordRow({ ...row, generation: 2, count: 5 })]);
  await engine.write("events", [eventRow({}), eventRow({})]);
});
afterAll(() => engine.stop());

const statements = [...DOCUMENTS].flatMap(([file, text]) =>
  [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map((match) => ({ file, sql: match[1] ?? "" })),
);
statements.push({ file: "docs/messages-per-day.sql", sql: readFileSync("docs/messages-per-day.sql", "utf8") });

test("the documents contain statements to run", () => {
  expect(statements.length).toBeGreaterThan(4);
});

test.each(statements)("$file: the engine accepts it and nothing is counted twice: $sql", async ({ sql }) => {
  // Grafana puts its time range in.
  const statement = sql.replaceAll("$from", "0").replaceAll("$to", "4000000000");
  const checked = checkStatement(statement);
  expect(checked.ok && statementAdvice(checked.value)).toEqual([]);
  const answer = await querySql(engine.connection, statement, fetch);
  if (!answer.ok) throw new Error(answer.error.message);
  const [row = {}] = answer.value.rows;
  for (const name of ["messages", "failing", "successful", "incidents"])
    if (name in row) expect(Number(row[name])).toBe(5);
  for (const name of ["records", "reports", "events"]) if (name in row) expect(Number(row[name])).toBe(1);
  expect(answer.value.rows).toHaveLength(1);
});
