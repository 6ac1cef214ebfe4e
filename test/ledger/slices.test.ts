/** Slices of a report's points: those due are those that somebody still has to write. */
import { expect, it } from "vitest";
import { ask, change } from "../../shared/ledger/database.ts";
import {
  dueSlicesQuery,
  markSlice,
  removeFinishedSlices,
  removeReservedSlices,
  reserveSlices,
  trimSlices,
} from "../../shared/ledger/slices.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const report = {
  uid: "ab".repeat(16),
  generation: 1,
  rua: "dmarc@acme.example",
  rawKey: "raw/a",
  receivedSeconds: 100,
};
const due = (ledger: SqliteLedger) => ask(ledger, dueSlicesQuery(1_000, 10));

it("slices that were reserved but not enqueued stay due until the report is committed", async () => {
  const ledger = new SqliteLedger();
  await change(ledger, [reserveSlices({ ...report, slices: 2 }, 200), reserveSlices({ ...report, slices: 8 }, 200)]);
  expect(await due(ledger)).toEqual([{ ...report, slices: 8, due: 8 }]);
  await change(ledger, [markSlice({ ...report, slice: 1 }, "1"), trimSlices([{ ...report, slices: 3 }], 200)]);
  expect(await due(ledger)).toEqual([{ ...report, slices: 3, due: 2 }]);
  // A slice beyond the report's last one is not its own.
  await change(
    ledger,
    [0, 2, 3].map((slice) => markSlice({ ...report, slice }, "1")),
  );
  expect(await due(ledger)).toEqual([]);
  await change(ledger, [removeFinishedSlices(150)]);
  expect(ledger.sqlite.prepare("SELECT count(*) AS n FROM slices").get()).toEqual({ n: 0 });
});

it("a second delivery reserves no slices if the first has committed the report meanwhile", async () => {
  const ledger = new SqliteLedger();
  await change(ledger, [reserveSlices({ ...report, slices: 3 }, 200), trimSlices([{ ...report, slices: 3 }], 200)]);
  await change(ledger, [reserveSlices({ ...report, slices: 40 }, 200)]);
  expect(await due(ledger)).toEqual([{ ...report, slices: 3, due: 3 }]);
  // What a person runs again has a reservation of its own.
  await change(ledger, [reserveSlices({ ...report, generation: 2, slices: 40 }, 300)]);
  expect(await due(ledger)).toContainEqual({ ...report, generation: 2, slices: 40, due: 40 });
});

it("an older reading reserves no slices once a newer one is committed", async () => {
  const ledger = new SqliteLedger();
  const newer = { ...report, generation: 20, slices: 1 };
  // Until then, either may be the one that is committed.
  await change(ledger, [reserveSlices(newer, 200), reserveSlices({ ...report, generation: 9, slices: 2 }, 200)]);
  expect(await due(ledger)).toContainEqual({ ...report, generation: 9, slices: 2, due: 2 });
  await change(ledger, [trimSlices([newer], 200), markSlice({ ...newer, slice: 0 }, "1")]);
  await change(ledger, [reserveSlices({ ...report, generation: 10, slices: 40 }, 200)]);
  expect(await due(ledger)).toEqual([{ ...report, generation: 9, slices: 2, due: 2 }]);
});

it("what was reserved goes with an object that is refused, but what is committed stays", async () => {
  const ledger = new SqliteLedger();
  const other = { ...report, uid: "cd".repeat(16), rawKey: "raw/b", slices: 2 };
  const committed = { ...report, generation: 2, slices: 1 };
  await change(ledger, [
    reserveSlices({ ...report, slices: 2 }, 200),
    reserveSlices(committed, 200),
    reserveSlices(other, 200),
    trimSlices([committed], 200),
    removeReservedSlices(["raw/a"]),
  ]);
  const left = await due(ledger);
  expect(left).toHaveLength(2);
  expect(left).toContainEqual({ ...committed, due: 1 });
  expect(left).toContainEqual({ ...other, due: 2 });
});

it("slices whose reservation was removed while their report was read are due once it is committed", async () => {
  const ledger = new SqliteLedger();
  await change(ledger, [reserveSlices({ ...report, slices: 8 }, 200), removeReservedSlices(["raw/a"])]);
  await change(ledger, [markSlice({ ...report, slice: 0 }, "1"), trimSlices([{ ...report, slices: 3 }], 300)]);
  expect(await due(ledger)).toEqual([{ ...report, slices: 3, due: 3 }]);
});

it("what is all written before its report is committed stays until it is old", async () => {
  const ledger = new SqliteLedger();
  await change(ledger, [
    reserveSlices({ ...report, slices: 1 }, 200),
    markSlice({ ...report, slice: 0 }, "1"),
    removeFinishedSlices(200),
    trimSlices([{ ...report, slices: 1 }], 300),
  ]);
  expect(await due(ledger)).toEqual([]);
  await change(ledger, [removeFinishedSlices(100)]);
  expect(ledger.sqlite.prepare("SELECT count(*) AS n FROM slices").get()).toEqual({ n: 0 });
});
