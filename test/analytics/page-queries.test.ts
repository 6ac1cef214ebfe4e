/** The dashboard's statements on the local engine: what they count, whom they show it to, and that runs again change nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Query } from "../../shared/analytics/collapse.ts";
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
import { latencyDaysQuery, outcomesQuery } from "../../shared/analytics/queries-events.ts";
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
import { recordRow } from "./local-engine.ts";
import { at, DAY, type PageEngine, SCOPE, SERVICE, startPageEngine } from "./page-rows.ts";

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
  outcomesQuery({ firstDay: DAY, lastDay: DAY }),
  latencyDaysQuery({ firstDay: DAY, lastDay: DAY }),
];

let engine: PageEngine;
const ask = <Row>(query: Query<Row>): Promise<Row[]> => engine.ask(query);

beforeAll(async () => {
  engine = await startPageEngine();
});
afterAll(() => engine.stop());

function sumOf<Name extends string>(rows: readonly Record<Name, number>[], name: Name): number {
  return rows.reduce((sum, row) => sum + row[name], 0);
}

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
