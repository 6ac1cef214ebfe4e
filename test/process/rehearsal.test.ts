import { expect, test } from "vitest";
import { rehearse } from "../../workers/process/rehearsal.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

test("the rehearsal at the start of process ends with an accepted report, and keeps nothing", async () => {
  const ledger = new SqliteLedger();
  const said = await rehearse(ledger);
  expect(JSON.parse(said)).toMatchObject({ event: "report", outcome: "accepted", counts: { accepted: 1 } });
  expect(ledger.sqlite.prepare("SELECT total_changes() AS changes").all()).toEqual([{ changes: 0 }]);
});

test("the rehearsal goes wrong without a fault when nothing can be prepared", async () => {
  const refusing = {
    prepare() {
      throw new Error("no database at the start");
    },
    batch: async () => [],
  };
  expect(JSON.parse(await rehearse(refusing))).toMatchObject({ event: "fault" });
});
