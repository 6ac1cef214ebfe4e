/** The statements of the Grafana dashboard, taken out of its file: within the dialect, answered by the local engine, nothing twice. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { statementAdvice } from "../../local/analytics/advice.ts";
import { checkStatement } from "../../local/analytics/dialect.ts";
import { DATA_SOURCE } from "../../scripts/grafana-dashboard.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import { eventRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "../support/local-engine.ts";

const source = v.object({ type: v.literal(DATA_SOURCE.type), uid: v.literal(DATA_SOURCE.uid) });
const dashboard = v.parse(
  v.object({
    panels: v.array(
      v.object({
        title: v.string(),
        datasource: source,
        targets: v.array(
          v.object({ query: v.string(), format: v.picklist(["time_series", "table"]), datasource: source }),
        ),
      }),
    ),
  }),
  JSON.parse(readFileSync("docs/grafana/dashboard.json", "utf8")),
);
const targets = dashboard.panels.flatMap(({ title, targets: all }) => all.map((target) => ({ title, ...target })));

/** Rows of each panel for the points written below, times left out. */
const EXPECTED: Record<string, object[]> = {
  "Messages by result": [{ pass: 7, fail: 5 }],
  "Messages by disposition": [{ disposition: "none", messages: 12 }],
  "Sources with failing messages": [{ failing: 5 }],
  "TLS sessions": [{ successful: 5, failed: 3 }],
  Outcomes: [{ events: 1 }],
};

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  // Twice, as a redelivery writes it, and once more under a newer generation.
  const failing = { count: 3, passed: 0 };
  const passing = { ordinal: 1, count: 7, passed: 1 };
  await engine.write("records", [
    recordRow(failing),
    recordRow(failing),
    recordRow({ ...failing, generation: 2, count: 5 }),
  ]);
  await engine.write("records", [recordRow(passing), recordRow(passing)]);
  await engine.write("tls", [tlsRow({}), tlsRow({}), tlsRow({ generation: 2, successfulSessions: 5 })]);
  await engine.write("events", [eventRow({}), eventRow({})]);
});
afterAll(() => engine.stop());

it("every panel has an expected result", () => {
  expect(targets.map(({ title }) => title)).toEqual(Object.keys(EXPECTED));
});

it.each(targets)("$title", async ({ title, query, format }) => {
  // Grafana puts its time range in.
  const statement = query.replaceAll("$from", "0").replaceAll("$to", "4000000000");
  const checked = checkStatement(statement);
  expect(checked.ok && statementAdvice(checked.value)).toEqual([]);
  const answer = await querySql(engine.connection, statement, fetch);
  if (!answer.ok) throw new Error(answer.error.message);
  const rows = answer.value.rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)]),
    ),
  );
  expect(rows).toMatchObject(EXPECTED[title] ?? []);
  expect(rows).toHaveLength(1);
  // The data source takes `t` as milliseconds.
  if (format === "time_series") expect(rows[0]?.t).toBeGreaterThan(1_000_000_000_000);
});
