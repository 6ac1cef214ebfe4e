/** The bindings of the tests refuse what the platform refuses, so that what passes here is not refused there. */
import { describe, expect, it } from "vitest";
import { removeAddress } from "../../shared/ledger/addresses.ts";
import { D1_LIMITS, WORKER_LIMITS } from "../../shared/limits.ts";
import { findCopy } from "../../shared/registry.ts";
import { addRegistration } from "../../workers/process/domains/registrations.ts";
import { runSchedule } from "../../workers/process/schedules.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import { mailOf, stamped } from "../support/simulation/scenario.ts";
import { type SimulatedMail, Simulation } from "../support/simulation/simulation.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const repeated = (count: number, text: string, between: string): string => Array(count).fill(text).join(between);

/** A statement of a size, by what of it is limited; and what SQLite says when it is too much. */
const STATEMENTS: [string, number, (size: number) => [string, ...string[]], RegExp][] = [
  [
    "parameters",
    D1_LIMITS.maxParameters,
    (size) => [`SELECT 1 IN (${repeated(size, "?", ",")})`, ...Array<string>(size).fill("")],
    /variable number must be|too many SQL variables/,
  ],
  [
    "bytes of a statement",
    D1_LIMITS.maxStatementBytes,
    (size) => [`SELECT '${"a".repeat(size - 9)}'`],
    /statement too long|too big/,
  ],
  ["bytes of a value", D1_LIMITS.maxRowBytes, (size) => ["SELECT length(?)", "a".repeat(size)], /too big/],
  ["columns", D1_LIMITS.maxColumns, (size) => [`SELECT ${repeated(size, "1", ",")}`], /too many columns/],
  [
    "arguments of a function",
    D1_LIMITS.maxFunctionArguments,
    (size) => [`SELECT max(${repeated(size, "1", ",")})`],
    /too many arguments/,
  ],
  ["bytes of a pattern", D1_LIMITS.maxPatternBytes, (size) => ["SELECT 'x' LIKE ?", "a".repeat(size)], /too complex/],
  [
    "terms of a union",
    D1_LIMITS.maxCompoundTerms,
    (size) => [repeated(size, "SELECT 1", " UNION ALL ")],
    /too many terms/,
  ],
  [
    "levels of an expression",
    D1_LIMITS.maxExpressionDepth,
    (size) => [`SELECT ${repeated(size, "1", "+")}`],
    /Expression tree is too large/,
  ],
];

it.each(STATEMENTS)("more %s than D1 takes (%i) are refused", async (_, limit, statement, refusal) => {
  const ledger = new SqliteLedger();
  const ask = async (size: number) => {
    const [sql, ...parameters] = statement(size);
    return ledger
      .prepare(sql)
      .bind(...parameters)
      .all();
  };
  expect((await ask(limit)).results).toHaveLength(limit === D1_LIMITS.maxCompoundTerms ? limit : 1);
  await expect(ask(limit + 1)).rejects.toThrow(refusal);
});

it("more queries than an invocation may make are refused, each statement of a transaction counting as one", async () => {
  const { ledger } = new Simulation().invocation();
  const statement = ledger.prepare("SELECT 1");
  await ledger.batch(Array(D1_LIMITS.maxQueriesPerInvocation - 1).fill(statement));
  await statement.all();
  await expect(statement.all()).rejects.toThrow(/Too many API requests/);
  await expect(new Simulation().invocation().ledger.prepare("SELECT 1").all()).resolves.toBeDefined();
});

const RUA = "dmarc@acme.example";

it("an address that changes twice within a second is changed, and its second copy made within the hour: KV takes one write a second of a key", async () => {
  const simulation = new Simulation();
  const { KV_DMARC_REPORTS: copies } = simulation.invocation().env;
  expect(await addRegistration(RUA, { account: "acme" }, simulation.invocation())).toMatchObject({ ok: true });
  await expect(copies.put(`dmarc:${RUA}`, "{}")).rejects.toThrow("KV PUT failed: 429 Too Many Requests");
  await removeAddress(RUA, { directory: simulation.ledger, copy: copies }, 1);
  expect(await findCopy(copies, RUA)).toBeDefined();
  simulation.clock.nowMilliseconds += 1000;
  expect(await runSchedule("47 * * * *", simulation.invocation())).toMatchObject({ copied: 1 });
  expect(await findCopy(copies, RUA)).toBeUndefined();
});

it("more operations of KV than an invocation may make are refused", async () => {
  const { KV_DMARC_REPORTS: copies } = new Simulation().invocation().env;
  for (let i = 0; i < WORKER_LIMITS.maxKvOperations; i++) await copies.get("dmarc:nobody");
  await expect(copies.get("dmarc:nobody")).rejects.toThrow("Too many API requests");
});

