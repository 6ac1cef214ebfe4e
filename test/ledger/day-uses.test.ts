/** Sums of what was used of the daily budgets: whatever happens to objects, they are what a count of the objects says. */
import { expect, it } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { ACCOUNT_TABLES } from "../../shared/ledger/account-tables.ts";
import { commitBatch, noChanges } from "../../shared/ledger/commit-batch.ts";
import { change, OneCall } from "../../shared/ledger/database.ts";
import { addDayUses, type DayUse, makeDayUses, removeOldDayUses, type UseName } from "../../shared/ledger/day-uses.ts";
import { removeAccountRows } from "../../shared/ledger/forget.ts";
import { findObjects, type ObjectRow } from "../../shared/ledger/objects.ts";
import { removeOldObjects } from "../../shared/ledger/retention.ts";
import { USE_LIMITS } from "../../shared/limits.ts";
import { sumAllUses, wrongUses } from "../support/day-uses.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";
import { NOW } from "./rows.ts";

const DAY = 20_775;
const RUA = "dmarc@acme.example";

function object(number: number, changes: Partial<ObjectRow> = {}): ObjectRow {
  return {
    rua: RUA,
    rawKey: `raw/${number}`,
    receivedSeconds: DAY * 86_400,
    account: "acme",
    version: 0,
    generation: 1,
    records: 10,
    reporter: 7,
    reports: 1,
    outcomes: [],
    rawRemoved: false,
    found: 1,
    passedOver: {},
    ...changes,
  };
}

async function commit(ledger: SqliteLedger, objects: ObjectRow[], usesToSum: UseName[] = []): Promise<void> {
  expect((await commitBatch(ledger, { ...noChanges(), objects, usesToSum }, NOW)).state).toBe("committed");
}

async function usesOf(ledger: SqliteLedger, asked: UseName[], reporters: number[]): Promise<DayUse[]> {
  const call = new OneCall();
  const found = addDayUses(call, asked, reporters);
  await call.send(ledger);
  return found();
}

const address: UseName = { account: "", rua: RUA, day: DAY };
const account: UseName = { account: "acme", rua: "", day: DAY };

it("a day is counted until it has sums, and says the same from them", async () => {
  const ledger = new SqliteLedger();
  await commit(ledger, [object(1), object(2, { reporter: -5, records: 3 }), object(3, { reporter: 9, reports: 2 })]);
  const reports = (uses: DayUse[], reporter: number): number =>
    uses.filter((use) => use.reporter === reporter).reduce((sum, use) => sum + use.reports, 0);
  const records = (uses: DayUse[], sign: number): number =>
    uses.filter(({ reporter }) => Math.sign(reporter) === sign).reduce((sum, use) => sum + use.records, 0);
  const counted = await usesOf(ledger, [address, account], [7, 9]);
  expect(counted.every(({ objects }) => objects > 0)).toBe(true);
  await commit(ledger, [object(4)], [address, account]);
  const summed = await usesOf(ledger, [address, account], [7, 9]);
  expect(summed.every(({ objects }) => objects === 0)).toBe(true);
  const ofAddress = summed.filter(({ rua }) => rua === RUA);
  expect([records(counted, 1), records(counted, -1), reports(counted, 7), reports(counted, 9)]).toEqual([20, 3, 1, 2]);
  expect([records(ofAddress, 1), records(ofAddress, -1), reports(ofAddress, 7), reports(ofAddress, 9)]).toEqual([
    30, 3, 2, 2,
  ]);
  expect(
    records(
      summed.filter((use) => use.account === "acme"),
      1,
    ),
  ).toBe(30);
});

it("an address of an account that has sums is not counted again, unless it is asked for itself", async () => {
  const ledger = new SqliteLedger();
  await commit(ledger, [object(1)], [account]);
  expect(await usesOf(ledger, [account, { account: "acme", rua: RUA, day: DAY }], [])).toHaveLength(2);
  const both = await usesOf(ledger, [account, address], []);
  expect(both.map(({ rua, objects }) => [rua, objects])).toEqual([
    ["", 0],
    ["", 0],
    [RUA, 1],
  ]);
});

