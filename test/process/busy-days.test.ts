/** The daily budgets on a day with many objects: a batch reads a few rows, writes one or two more, and the budgets hold. */
import { expect, it } from "vitest";
import { USE_LIMITS } from "../../shared/limits.ts";
import { wrongUses } from "../support/day-uses.ts";
import { records, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";

/** Objects of an address that came today, of one record each, by one reporter. */
function fill(simulation: Simulation, { rua = RUA, account = "acme", count }: Fill): void {
  const seconds = Math.floor(simulation.clock.nowMilliseconds / 1000);
  simulation.ledger.sqlite
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
      INSERT INTO objects (rua, day, object_hash, account, version, generation, received_seconds, settled_seconds, records,
        outcomes, reporter, reports)
      SELECT ?2, CAST(?3 AS INTEGER) / 86400, randomblob(16), ?4, 1, 1, ?3, ?3, 1, '[]', -99, 1 FROM n`,
    )
    .run(count, rua, seconds, account);
}

interface Fill {
  rua?: string;
  account?: string;
  count: number;
}

async function receive(simulation: Simulation, name: string, count: number): Promise<void> {
  await simulation.deliver(reportMail(name, records(count)));
  await simulation.drain();
}

function uses(simulation: Simulation): unknown[] {
  return simulation.rows("SELECT account, rua, unverified_records AS records FROM day_uses ORDER BY account, rua");
}

function accepted(simulation: Simulation): number {
  return simulation.rows("SELECT 1 FROM reports WHERE state = 'accepted'").length;
}

it("a day of few objects has no sums, a busy one has, and both keep to the budget", async () => {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  const { countedObjects } = USE_LIMITS;
  simulation.recordsPerDay.address = countedObjects + 12;
  fill(simulation, { count: countedObjects - 1 });
  await receive(simulation, "a", 3);
  expect(uses(simulation)).toEqual([]);
  await receive(simulation, "b", 4);
  expect(uses(simulation)).toEqual([{ account: "", rua: RUA, records: countedObjects + 6 }]);
  await receive(simulation, "c", 6);
  await receive(simulation, "too-much", 1);
  expect(accepted(simulation)).toBe(3);
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "over_budget" }]);
  expect(uses(simulation)).toEqual([{ account: "", rua: RUA, records: countedObjects + 12 }]);
  expect(wrongUses(simulation.ledger)).toEqual([]);
});

it("an account of several addresses counts all of them, and gives each its sums sooner", async () => {
  const simulation = new Simulation();
  const others = ["b@acme.example", "c@acme.example", "d@acme.example"];
  for (const rua of [RUA, ...others]) simulation.register(rua, { account: "acme" });
  const share = USE_LIMITS.countedObjects / 4;
  for (const rua of others.slice(1)) fill(simulation, { rua, count: share });
  simulation.recordsPerDay.account = 2 * share + 5;
  await receive(simulation, "a", 3);
  expect(uses(simulation)).toEqual(others.slice(1).map((rua) => ({ account: "", rua, records: share })));
  await receive(simulation, "b", 2);
  await receive(simulation, "too-much", 1);
  expect(accepted(simulation)).toBe(2);
  expect(wrongUses(simulation.ledger)).toEqual([]);
});

it("an account of many addresses has sums of its own at once, of other addresses' objects too", async () => {
  const simulation = new Simulation();
  const others = Array.from({ length: USE_LIMITS.countedAddresses }, (_, i) => `a${i}@acme.example`);
  for (const rua of [RUA, ...others]) simulation.register(rua, { account: "acme" });
  for (const rua of ["gone@acme.example", ...others]) fill(simulation, { rua, count: 10 });
  fill(simulation, { rua: "gone@acme.example", account: "other", count: 7 });
  const filled = 10 * (others.length + 1);
  simulation.recordsPerDay.account = filled + 5;
  await receive(simulation, "a", 3);
  expect(uses(simulation)).toEqual([{ account: "acme", rua: "", records: filled + 3 }]);
  await receive(simulation, "b", 2);
  await receive(simulation, "too-much", 1);
  expect(accepted(simulation)).toBe(2);
  expect(wrongUses(simulation.ledger)).toEqual([]);
});

it("reports of one reporter are limited on a busy day as on any other", async () => {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  fill(simulation, { count: USE_LIMITS.countedObjects });
  simulation.reportsPerDay.reporter = 3;
  for (const name of ["a", "b", "c", "d"]) await receive(simulation, name, 1);
  expect(accepted(simulation)).toBe(3);
  expect(wrongUses(simulation.ledger)).toEqual([]);
});
