import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  combineStats,
  outcomesQuery,
  type QueryFilter,
  quoteText,
  readOutcomes,
  type Stats,
  statsQuery,
} from "../../shared/analytics/queries.ts";
import { querySql, type SqlAnswer } from "../../shared/analytics/sql.ts";
import { eventRow, recordRow, startTestEngine, type TestEngine } from "../support/local-engine.ts";

/** Texts that end a carelessly quoted literal in one dialect or another. */
const HOSTILE = [
  "'",
  "''",
  "\\",
  "\\'",
  "\\\\'",
  "' OR 1=1 --",
  "\\' OR 1=1 --",
  "x'; DROP TABLE t",
  "\n",
  "\u0000",
  "ü€😀",
  "%_",
];

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
  await engine.write("records", [
    // Two records of one report, the first delivered twice.
    recordRow({ ordinal: 0, count: 5, sourceIp: "192.0.2.1" }),
    recordRow({ ordinal: 0, count: 5, sourceIp: "192.0.2.1" }),
    recordRow({ ordinal: 1, count: 7, sourceIp: "192.0.2.2", passed: 0 }),
    // A report run again: the second generation has one record less, its place is taken by a point that is not live.
    recordRow({ reportUid: "uid-2", ordinal: 0, count: 100, sourceIp: "192.0.2.3" }),
    recordRow({ reportUid: "uid-2", ordinal: 1, count: 200, sourceIp: "192.0.2.4" }),
    recordRow({ reportUid: "uid-2", ordinal: 1, count: 0, sourceIp: "", generation: 2, live: 0, passed: 0 }),
    recordRow({ reportUid: "uid-2", ordinal: 0, count: 90, sourceIp: "192.0.2.3", generation: 2 }),
    // Another account and domain, one record without a source.
    recordRow({ reportUid: "uid-3", account: "other", domain: "other.example", count: 11, sourceIp: "" }),
    recordRow({
      reportUid: "uid-3",
      account: "other",
      domain: "other.example",
      ordinal: 1,
      count: 0,
      sourceIp: "2001:db8::1",
    }),
    // Domains made to break out of a literal.
    ...HOSTILE.map((domain, i) => recordRow({ reportUid: `hostile-${i}`, account: "hostile", domain, count: i + 1 })),
  ]);
  await engine.write("events", [
    eventRow({ eventId: "uid-1 raw/1" }),
    eventRow({ eventId: "uid-1 raw/1" }),
    eventRow({ eventId: "uid-2 raw/2" }),
    eventRow({ eventId: "uid-2 raw/2", generation: 2, outcome: "reprocessed" }),
    eventRow({ eventId: "uid-3 raw/3", account: "other", domain: "other.example" }),
    // A report without a record has no point but its event.
    eventRow({ eventId: "uid-4 raw/4", records: 0, messages: 0 }),
    eventRow({ eventId: "uid-5 raw/5", kind: "tls" }),
    eventRow({ eventId: "uid-1 raw/6", outcome: "duplicate" }),
    eventRow({ eventId: "dead-1", outcome: "dead_letter", kind: "", code: "empty", domain: "" }),
    eventRow({ eventId: "dead-1", outcome: "dead_letter", kind: "", code: "empty", domain: "" }),
    eventRow({ eventId: "dead-2", outcome: "dead_letter", kind: "", code: "empty", domain: "", account: "other" }),
  ]);
});

afterAll(async () => {
  await engine.stop();
});

async function run(sql: string): Promise<SqlAnswer> {
  const answer = await querySql({ ...engine.connection, isPageStatement: true }, sql, fetch);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

async function stats(filter?: QueryFilter): Promise<Stats> {
  const { records, events } = statsQuery(filter);
  return combineStats((await run(records)).rows, (await run(events)).rows);
}

describe("statsQuery on the local engine", () => {
  it("counts every record once, of its newest generation, and nothing of a point that is not live", async () => {
    expect(await stats({ account: "acme" })).toEqual({
      reports: 3,
      records: 3,
      messages: 5 + 7 + 90,
      passed: 5 + 90,
      sources: 3,
      deadLetters: 1,
    });
  });

  it("narrows by domain; a record without a source is no source", async () => {
    expect(await stats({ domain: "other.example" })).toEqual({
      reports: 1,
      records: 2,
      messages: 11,
      passed: 11,
      sources: 1,
      deadLetters: 0,
    });
  });

  it("counts nothing where there is nothing", async () => {
    const zero = { reports: 0, records: 0, messages: 0, passed: 0, sources: 0, deadLetters: 0 };
    expect(await stats({ domain: "nowhere.example" })).toEqual(zero);
    expect(combineStats([], [])).toEqual(zero);
  });

  it.each(HOSTILE.map((domain, i) => ({ domain, i })))(
    "takes the domain $domain as a text and no more",
    async ({ domain, i }) => {
      expect((await stats({ domain })).messages).toBe(i + 1);
      expect((await run(`SELECT ${quoteText(domain)} AS text FROM dmarc_records LIMIT 1`)).rows).toEqual([
        { text: domain },
      ]);
    },
  );
});

describe("outcomesQuery on the local engine", () => {
  it("counts an event once, by its newest outcome", async () => {
    expect(readOutcomes((await run(outcomesQuery())).rows)).toEqual({
      accepted: 4,
      reprocessed: 1,
      duplicate: 1,
      dead_letter: 2,
    });
    expect(readOutcomes((await run(outcomesQuery({ account: "other" }))).rows)).toEqual({
      accepted: 1,
      dead_letter: 1,
    });
  });
});

describe("the statements", () => {
  it("take slots from the table of columns, weight by the sample interval, and hold no NULL literal", () => {
    const { records, events } = statsQuery({ domain: "d.example", account: "a" });
    expect(records).toMatchInlineSnapshot(`
      "SELECT sum(weight) AS records, sum(messageCount) AS messages, sum(passedCount) AS passed,
        count(DISTINCT sourceIp) - max(if(sourceIp = '', 1, 0)) AS sources
      FROM (SELECT blob1 AS reportUid, double3 AS ordinal,
        argMax(double9 * _sample_interval, double2) AS weight, argMax(double4 * double9 * _sample_interval, double2) AS messageCount,
        argMax(double4 * double8 * double9 * _sample_interval, double2) AS passedCount, argMax(blob6, double2) AS sourceIp
        FROM dmarc_records WHERE index1 = 'd.example' AND blob3 = 'd.example' AND blob2 = 'a'
        GROUP BY reportUid, ordinal)
      WHERE weight > 0"
    `);
    expect(events).toMatchInlineSnapshot(`
      "SELECT sum(if(outcome IN ('accepted', 'reprocessed') AND kind = 'aggregate', weight, 0)) AS reports, sum(if(outcome = 'dead_letter', weight, 0)) AS deadLetters
      FROM (SELECT blob1 AS eventId, argMax(blob4, double2) AS outcome,
        argMax(blob5, double2) AS kind, argMax(_sample_interval, double2) AS weight
        FROM dmarc_events WHERE blob7 = 'd.example' AND blob2 = 'a'
        GROUP BY eventId)"
    `);
    for (const sql of [records, events, outcomesQuery()]) {
      expect(sql).toContain("_sample_interval");
      expect(sql).not.toMatch(/\b(NULL|CASE|JOIN|UNION|WITH)\b/i);
    }
  });
});
