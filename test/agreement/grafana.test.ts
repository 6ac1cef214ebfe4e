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
const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const place = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Grafana's classic model, as kinds/dashboard/dashboard_kind.cue of its repository has it, as far as we use it. */
const dashboard = v.parse(
  v.strictObject({
    uid: v.pipe(v.string(), v.regex(/^[\w-]{8,40}$/)),
    title: v.string(),
    tags: v.array(v.string()),
    timezone: v.picklist(["browser", "utc"]),
    editable: v.boolean(),
    refresh: v.string(),
    schemaVersion: v.pipe(v.number(), v.minValue(36)),
    time: v.strictObject({ from: v.string(), to: v.string() }),
    annotations: v.strictObject({ list: v.tuple([]) }),
    templating: v.strictObject({ list: v.tuple([]) }),
    panels: v.array(
      v.strictObject({
        id: size,
        type: v.picklist(["timeseries", "table"]),
        title: v.string(),
        description: v.string(),
        datasource: source,
        gridPos: v.strictObject({
          h: size,
          w: v.pipe(size, v.maxValue(24)),
          x: v.pipe(place, v.maxValue(23)),
          y: place,
        }),
        options: v.looseObject({}),
        fieldConfig: v.strictObject({ defaults: v.looseObject({}), overrides: v.array(v.never()) }),
        targets: v.array(
          v.looseObject({
            refId: v.string(),
            query: v.string(),
            format: v.picklist(["time_series", "table"]),
            datasource: source,
          }),
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

it("panels have ids and places of their own, and charts a legend", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  for (const { type, options, targets: of } of panels) {
    expect(of.map(({ format }) => format)).toEqual([type === "timeseries" ? "time_series" : "table"]);
    if (type === "timeseries") expect(options).toMatchObject({ legend: { showLegend: true } });
  }
});

it("no statement has a variable or macro that is neither $from nor $to", () => {
  const names = targets.flatMap(({ query }) => query.match(/\$\w+/g) ?? []);
  expect([...new Set(names)].sort()).toEqual(["$from", "$to"]);
});

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
  // The data source takes the first column as the time, in milliseconds.
  if (format === "time_series") expect(Object.keys(rows[0] ?? {})[0]).toBe("t");
  if (format === "time_series") expect(rows[0]?.t).toBeGreaterThan(1_000_000_000_000);
});
