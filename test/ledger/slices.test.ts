/** Slices of a report's points: those due are those that somebody still has to write. */
import { expect, it } from "vitest";
import { ask, change } from "../../shared/ledger/database.ts";
import {
  dueSlicesQuery,
  markSlice,
  removeFinishedSlices,
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
  await change(ledger, [markSlice({ ...report, slice: 1 }, "1"), trimSlices([{ ...report, slices: 3 }])]);
  expect(await due(ledger)).toEqual([{ ...report, slices: 3, due: 2 }]);
  // A slice beyond the report's last one is not its own.
  await change(
    ledger,
    [0, 2, 3].map((slice) => markSlice({ ...report, slice }, "1")),
  );
  expect(await due(ledger)).toEqual([]);
  await change(ledger, [removeFinishedSlices()]);
  expect(ledger.sqlite.prepare("SELECT count(*) AS n FROM slices").get()).toEqual({ n: 0 });
});

it("a second delivery reserves no slices if the first has committed the report meanwhile", async () => {
  const ledger = new SqliteLedger();
  await change(ledger, [reserveSlices({ ...report, slices: 3 }, 200), trimSlices([{ ...report, slices: 3 }])]);
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
  await change(ledger, [trimSlices([newer]), markSlice({ ...newer, slice: 0 }, "1")]);
  await change(ledger, [reserveSlices({ ...report, generation: 10, slices: 40 }, 200)]);
  expect(await due(ledger)).toEqual([{ ...report, generation: 9, slices: 2, due: 2 }]);
});
