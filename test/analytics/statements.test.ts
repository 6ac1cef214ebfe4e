/** The statements that are ours: held to the live dialect, and their figures on the real engine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { statementAdvice } from "../../local/analytics/advice.ts";
import { checkStatement } from "../../local/analytics/dialect.ts";
import type { RowInput } from "../../shared/analytics/columns.ts";
import { type Query, quoteName } from "../../shared/analytics/query.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import {
  domainsOfAddress,
  failingSources,
  failuresByDay,
  grafanaMessages,
  grafanaOutcomes,
  latencyByDay,
  messagesByDay,
  namedStatements,
  outcomesByStep,
  sessionsByDay,
} from "../../shared/analytics/statements.ts";
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";
import { dayOfFailure, dayOfReport } from "../../shared/report-day.ts";
import { eventRow, failureRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "../support/local-engine.ts";
import { TODAY } from "../support/today.ts";

// The engine writes each point now, so the days are of this month.
const DAY = TODAY - 10;
const DAYS = { firstDay: DAY, lastDay: DAY + 1 };
const at = (day: number) => ({ beginSeconds: day * 86_400, endSeconds: day * 86_400 + 86_399 });
/** From 17:00 the day before to 17:00: most of it is of `day`. */
const shifted = (day: number) => ({ beginSeconds: day * 86_400 - 25_200, endSeconds: (day + 1) * 86_400 - 25_200 });

const FIRST = recordRow({ ...at(DAY), count: 10 });
const RECORDS: RowInput<"records">[] = [
  FIRST,
  recordRow({
    ...at(DAY),
    ordinal: 1,
    count: 4,
    passed: 0,
    sourceIp: "192.0.2.66",
    disposition: "reject",
    authDomain: "",
  }),
  // Run again: the second reading has other counts, and a record less.
  recordRow({ ...at(DAY), reportUid: "uid-2", domain: "two.example", count: 100 }),
  recordRow({ ...at(DAY), reportUid: "uid-2", domain: "two.example", count: 90, generation: 1_763_000_000 }),
  recordRow({ ...at(DAY), reportUid: "uid-2", domain: "two.example", ordinal: 1, count: 7 }),
  recordRow({
    ...at(DAY),
    reportUid: "uid-2",
    domain: "two.example",
    ordinal: 1,
    count: 0,
    passed: 0,
    live: 0,
    generation: 1_763_000_000,
  }),
  // A day of the reporter's own time zone, and days outside.
  recordRow({ ...shifted(DAY + 1), reportUid: "uid-3", count: 3 }),
  recordRow({ ...shifted(DAY + 2), reportUid: "uid-4", count: 1000 }),
  recordRow({ ...at(DAY - 1), reportUid: "uid-5", count: 2000 }),
  recordRow({ ...at(DAY), reportUid: "uid-6", account: "other", domain: "other.example", count: 5 }),
  // Taken back whole.
  recordRow({ ...at(DAY + 1), reportUid: "uid-7", domain: "gone.example", count: 8 }),
  recordRow({
    ...at(DAY + 1),
    reportUid: "uid-7",
    domain: "gone.example",
    count: 0,
    live: 0,
    generation: 1_763_000_000.5,
  }),
];
const TLS: RowInput<"tls">[] = [
  tlsRow(at(DAY)),
  tlsRow({ ...at(DAY), ordinal: 1, scope: "failure", successfulSessions: 0, failedSessions: 0, detailSessions: 3 }),
  tlsRow({ ...at(DAY), reportUid: "t2", domain: "before.example", successfulSessions: 7 }),
  tlsRow({ ...at(DAY), reportUid: "t2", domain: "after.example", successfulSessions: 8, generation: 1_763_000_000 }),
  tlsRow({ ...at(DAY - 3), reportUid: "t3", successfulSessions: 500 }),
];
const FAILURES: RowInput<"failures">[] = [
  failureRow({ arrivalSeconds: DAY * 86_400 + 1, receivedSeconds: (DAY + 2) * 86_400 }),
  failureRow({ reportUid: "f2", arrivalSeconds: 0, receivedSeconds: (DAY + 1) * 86_400 + 86_399, incidents: 5 }),
  failureRow({ reportUid: "f3", arrivalSeconds: (DAY + 2) * 86_400, receivedSeconds: DAY * 86_400, incidents: 50 }),
];
const EVENTS: RowInput<"events">[] = [
  eventRow({ processedSeconds: DAY * 86_400 + 3600 }),
  eventRow({ eventId: "d1", outcome: "dead_letter", processedSeconds: DAY * 86_400 + 7200 }),
  eventRow({ eventId: "d1", outcome: "cleared", generation: 2, processedSeconds: (DAY + 1) * 86_400 }),
  eventRow({ eventId: "e2", account: "other", processedSeconds: DAY * 86_400 + 3600 }),
  eventRow({ eventId: "old", processedSeconds: (DAY - 1) * 86_400 }),
];

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
  // Everything twice, as a redelivery writes it.
  for (let delivery = 0; delivery < 2; delivery++) {
    await engine.write("records", RECORDS);
    await engine.write("tls", TLS);
    await engine.write("failures", FAILURES);
    await engine.write("events", EVENTS);
  }
});

