import { expect, test } from "vitest";
import { rehearse } from "../../workers/process/rehearsal.ts";

test("what is rehearsed at the start of process goes all the way: a report is accepted", async () => {
  expect(JSON.parse(await rehearse())).toMatchObject({ event: "report", outcome: "accepted", counts: { accepted: 1 } });
});
