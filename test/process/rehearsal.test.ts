import { expect, test } from "vitest";
import { rehearse } from "../../workers/process/rehearsal.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

test("each report of the rehearsal at the start of process is accepted, and nothing of it is kept", async () => {
  const ledger = new SqliteLedger();
  const lines = await rehearse(ledger);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ event: "report", outcome: "accepted", keys: [expect.any(String)] });
  }
  expect(ledger.sqlite.prepare("SELECT total_changes() AS changes").all()).toEqual([{ changes: 0 }]);
});

test("the rehearsal goes wrong without a fault when nothing can be prepared", async () => {
  const refusing = {
    prepare() {
      throw new Error("no database at the start");
    },
    batch: async () => [],
  };
  const lines = await rehearse(refusing);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ event: "fault" });
});