afterAll(() => engine.stop());

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const answer = await querySql(engine.connection, sql, fetch);
  if (!answer.ok) throw new Error(`${answer.error.message}\n${sql}`);
  return answer.value.rows;
}

async function ask<Row>({ sql, read }: Query<Row>): Promise<Row[]> {
  return (await rowsOf(sql)).map(read);
}

const forGrafana = (sql: string): string =>
  sql.replaceAll("$from", String(DAY * 86_400)).replaceAll("$to", String((DAY + 2) * 86_400));

describe("figures by domain and day include", () => {
  it("each message once, from the newest reading, on the report's middle day", async () => {
    expect(await ask(messagesByDay(DAYS))).toEqual([
      {
        domain: "acme.example",
        day: DAY,
        records: 2,
        messages: 14,
        passed: 10,
        points: 2,
        highestInterval: 1,
        meanInterval: 1,
      },
      {
        domain: "other.example",
        day: DAY,
        records: 1,
        messages: 5,
        passed: 5,
        points: 1,
        highestInterval: 1,
        meanInterval: 1,
      },
      {
        domain: "two.example",
        day: DAY,
        records: 1,
        messages: 90,
        passed: 90,
        points: 1,
        highestInterval: 1,
        meanInterval: 1,
      },
      {
        domain: "acme.example",
        day: DAY + 1,
        records: 1,
        messages: 3,
        passed: 3,
        points: 1,
        highestInterval: 1,
        meanInterval: 1,
      },
    ]);
  });

  it("messages of one account and domain, and of everything written recently", async () => {
    expect(await ask(messagesByDay(DAYS, { account: "other" }))).toMatchObject([{ domain: "other.example" }]);
    expect(await ask(messagesByDay(DAYS, { account: "acme", domain: "two.example" }))).toMatchObject([
      { messages: 90 },
    ]);
    expect(await ask(messagesByDay(DAYS, { account: "other", domain: "two.example" }))).toEqual([]);
    const all = await ask(messagesByDay({ writtenInLastDays: 1 }));
    expect(all.reduce((sum, { messages }) => sum + messages, 0)).toBe(14 + 5 + 90 + 3 + 1000 + 2000);
  });

  it("TLS sessions from policies only, under the domain of the newest reading", async () => {
    expect(await ask(sessionsByDay(DAYS))).toEqual([
      { domain: "acme.example", day: DAY, successful: 90, failed: 3, points: 1, highestInterval: 1, meanInterval: 1 },
      { domain: "after.example", day: DAY, successful: 8, failed: 3, points: 1, highestInterval: 1, meanInterval: 1 },
    ]);
    expect(await ask(sessionsByDay(DAYS, { domain: "before.example" }))).toEqual([]);
  });

  it("failure reports by the arrival of the reported message", async () => {
    expect(await ask(failuresByDay(DAYS))).toEqual([
      { domain: "acme.example", day: DAY, reports: 1, incidents: 2, points: 1, highestInterval: 1, meanInterval: 1 },
      {
        domain: "acme.example",
        day: DAY + 1,
        reports: 1,
        incidents: 5,
        points: 1,
        highestInterval: 1,
        meanInterval: 1,
      },
    ]);
  });

  it("outcomes by day and hour, including replaced ones", async () => {
    expect(await ask(outcomesByStep(DAYS, "day"))).toEqual([
      { step: DAY, outcome: "accepted", events: 2 },
      { step: DAY, outcome: "dead_letter", events: 1 },
      { step: DAY + 1, outcome: "cleared", events: 1 },
    ]);
    expect(await ask(outcomesByStep(DAYS, "hour", { account: "acme" }))).toEqual([
      { step: DAY * 24 + 1, outcome: "accepted", events: 1 },
      { step: DAY * 24 + 2, outcome: "dead_letter", events: 1 },
      { step: DAY * 24 + 24, outcome: "cleared", events: 1 },
    ]);
  });

  it("processing time of accepted reports by day, each reading once", async () => {
    expect(await ask(latencyByDay(DAYS))).toEqual([{ day: DAY, medianSeconds: 1, p95Seconds: 1, maxSeconds: 1 }]);
    expect(await ask(latencyByDay({ firstDay: DAY + 2, lastDay: DAY + 3 }))).toEqual([]);
  });

  it("in whose names an address sends, without what was taken back", async () => {
    expect(await ask(domainsOfAddress(DAYS, "192.0.2.66"))).toEqual([
      { account: "acme", domain: "acme.example", messages: 4, passed: 0, lastDay: DAY },
    ]);
    expect(await ask(domainsOfAddress(DAYS, "192.0.2.1"))).toEqual([
      { account: "acme", domain: "two.example", messages: 90, passed: 90, lastDay: DAY },
      { account: "acme", domain: "acme.example", messages: 13, passed: 13, lastDay: DAY + 1 },
      { account: "other", domain: "other.example", messages: 5, passed: 5, lastDay: DAY },
    ]);
    expect(await ask(domainsOfAddress(DAYS, "192.0.2.99"))).toEqual([]);
  });

  it("failing sources and the series for Grafana", async () => {
    expect(await rowsOf(failingSources(DAYS))).toEqual([{ source: "192.0.2.66", signer: "", failing: 4 }]);
    expect(await rowsOf(forGrafana(grafanaMessages({ domain: "acme.example" })))).toEqual(
      expect.arrayContaining([
        { t: DAY * 86_400_000, disposition: "none", messages: 10 },
        { t: DAY * 86_400_000, disposition: "reject", messages: 4 },
        { t: (DAY + 1) * 86_400_000, disposition: "none", messages: 3 },
      ]),
    );
    // By when an outcome was written: that was now.
    const now = grafanaOutcomes()
      .replaceAll("$from", "0")
      .replaceAll("$to", String((TODAY + 2) * 86_400));
    expect((await rowsOf(now)).reduce((sum, { events }) => sum + Number(events), 0)).toBe(5);
  });

  it("the same days as report-day.ts", async () => {
    const rows = await rowsOf("SELECT double5 AS beginSeconds, double6 AS endSeconds FROM dmarc_records");
    expect(rows.length).toBeGreaterThan(0);
    const days = rows.map((row) =>
      dayOfReport({ beginSeconds: Number(row.beginSeconds), endSeconds: Number(row.endSeconds) }),
    );
    const answered = await ask(messagesByDay({ firstDay: DAY - 30, lastDay: TODAY }));
    expect(new Set(answered.map(({ day }) => day))).toEqual(new Set(days));
    expect(dayOfReport(shifted(DAY))).toBe(DAY);
    expect(dayOfReport({ beginSeconds: DAY * 86_400, endSeconds: (DAY + 1) * 86_400 })).toBe(DAY);
    expect(FAILURES.map(dayOfFailure)).toEqual([DAY, DAY + 1, DAY + 2]);
  });
});

describe("every statement", () => {
  const filter = { account: "acme", domain: `${"x".repeat(60)}.`.repeat(4).slice(0, 253) };
  const statements = [
    ...Object.entries(namedStatements(DAYS, filter)),
    ...Object.entries(namedStatements({ writtenInLastDays: 30 })),
  ];

  it.each(statements)("passes the dialect, bounds timestamp, counts no copy, weights: %s", (_name, sql) => {
    const text = forGrafana(sql);
    const checked = checkStatement(text);
    if (!checked.ok) throw new Error(`${checked.error.message}\n${sql}`);
    expect(text.length).toBeLessThan(ANALYTICS_LIMITS.maxSqlBytes);
    expect(statementAdvice(checked.value)).toEqual([]);
  });
});

describe("quoteName", () => {
  it("doubles quotes, and throws for characters that no literal can hold", () => {
    expect(quoteName("it's")).toBe("'it''s'");
    expect(() => quoteName("a\\")).toThrow(RangeError);
  });
});