describe("a file that comes twice within a second, where R2 takes one write of a key", () => {
  const OTHER = "reports@acme.example";
  const file = sampleReport({ reportId: "r", records: [{ sourceIp: "192.0.2.1", count: 3, pass: true }] });
  const mail = (to: string): SimulatedMail => mailOf([{ name: "r.xml", content: Buffer.from(file) }], to);

  function newSimulation(): Simulation {
    const simulation = new Simulation();
    simulation.register(RUA, { account: "acme" });
    simulation.register(OTHER, { account: "acme" });
    return simulation;
  }

  it.each([
    ["the same address", RUA, 1],
    ["two addresses", OTHER, 2],
  ])("is taken at once from mails to %s", async (_, to, objects) => {
    const simulation = newSimulation();
    const { nowMilliseconds } = simulation.clock;
    expect(await simulation.deliver(mail(RUA))).toBe("taken");
    expect(await simulation.deliver(mail(to))).toBe("taken");
    expect(simulation.clock.nowMilliseconds).toBe(nowMilliseconds);
    expect(simulation.bucket.keys("raw/")).toHaveLength(objects);
    await simulation.drain();
    expect(simulation.rows("SELECT sum(total) AS total FROM reports")).toEqual([{ total: 3 }]);
    expect(simulation.rows("SELECT count(*) AS objects FROM objects")).toEqual([{ objects }]);
  });

  it("is taken although the other copy cannot be seen yet, under a key of the address", async () => {
    const simulation = newSimulation();
    const { put } = simulation.bucket;
    const keys: string[] = [];
    simulation.bucket.put = async (key, ...rest) => {
      keys.push(key);
      if (keys.length === 1) throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
      return put.call(simulation.bucket, key, ...rest);
    };
    expect(await simulation.deliver(mail(RUA), 1)).toBe("taken");
    expect(simulation.bucket.keys("raw/")).toEqual(keys.slice(1));
    await simulation.drain();
    expect(simulation.rows("SELECT sum(total) AS total FROM reports")).toEqual([{ total: 3 }]);
  });

  it("is a fault, to be sent again, while none of its keys can be written", async () => {
    const simulation = newSimulation();
    simulation.bucket.put = async () => {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    };
    expect(await simulation.deliver(mail(RUA), 1)).toBe("fault");
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  });
});

it("mail to an address too long for a key of KV is rejected for good: a fault would bring it again for days", async () => {
  const simulation = new Simulation();
  const mail = { from: "a@reporter.example", raw: new TextEncoder().encode("Subject: x\r\n\r\n") };
  const local = "ü".repeat(300);
  await expect(simulation.invocation().env.KV_DMARC_REPORTS.get(`dmarc:${local}@acme.example`)).rejects.toThrow(
    /KV GET failed: 414/,
  );
  expect(await simulation.deliver({ ...mail, to: `${local}@acme.example` })).toBe("rejected");
  expect(await simulation.deliver({ ...mail, to: `dmarc+${"x".repeat(600)}@acme.example` })).toBe("rejected");
});

it("an archive of 520 verified reports takes the place of 520 others in one transaction", async () => {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  const archive = (count: number): SimulatedMail => {
    const entries = Array.from({ length: 520 }, (_, i) => ({
      name: `${i}.xml`,
      content: Buffer.from(
        sampleReport({ reportId: `r${i}`, records: [{ sourceIp: "192.0.2.1", count, pass: true }] }),
      ),
    }));
    return mailOf([{ name: "reports.zip", content: zip(entries) }], RUA);
  };
  const outcomes = () =>
    simulation.rows(
      "SELECT o.value ->> 'outcome' AS outcome, count(*) AS parts FROM objects JOIN json_each(outcomes) o GROUP BY 1 ORDER BY 1",
    );
  await simulation.deliver(archive(3));
  await simulation.drain();
  expect(outcomes()).toEqual([{ outcome: "accepted", parts: 520 }]);
  await simulation.deliver(stamped(archive(5), "reporter.example"));
  await simulation.drain({ rounds: 1 });
  expect(outcomes()).toEqual([
    { outcome: "accepted", parts: 520 },
    { outcome: "conflict", parts: 520 },
  ]);
  expect(simulation.rows("SELECT count(*) AS reports, sum(total) AS total FROM reports")).toEqual([
    { reports: 520, total: 520 * 5 },
  ]);
  // The other archive is read again, once for all its reports.
  expect(simulation.queues["dmarc-reports"].messages).toHaveLength(1);
  await simulation.drain();
  expect(outcomes()).toEqual([
    { outcome: "accepted", parts: 520 },
    { outcome: "conflict", parts: 20 },
    { outcome: "dead_letter", parts: 1 },
  ]);
});
