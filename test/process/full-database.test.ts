/** A database as large as the plan allows, which takes nothing that needs more room. */
import { expect, it } from "vitest";
import { delayAfterFault } from "../../shared/backoff.ts";
import { runSchedule } from "../../workers/process/schedules.ts";
import { records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";

setUpSimulation();

/** As users of D1 have it (github.com/cloudflare/cloudflare-docs/pull/24991). */
const REFUSALS = ["D1_ERROR: Exceeded maximum DB size", "D1_ERROR: Exceeded maximum account storage limit"];

it("its reports wait, for hours each time, and count when there is room; none is lost, none is a dead letter", async () => {
  const simulation = registeredSimulation({ shards: 2 });
  const full = simulation.ledgers[1];
  if (full === undefined) throw new Error("no second database");
  await simulation.deliver(reportMail("before", records(3)));
  await simulation.drain();
  full.limit();
  // Some fit into the pages there are.
  for (let i = 0; i < 40; i++) {
    await simulation.deliver(reportMail(`full-${i}`, records(40, 1 + i)));
    await simulation.deliver(reportMail(`other-${i}`, records(3, 1 + i), "rua@other.example"));
  }
  await simulation.drain({ rounds: 6 });
  const count = (shard: number, table: string): unknown =>
    simulation.ledgers[shard]?.sqlite.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
  expect(count(0, "reports")).toBe(40);
  expect(count(1, "reports")).toBeLessThan(41);
  full.limit(1_000_000_000);
  await simulation.drain();
  expect(count(1, "reports")).toBe(41);
  expect([count(0, "dead_letters"), count(1, "dead_letters")]).toEqual([0, 0]);
});

it("upkeep removes old details from it, which makes room for new ones", async () => {
  const simulation = registeredSimulation();
  const { ledger } = simulation;
  for (let i = 0; i < 20; i++) await simulation.deliver(reportMail(`old-${i}`, records(40, 1 + i)));
  await simulation.drain();
  ledger.limit();
  simulation.keepDetailDays = 30;
  simulation.clock.nowMilliseconds += 60 * 86_400_000;
  await runSchedule("17 3 * * *", simulation.invocation());
  const left = ledger.sqlite.prepare("SELECT count(*) AS n FROM reports").get()?.n;
  expect(left).toBe(0);
  // A report about the days that are final by now: what is written of it.
  await simulation.deliver(reportMail("late", records(3)));
  await simulation.drain();
  expect(ledger.sqlite.prepare("SELECT code FROM dead_letters").all()).toEqual([{ code: "day_closed" }]);
});

it.each(REFUSALS)("%s: tried again after three to six hours, whatever the attempt", (refusal) => {
  const times = { attempts: 1, nowSeconds: Date.UTC(2026, 10, 20) / 1000 };
  expect(delayAfterFault(new Error(refusal), times, 30, 0)).toBe(3 * 3600);
  expect(delayAfterFault(new Error(refusal), { ...times, attempts: 7 }, 30, 1)).toBe(6 * 3600);
});
