import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { commitBatch } from "../../shared/ledger/commit-batch.ts";
import { ask, query } from "../../shared/ledger/database.ts";
import { figuresIn } from "../../shared/ledger/figure-sql.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import type { ReportShare } from "../../shared/ledger/report-rows.ts";
import {
  removeOldDetails,
  removeOldObjects,
  removeOldRetracted,
  removeUnownedFigures,
} from "../../shared/ledger/retention.ts";
import { stageFigures } from "../../shared/ledger/staged-figures.ts";
import { countingLedger } from "../support/counting-ledger.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";
import { DAY, EMPTY, NOW, reference, share, write } from "./rows.ts";

const AT_ONCE = { days: 3, records: 100 };

async function accept(ledger: SqliteLedger, uid: string, one: ReportShare): Promise<void> {
  const to = reference(uid, one.day);
  const committed = await commitBatch(ledger, { ...EMPTY, reports: [{ reference: to, write: write(to, [one]) }] }, NOW);
  expect(committed.state).toBe("committed");
}

async function totals(ledger: SqliteLedger): Promise<Record<string, number>> {
  const part = figuresIn("aggregate", { accounts: ["acme"] });
  const rows = await ask(
    ledger,
    query(
      `SELECT day || ' ' || key AS name, sum(value) AS total FROM ${part.sql} GROUP BY day, key`,
      part.parameters,
      v.object({ name: v.string(), total: v.number() }),
    ),
  );
  return Object.fromEntries(rows.map(({ name, total }) => [name, total]));
}

function count(ledger: SqliteLedger, table: string): number {
  return Number(ledger.sqlite.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
}

describe("mergeDays", () => {
  it("changes no figure, and a change of the day undoes it", async () => {
    const ledger = new SqliteLedger();
    await accept(ledger, "a", share(DAY, { k1: 1, k2: 2 }));
    await accept(ledger, "b", share(DAY, { k2: 5 }));
    await accept(ledger, "c", share(DAY + 1, { k1: 9 }));
    const before = await totals(ledger);
    expect(await mergeDays(ledger, { beforeDay: DAY + 2, minReports: 2, limit: 10, atOnce: AT_ONCE })).toBe(1);
    expect(count(ledger, "day_figures")).toBe(1);
    expect(await totals(ledger)).toEqual(before);
    expect(await mergeDays(ledger, { beforeDay: DAY + 2, minReports: 2, limit: 10, atOnce: AT_ONCE })).toBe(0);
    await accept(ledger, "d", share(DAY, { k3: 4 }));
    expect(count(ledger, "day_figures")).toBe(0);
    expect(await totals(ledger)).toEqual({ ...before, [`${DAY} k3`]: 4 });
  });

  it("merges many days with two statements a transaction, and a large day by itself", async () => {
    const ledger = new SqliteLedger();
    for (let day = 0; day < 8; day++) {
      const keys = day === 3 ? 120 : 2;
      const figures = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, day + i + 1]));
      for (const uid of ["a", "b"]) await accept(ledger, `${uid}${day}`, share(DAY + day, figures));
    }
    const before = await totals(ledger);
    const counted = countingLedger(ledger);
    const bounds = { beforeDay: DAY + 8, minReports: 2, atOnce: AT_ONCE };
    expect(await mergeDays(counted.ledger, { ...bounds, limit: 6 })).toBe(6);
    // The newest first: 7, 6, 5, then 4 alone since 3 with its 240 records does not fit beside it, then 3, then 2.
    expect(counted.queries).toBe(1 + 2 * 4);
    expect(await mergeDays(counted.ledger, { ...bounds, limit: 6 })).toBe(2);
    expect(count(ledger, "day_figures")).toBe(8);
    expect(await totals(ledger)).toEqual(before);
  });

  it("merges a day of many addresses in chunks", async () => {
    const ledger = new SqliteLedger();
    const figures = Object.fromEntries(
      Array.from({ length: 30_000 }, (_, i) => [`${"x".repeat(40)}${i}`, 1 + (i % 3)]),
    );
    const chunks = [0, 1, 2].map((third) =>
      JSON.stringify(Object.fromEntries(Object.entries(figures).filter((_, i) => i % 3 === third))),
    );
    const reading = "e".repeat(32);
    await stageFigures(ledger, { reading, firstChunk: 0, figures: chunks }, NOW);
    await accept(ledger, "a", { ...share(DAY, figures), figures: undefined, reading });
    await accept(ledger, "b", share(DAY, { other: 1 }));
    const before = await totals(ledger);
    expect(Object.keys(before)).toHaveLength(30_001);
    await mergeDays(ledger, { beforeDay: DAY + 1, minReports: 2, limit: 1, atOnce: AT_ONCE });
    expect(count(ledger, "day_figures")).toBeGreaterThan(3);
    const longest = ledger.sqlite.prepare("SELECT max(length(figures)) AS n FROM day_figures").get();
    expect(Number(longest?.n)).toBeLessThan(500_000);
    expect(await totals(ledger)).toEqual(before);
  });
});

