/** The statements of the pages about reports and of Operations, on the local engine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Query, Scope } from "../../shared/analytics/collapse.ts";
import { latencyDaysQuery, outcomesQuery } from "../../shared/analytics/queries-events.ts";
import { failureDomainsQuery, failureReportsQuery, failuresQuery } from "../../shared/analytics/queries-failures.ts";
import { emptyReportsQuery, reportOriginQuery, reportsQuery } from "../../shared/analytics/queries-reports.ts";
import {
  tlsDaysQuery,
  tlsDomainsQuery,
  tlsFailuresQuery,
  tlsPoliciesQuery,
  tlsReportsQuery,
} from "../../shared/analytics/queries-tls.ts";
import { eventRow } from "./local-engine.ts";
import { at, DAY, type PageEngine, processed, SCOPE, startPageEngine } from "./page-rows.ts";

let engine: PageEngine;
const ask = <Row>(query: Query<Row>): Promise<Row[]> => engine.ask(query);

beforeAll(async () => {
  engine = await startPageEngine();
});
afterAll(() => engine.stop());

describe("reports", () => {
  it("lists them with their totals", async () => {
    expect(await ask(reportsQuery(SCOPE))).toMatchObject([
      { reportUid: "uid-2", records: 1, messages: 6, passed: 0 },
      { reportUid: "uid-1", records: 2, messages: 14, passed: 10 },
    ]);
    expect(await ask(reportsQuery(SCOPE, { sourceIp: "192.0.2.7" }))).toMatchObject([{ reportUid: "uid-2" }]);
  });

  it("adds up TLS sessions and failure reports", async () => {
    expect(await ask(tlsDaysQuery(SCOPE))).toEqual([{ day: DAY, successful: 90, failed: 3 }]);
    expect(await ask(tlsPoliciesQuery(SCOPE))).toMatchObject([
      { policyType: "sts", successful: 90, failed: 3, reports: 1 },
    ]);
    expect(await ask(tlsFailuresQuery(SCOPE))).toMatchObject([{ resultType: "certificate-expired", sessions: 3 }]);
    expect(await ask(failuresQuery(SCOPE))).toMatchObject([{ authFailure: "dmarc", incidents: 2 }]);
    expect(await ask(tlsDomainsQuery(SCOPE))).toEqual([{ domain: "acme.example", successful: 90, failed: 3 }]);
    expect(await ask(failureDomainsQuery(SCOPE))).toEqual([{ domain: "acme.example", incidents: 2 }]);
  });

  it("lists TLS and failure reports one by one", async () => {
    expect(await ask(tlsReportsQuery(SCOPE))).toEqual([
      {
        ...{ reportUid: "t1", account: "acme", reporter: "reporter.example", reportId: "1", policies: 1 },
        ...{ ...at(DAY), receivedSeconds: processed, successful: 90, failed: 3 },
      },
    ]);
    expect(await ask(failureReportsQuery(SCOPE))).toMatchObject([
      { reportUid: "f1", domain: "acme.example", sourceIp: "192.0.2.66", incidents: 2, arrivalSeconds: processed },
    ]);
  });

  it("follows a row that a later reading says is about another domain", async () => {
    const about = (domain: string): Scope => ({ accounts: ["mover"], domains: [domain] });
    for (const domain of ["one.example", "two.example"]) {
      expect(await ask(tlsReportsQuery(about(domain)))).toMatchObject([{ reportUid: "t2", policies: 1, failed: 3 }]);
      expect(await ask(tlsFailuresQuery(about(domain)))).toEqual([]);
    }
    expect(await ask(failureReportsQuery(about("before.example")))).toEqual([]);
    expect(await ask(failureReportsQuery(about("after.example")))).toMatchObject([{ reportUid: "f3" }]);
  });

  it("finds the raw object a report was accepted from, the newest reading's", async () => {
    const event = { eventId: "moved", account: "mover" };
    await engine.write("events", [
      eventRow({ ...event, rawKey: "raw/1" }),
      eventRow({ ...event, rawKey: "raw/2", outcome: "reprocessed", generation: 2 }),
      eventRow({ ...event, rawKey: "raw/3", outcome: "duplicate", generation: 3 }),
    ]);
    expect(await ask(reportOriginQuery({ accounts: ["mover"], reportUid: "moved" }))).toEqual(["raw/2"]);
    expect(await ask(reportOriginQuery({ accounts: ["acme"], reportUid: "moved" }))).toEqual([]);
  });

  it("lists accepted reports without records by their events", async () => {
    const scope = { accounts: ["empty"], domains: ["acme.example"] };
    const empty = { account: "empty", records: 0, messages: 0, receivedSeconds: processed };
    await engine.write("events", [
      eventRow({ ...empty, eventId: "a1" }),
      eventRow({ ...empty, eventId: "a2", records: 3 }),
      eventRow({ ...empty, eventId: "a3", records: 3 }),
      eventRow({ ...empty, eventId: "a3", generation: 2, outcome: "reprocessed" }),
      eventRow({ ...empty, eventId: "a4", generation: 2, outcome: "retracted" }),
      eventRow({ ...empty, eventId: "a5", outcome: "dead_letter" }),
      eventRow({ ...empty, eventId: "a6", kind: "tls" }),
    ]);
    expect(await ask(emptyReportsQuery({ ...scope, firstDay: DAY, lastDay: DAY }))).toEqual(
      ["a1", "a3"].map((reportUid) => ({
        ...{ reportUid, account: "empty", domain: "acme.example", reporter: "reporter.example" },
        receivedSeconds: processed,
      })),
    );
    expect(await ask(emptyReportsQuery({ ...scope, firstDay: DAY + 1 }))).toEqual([]);
  });
});

describe("operations", () => {
  it("counts every outcome once, on its day or in its hour", async () => {
    expect(await ask(outcomesQuery({ firstDay: DAY, lastDay: DAY + 1 }))).toEqual([
      { at: DAY, outcome: "accepted", events: 2 },
      { at: DAY, outcome: "conflict", events: 1 },
      { at: DAY, outcome: "dead_letter", events: 2 },
      { at: DAY + 1, outcome: "cleared", events: 1 },
    ]);
    expect(await ask(outcomesQuery({ firstDay: DAY + 1, lastDay: DAY + 1 }, "hour"))).toEqual([
      { at: (DAY + 1) * 24, outcome: "cleared", events: 1 },
    ]);
  });

  it("tells latency", async () => {
    expect(await ask(latencyDaysQuery({ firstDay: DAY, lastDay: DAY }))).toMatchObject([{ day: DAY, maxSeconds: 8 }]);
  });
});
