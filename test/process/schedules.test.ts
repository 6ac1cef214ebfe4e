/** The schedules of process on one machine: those of its TOML, each with something to run, at the minutes they name. */
import { expect, it } from "vitest";
import { isDue } from "../../local/cron.ts";
import { localConfig } from "../../local/worker-config.ts";
import { runSchedule, SCHEDULES } from "../../workers/process/schedules.ts";
import { Simulation } from "../support/simulation/simulation.ts";

it("exactly the schedules of the TOML have something to run", () => {
  expect(Object.keys(SCHEDULES).sort()).toEqual([...(localConfig("process").triggers?.crons ?? [])].sort());
});

it("every schedule runs on an empty ledger", async () => {
  for (const cron of Object.keys(SCHEDULES)) {
    expect(await runSchedule(cron, new Simulation().invocation())).toHaveProperty("event");
  }
  for (const unknown of ["1 2 3 4 5", "valueOf"]) {
    await expect(runSchedule(unknown, new Simulation().invocation())).rejects.toThrow(unknown);
  }
});

it.each([
  ["* * * * *", "2026-11-27T03:17:59Z", true],
  ["17 3 * * *", "2026-11-27T03:17:00Z", true],
  ["17 3 * * *", "2026-11-27T03:18:00Z", false],
  ["17 3 * * *", "2026-11-27T04:17:00Z", false],
  ["47 * * * *", "2026-11-27T04:47:30Z", true],
  ["47 * * * *", "2026-11-27T04:46:59Z", false],
])("%s at %s: %s", (cron, time, isExpected) => {
  expect(isDue(cron, new Date(time))).toBe(isExpected);
});

it.each(["*/5 * * * *", "0 0 1 * *", "0 0"])("the unknown schedule %s is refused", (cron) => {
  expect(() => isDue(cron, new Date())).toThrow(cron);
});