it("steps at random leave no sum that a count does not confirm", async () => {
  const random = mulberry32(11);
  const pick = (n: number): number => Math.floor(random() * n);
  const ledger = new SqliteLedger();
  const rows = new Map<number, ObjectRow>();
  const owner = { account: "b", ruas: JSON.stringify(["r1@example.com"]), domains: "[]" };
  const objects = ACCOUNT_TABLES.find(({ table }) => table === "objects");
  if (objects === undefined) throw new Error("no objects");
  let most = 0;
  for (let step = 0; step < 300; step++) {
    const action = pick(20);
    if (action < 14) {
      const batch = new Map<number, ObjectRow>();
      for (let i = pick(6); i >= 0; i--) {
        const number = pick(60);
        batch.set(
          number,
          object(number, {
            rua: `r${number % 4}@example.com`,
            receivedSeconds: (DAY + (number % 3)) * 86_400,
            account: ["a", "b", "c"][pick(3)] ?? "",
            records: pick(50),
            reporter: [0, 2, 3, -2, -9, 5][pick(6)] ?? 0,
            reports: pick(3),
            version: rows.get(number)?.version ?? 0,
          }),
        );
      }
      await commit(ledger, [...batch.values()]);
      for (const [number, row] of batch) rows.set(number, { ...row, version: row.version + 1 });
    } else if (action < 16) {
      const [number, row] = [...rows][pick(Math.max(1, rows.size))] ?? [];
      if (number === undefined || row === undefined) continue;
      expect((await commitBatch(ledger, { ...noChanges(), movedObjects: [row] }, NOW)).state).toBe("committed");
      rows.delete(number);
    } else if (action === 16) {
      await removeOldObjects(ledger, { beforeDay: DAY + pick(2), limit: 3 });
      await keepRemaining(ledger, rows);
    } else if (action === 17) {
      await removeAccountRows(ledger, objects, { owner, after: "" });
      await keepRemaining(ledger, rows);
    } else if (action === 18) await change(ledger, [removeOldDayUses(DAY + pick(3))]);
    else await sumAllUses(ledger);
    expect(wrongUses(ledger), `after step ${step}`).toEqual([]);
    most = Math.max(most, Number(ledger.sqlite.prepare("SELECT count(*) AS n FROM day_uses").get()?.n));
  }
  expect(most).toBeGreaterThan(10);
});

/** Forgets the objects that are not there any more. */
async function keepRemaining(ledger: SqliteLedger, rows: Map<number, ObjectRow>): Promise<void> {
  const found = await findObjects(ledger, [...rows.values()]);
  for (const [number, { rawKey }] of rows) if (!found.has(rawKey)) rows.delete(number);
}

it("reporters beyond a number share a budget, verified ones and others apart", async () => {
  const ledger = new SqliteLedger();
  const { namedReporters } = USE_LIMITS;
  const reporters = Array.from({ length: namedReporters + 5 }, (_, i) => -(i + 2));
  await commit(ledger, [object(0, { reporter: 3 })], [address]);
  // Batches of ordinary size: one may go beyond the number by its own.
  for (let i = 0; i < reporters.length; i += 20)
    await commit(
      ledger,
      reporters.slice(i, i + 20).map((reporter, k) => object(1000 + i + k, { reporter })),
    );
  const row = (): Record<string, number> =>
    JSON.parse(String(ledger.sqlite.prepare("SELECT reporters FROM day_uses").get()?.reporters));
  expect(Object.keys(row()).length).toBeLessThanOrEqual(namedReporters + 20 + 1);
  await commit(ledger, [object(1, { reporter: -90_000 }), object(2, { reporter: -90_001, reports: 4 })]);
  await commit(ledger, [object(3, { reporter: 90_000 }), object(4, { reporter: -2 })]);
  expect(row()).toMatchObject({ "-1": 10, "-2": 2, "90000": 1, "3": 1 });
  expect(wrongUses(ledger)).toEqual([]);
  const uses = await usesOf(ledger, [address], [-90_001, 90_000, 90_002]);
  expect(uses.filter(({ reports }) => reports > 0).map(({ reporter, reports }) => [reporter, reports])).toEqual([
    [90_000, 1],
    [-90_001, 10],
  ]);
  // The same from all objects at once.
  await change(ledger, [removeOldDayUses(DAY + 1), ...makeDayUses([address])]);
  expect(Object.keys(row())).toHaveLength(namedReporters + 3);
  expect(wrongUses(ledger)).toEqual([]);
});