describe("retention", () => {
  it("keeps sums by day for good and refuses changes of final days", async () => {
    const ledger = new SqliteLedger();
    await accept(ledger, "a", share(DAY, { k1: 3 }));
    await accept(ledger, "b", share(DAY + 5, { k1: 4 }));
    expect(await removeOldDetails(ledger, { beforeDay: DAY + 1, limit: 10, atOnce: 3 })).toBe(1);
    expect(await removeOldDetails(ledger, { beforeDay: DAY + 1, limit: 10, atOnce: 3 })).toBe(0);
    expect(count(ledger, "reports")).toBe(1);
    expect(await totals(ledger)).toEqual({ [`${DAY + 5} k1`]: 4 });
    const sums = ledger.sqlite.prepare("SELECT day, total, is_final FROM domain_days ORDER BY day").all();
    expect(sums.map((row) => ({ ...row }))).toEqual([
      { day: DAY, total: 3, is_final: 1 },
      { day: DAY + 5, total: 4, is_final: 0 },
    ]);
    const late = reference("c", DAY);
    const batch = { ...EMPTY, reports: [{ reference: late, write: write(late, [share(DAY, { k1: 1 })]) }] };
    expect(await commitBatch(ledger, batch, NOW)).toEqual({ state: "changed" });
  });

  it("removes old reports that no longer counted, old objects and stray figures in bounded steps", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    await accept(ledger, "a", share(DAY, { k1: 3 }));
    const retracted = write(a, [], { version: 1, state: "retracted", spreadBefore: [["example.com", DAY]] });
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: retracted }] }, NOW);
    const object = {
      rua: "dmarc@example.com",
      account: "acme",
      version: 0,
      generation: 1,
      records: 0,
      reporter: 0,
      reports: 0,
      outcomes: [],
    };
    await commitBatch(
      ledger,
      {
        ...EMPTY,
        objects: [1, 2, 3].map((i) => ({
          ...object,
          rawKey: `raw/${i}`,
          receivedSeconds: DAY * 86_400,
          rawRemoved: false,
          found: 1,
          passedOver: {},
        })),
      },
      NOW,
    );
    await stageFigures(ledger, { reading: "d".repeat(32), firstChunk: 0, figures: ["{}", "{}"] }, NOW);
    expect(await removeOldRetracted(ledger, { beforeDay: DAY + 1, limit: 10 })).toBe(1);
    expect(await removeOldObjects(ledger, { beforeDay: DAY + 1, limit: 2 })).toBe(2);
    expect(await removeOldObjects(ledger, { beforeDay: DAY + 1, limit: 2 })).toBe(1);
    expect(await removeUnownedFigures(ledger, { beforeSeconds: NOW, limit: 10 })).toBe(0);
    expect(await removeUnownedFigures(ledger, { beforeSeconds: NOW + 1, limit: 10 })).toBe(2);
    expect(["reports", "objects", "report_figures"].map((table) => count(ledger, table))).toEqual([0, 0, 0]);
  });
});
