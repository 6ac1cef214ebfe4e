import { expect, test } from "vitest";
import { rehearse } from "../../workers/process/rehearsal.ts";

test("the rehearsal at the start of process ends with an accepted report", async () => {
  expect(JSON.parse(await rehearse())).toMatchObject({ event: "report", outcome: "accepted", counts: { accepted: 1 } });
});
