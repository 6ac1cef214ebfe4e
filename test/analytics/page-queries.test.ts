/** The dashboard's statements on the local engine: what they count, whom they show it to, and that runs again change nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Query, Scope } from "../../shared/analytics/collapse.ts";
import type { RowInput } from "../../shared/analytics/columns.ts";
import { combineStats, statsQuery } from "../../shared/analytics/queries.ts";
import {
  dayGroupsQuery,
  domainProblemsQuery,
  domainReportsQuery,
  domainsQuery,
  policiesQuery,
  reasonsQuery,
  totalsByDay,
} from "../../shared/analytics/queries-domains.ts";
import { latencyDaysQuery, outcomeDaysQuery } from "../../shared/analytics/queries-events.ts";
import { failureDomainsQuery, failureReportsQuery, failuresQuery } from "../../shared/analytics/queries-failures.ts";
import { isRecordOrder, reportRecordCountQuery, reportRecordsQuery } from "../../shared/analytics/queries-records.ts";
import { emptyReportsQuery, reportOriginQuery, reportsQuery } from "../../shared/analytics/queries-reports.ts";
import {
  sourceDaysQuery,
  sourceDetailQuery,
  sourceRecordsQuery,
  sourceReportsQuery,
  sourcesQuery,
} from "../../shared/analytics/queries-sources.ts";
import {
  tlsDaysQuery,
  tlsDomainsQuery,
  tlsFailuresQuery,
  tlsPoliciesQuery,
  tlsReportsQuery,
} from "../../shared/analytics/queries-tls.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import { eventRow, failureRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "./local-engine.ts";

const DAY = 20_000;
const at = (day: number) => ({ beginSeconds: day * 86_400, endSeconds: day * 86_400 + 86_399 });
const SERVICE = "mx.sender.test k1 pass";
const SCOPE: Scope = { accounts: ["acme"], domains: ["acme.example"], firstDay: DAY, lastDay: DAY + 5 };
const EVERYTHING: Query<unknown>[] = [
  ...[domainsQuery, domainProblemsQuery, dayGroupsQuery, reasonsQuery, policiesQuery, sourcesQuery].map(
    (build) => build(SCOPE) as Query<unknown>,
  ),
  ...[sourceDetailQuery, sourceDaysQuery, sourceRecordsQuery, sourceReportsQuery].flatMap((build) => [
    build(SCOPE, { sourceIp: "it's" }) as Query<unknown>,
    build(SCOPE, { domain: "x\\'y" }) as Query<unknown>,
  ]),
  reportRecordsQuery({ ...SCOPE, reportUid: "a" }, { text: "'", isPass: true, order: "address", limit: 10, offset: 0 }),
  reportRecordCountQuery({ ...SCOPE, reportUid: "a" }, { text: "%" }),
  ...[
    ...[reportsQuery, emptyReportsQuery, reportOriginQuery, failuresQuery, failureReportsQuery, failureDomainsQuery],
    ...[tlsDaysQuery, tlsPoliciesQuery, tlsFailuresQuery, tlsReportsQuery, tlsDomainsQuery],
  ].map((build) => build({ ...SCOPE, domains: ["it's\\'"] }) as Query<unknown>),
  outcomeDaysQuery({ firstDay: DAY, lastDay: DAY }),
  latencyDaysQuery({ firstDay: DAY, lastDay: DAY }),
];

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
  await engine.write("records", RECORDS);
  // Delivered twice, and a first report run again with the same content: nothing may change.
  await engine.write("records", RECORDS.slice(0, 3));
  await engine.write("records", [{ ...first(), generation: 2 }]);
  await engine.write("events", EVENTS);
  await engine.write("tls", TLS);
  await engine.write("failures", FAILURES);
});

afterAll(() => engine.stop());

async function ask<Row>({ sql, read }: Query<Row>): Promise<Row[]> {
  const answer = await querySql(engine.connection, sql, (url, init) => fetch(url, init));
  if (!answer.ok) throw new Error(`${answer.error.message}\n${sql}`);
  return answer.value.rows.map(read);
}

function sumOf<Name extends string>(rows: readonly Record<Name, number>[], name: Name): number {
  return rows.reduce((sum, row) => sum + row[name], 0);
}

function first(): RowInput<"records"> {
  return recordRow({ ...at(DAY), count: 10, dkimResults: "acme.example s1 pass", spf: "pass", generation: 1 });
}

const OTHER = { account: "other", domain: "other.example" };
const NOTHING = { live: 0, count: 0, passed: 0, sourceIp: "" };
const RECORDS: RowInput<"records">[] = [
  first(),
  recordRow({
    ...at(DAY),
    ordinal: 1,
    count: 4,
    passed: 0,
    dkim: "fail",
    disposition: "quarantine",
    sourceIp: "192.0.2.66",
    authDomain: "",
    dkimResults: "acme.example s1 fail",
    reasons: "forwarded seen",
  }),
  recordRow({
    ...at(DAY + 1),
    reportUid: "uid-2",
    count: 6,
    passed: 0,
    dkim: "fail",
    disposition: "reject",
    sourceIp: "192.0.2.7",
    authDomain: "mx.sender.test",
    dkimResults: SERVICE,
    policy: "p=reject",
  }),
  recordRow({ ...at(DAY - 9), reportUid: "uid-3", count: 100, sourceIp: "192.0.2.66", authDomain: "", passed: 0 }),
  recordRow({ ...at(DAY), reportUid: "uid-4", account: "other", count: 1000, sourceIp: "203.0.113.1" }),
  recordRow({ ...at(DAY), reportUid: "uid-5", account: "other", domain: "other.example", count: 2000 }),
  // Run again: the second reading says something else, or has a record less.
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", count: 5 }),
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", count: 7, passed: 0, sourceIp: "203.0.113.7", generation: 2 }),
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", ordinal: 1, count: 9, sourceIp: "203.0.113.9" }),
  recordRow({ ...at(DAY), ...OTHER, ...NOTHING, reportUid: "uid-6", ordinal: 1, generation: 2 }),
  // Stands over a stale record: counts nothing.
  recordRow({ ...at(DAY), reportUid: "uid-2", ordinal: 5, live: 0, count: 0 }),
];

const processed = DAY * 86_400 + 60;
const EVENTS: RowInput<"events">[] = [
  eventRow({ processedSeconds: processed, latencySeconds: 4 }),
  eventRow({ processedSeconds: processed, latencySeconds: 4 }),
  eventRow({ eventId: "e2", processedSeconds: processed, latencySeconds: 8 }),
  eventRow({ eventId: "d1", outcome: "dead_letter", processedSeconds: processed }),
  eventRow({ eventId: "d2", outcome: "dead_letter", processedSeconds: processed }),
  eventRow({ eventId: "d2", outcome: "cleared", generation: 2, processedSeconds: processed + 86_400 }),
  eventRow({
    eventId: "d3",
    account: "other",
    domain: "other.example",
    outcome: "conflict",
    processedSeconds: processed,
  }),
];

const TLS_TIME = { ...at(DAY), receivedSeconds: processed };
const MOVER = { reportUid: "t2", account: "mover" };
const ARRIVAL = { arrivalSeconds: processed, receivedSeconds: processed };
const TLS: RowInput<"tls">[] = [
  tlsRow(TLS_TIME),
  tlsRow(TLS_TIME),
  tlsRow({
    ...TLS_TIME,
    ordinal: 1,
    scope: "failure",
    resultType: "certificate-expired",
    successfulSessions: 0,
    failedSessions: 0,
    detailSessions: 3,
  }),
  // About two domains; run again it has a detail less, and its second policy comes first.
  ...["one.example", "two.example"].map((domain, ordinal) => tlsRow({ ...MOVER, ordinal, domain })),
  tlsRow({ ...MOVER, ordinal: 2, domain: "two.example", scope: "failure", detailSessions: 9 }),
  ...["two.example", "one.example"].map((domain, ordinal) => tlsRow({ ...MOVER, ordinal, domain, generation: 2 })),
  tlsRow({ ...MOVER, ordinal: 2, domain: "", generation: 2, live: 0 }),
];
const FAILURES: RowInput<"failures">[] = [
  failureRow(ARRIVAL),
  failureRow(ARRIVAL),
  failureRow({ reportUid: "f2", account: "other" }),
  // Run again, and read to be about another domain.
  failureRow({ reportUid: "f3", account: "mover", domain: "before.example" }),
  failureRow({ reportUid: "f3", account: "mover", domain: "after.example", generation: 2 }),
];

describe("every statement", () => {
  it("is taken by Analytics Engine's dialect, hostile values and all", async () => {
    for (const query of EVERYTHING) await ask(query);
  });

  it("shows nothing to somebody without accounts, and nothing of another account", async () => {
    for (const accounts of [[], ["nobody"]]) {
      const scope = { ...SCOPE, accounts };
      expect(await ask(domainsQuery({ accounts }))).toEqual([]);
      expect(await ask(domainReportsQuery({ accounts }))).toEqual([]);
      expect(await ask(domainProblemsQuery({ accounts }))).toEqual([]);
      expect(await ask(dayGroupsQuery(scope))).toEqual([]);
      expect(await ask(sourcesQuery(scope))).toEqual([]);
      expect(await ask(sourceDetailQuery(scope, { sourceIp: "192.0.2.66" }))).toEqual([]);
      expect(await ask(reportsQuery(scope))).toEqual([]);
      for (const build of [tlsDaysQuery, tlsPoliciesQuery, tlsFailuresQuery, tlsReportsQuery, tlsDomainsQuery]) {
        expect(await ask(build(scope) as Query<unknown>)).toEqual([]);
      }
      expect(await ask(reportOriginQuery({ accounts, reportUid: "uid-1" }))).toEqual([]);
      for (const build of [failuresQuery, failureReportsQuery, failureDomainsQuery, emptyReportsQuery]) {
        expect(await ask(build(scope) as Query<unknown>)).toEqual([]);
      }
    }
  });
});

describe("every page's totals", () => {
  it("equal those of stats, with points delivered twice, run again and stale", async () => {
    for (const [account, domain] of [["acme", "acme.example"] as const, ["other", "other.example"] as const]) {
      const rows = await ask({ sql: statsQuery({ account, domain }).records, read: (row) => row });
      const { messages, passed, records } = combineStats(rows, []);
      const scope = { accounts: [account], domains: [domain] };
      expect(await ask(domainsQuery(scope))).toMatchObject([{ messages, passed }]);
      const answers = [
        totalsByDay(await ask(dayGroupsQuery(scope))),
        await ask(sourcesQuery(scope)),
        await ask(reportsQuery(scope)),
      ];
      for (const rows of answers) expect([sumOf(rows, "messages"), sumOf(rows, "passed")]).toEqual([messages, passed]);
      expect(sumOf(await ask(reportsQuery(scope)), "records")).toBe(records);
    }
  });
});

describe("domains", () => {
  it("adds up a period, once however often it was delivered", async () => {
    const totals = await ask(domainsQuery({ accounts: ["acme"], firstDay: DAY, lastDay: DAY + 5 }));
    expect(totals).toEqual([
      {
        ...{ domain: "acme.example", messages: 20, passed: 10, messagesBefore: 0, trend: [] },
      },
    ]);
    expect(await ask(domainReportsQuery({ accounts: ["acme"], firstDay: DAY, lastDay: DAY + 5 }))).toEqual([
      { domain: "acme.example", reports: 2, policy: "p=reject", lastEndSeconds: at(DAY + 1).endSeconds },
    ]);
    const before = { beforeFirstDay: DAY - 9 };
    expect(await ask(domainsQuery({ accounts: ["acme"], firstDay: DAY, lastDay: DAY + 5 }, before))).toEqual([
      { ...totals[0], messagesBefore: 100 },
    ]);
    expect(await ask(domainsQuery({ accounts: ["acme"], firstDay: DAY + 9, lastDay: DAY + 9 }, before))).toMatchObject([
      { messages: 0, passed: 0, messagesBefore: 120 },
    ]);
    expect((await ask(domainsQuery({}))).map(({ domain, messages }) => [domain, messages])).toEqual([
      ["other.example", 2007],
      ["acme.example", 1120],
    ]);
  });

  it("follows the report's days, not those of writing", async () => {
    const days = totalsByDay(await ask(dayGroupsQuery(SCOPE)));
    expect(days.map(({ day, messages, passed }) => [day, messages, passed])).toEqual([
      [DAY, 14, 10],
      [DAY + 1, 6, 0],
    ]);
    expect(days[0]).toMatchObject({ dkimAligned: 10, spfAligned: 10, quarantined: 4, rejected: 0, reports: 1 });
    const parts = [DAY, DAY + 1, DAY + 2].map((day) => [day, day] as const);
    const options = { beforeFirstDay: DAY - 9, parts };
    expect(await ask(domainsQuery(SCOPE, options))).toMatchObject([{ trend: [14, 6, 0], messagesBefore: 100 }]);
    expect(await ask(domainsQuery(SCOPE, { parts: [[DAY, DAY + 5]] }))).toMatchObject([{ messages: 20, trend: [20] }]);
  });

  it("counts dead letters that are still dead", async () => {
    expect(await ask(domainProblemsQuery({ accounts: ["acme"] }))).toEqual([
      { domain: "acme.example", deadLetters: 1, conflicts: 0 },
    ]);
  });

  it("tells reasons and policies", async () => {
    expect(await ask(reasonsQuery(SCOPE))).toContainEqual({
      ...{ reasons: "forwarded seen", disposition: "quarantine", messages: 4 },
    });
    expect(await ask(policiesQuery({ domains: ["acme.example"], accounts: ["acme"] }))).toMatchObject([
      { policy: "p=reject", firstDay: DAY + 1, lastDay: DAY + 1, reports: 1 },
      { policy: "p=none", firstDay: DAY - 9, lastDay: DAY, reports: 2 },
    ]);
  });
});

describe("sources", () => {
  it("groups by what authenticated the mail, and remembers since when", async () => {
    const groups = await ask(sourcesQuery(SCOPE));
    expect(groups.map(({ messages, sourceIp, dkimResults }) => [messages, sourceIp, dkimResults])).toEqual([
      [10, "", "acme.example s1 pass"],
      [6, "", SERVICE],
      [4, "192.0.2.66", ""],
    ]);
    expect(groups[2]).toMatchObject({ firstDay: DAY - 9, lastDay: DAY, spared: 4, quarantined: 4 });
  });

  it("finds a source by its domain or address", async () => {
    const detail = await ask(sourceDetailQuery(SCOPE, { domain: "sender.test" }));
    expect(detail).toMatchObject([{ sourceIp: "192.0.2.7", messages: 6, rejected: 6 }]);
    expect(await ask(sourceDaysQuery(SCOPE, { sourceIp: "192.0.2.66" }))).toMatchObject([{ day: DAY, messages: 4 }]);
    expect(await ask(sourceRecordsQuery(SCOPE, { sourceIp: "192.0.2.7" }))).toMatchObject([{ reportUid: "uid-2" }]);
    expect(await ask(sourceReportsQuery(SCOPE, { domain: "acme.example" }))).toMatchObject([
      { reportUid: "uid-1" },
      { reportUid: "uid-1" },
    ]);
  });

  it("follows a record whose address a later reading changed", async () => {
    const moved = recordRow({ ...at(DAY + 4), reportUid: "uid-9", count: 3, sourceIp: "192.0.2.71" });
    await engine.write("records", [moved, { ...moved, generation: 2, sourceIp: "192.0.2.72" }]);
    const scope = { ...SCOPE, firstDay: DAY + 4 };
    expect(await ask(sourceDetailQuery(scope, { sourceIp: "192.0.2.71" }))).toEqual([]);
    expect(await ask(sourceDetailQuery(scope, { sourceIp: "192.0.2.72" }))).toMatchObject([{ messages: 3 }]);
    await engine.write("records", [{ ...moved, generation: 3, live: 0, count: 0 }]);
    expect(await ask(sourceDetailQuery(scope, { sourceIp: "192.0.2.72" }))).toEqual([]);
  });

  it("pages through the records of one report", async () => {
    const scope = { accounts: ["acme"], domains: ["acme.example"], reportUid: "uid-1" };
    const page = { text: "", order: "messages", descending: true, limit: 1, offset: 1 } as const;
    expect(await ask(reportRecordsQuery(scope, page))).toMatchObject([{ ordinal: 1, messages: 4, isPass: false }]);
    const all = { ...page, limit: 10, offset: 0 };
    for (const order of ["record", "address", "messages", "dmarc", "disposition", "from", "reasons"]) {
      if (!isRecordOrder(order)) throw new Error(order);
      expect(await ask(reportRecordsQuery(scope, { ...all, order })), order).toHaveLength(2);
    }
    expect(isRecordOrder("constructor")).toBe(false);
    expect(await ask(reportRecordCountQuery(scope, { text: "" }))).toEqual([2]);
    expect(await ask(reportRecordCountQuery(scope, { text: "192.0.2.66", isPass: false }))).toEqual([1]);
    expect(await ask(reportRecordCountQuery({ ...scope, accounts: ["other"] }, { text: "" }))).toEqual([0]);
  });
});

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
  it("counts every outcome once, on its day", async () => {
    expect(await ask(outcomeDaysQuery({ firstDay: DAY, lastDay: DAY + 1 }))).toEqual([
      { day: DAY, outcome: "accepted", events: 2 },
      { day: DAY, outcome: "conflict", events: 1 },
      { day: DAY, outcome: "dead_letter", events: 2 },
      { day: DAY + 1, outcome: "cleared", events: 1 },
    ]);
  });

  it("tells latency", async () => {
    expect(await ask(latencyDaysQuery({ firstDay: DAY, lastDay: DAY }))).toMatchObject([{ day: DAY, maxSeconds: 8 }]);
  });
});
