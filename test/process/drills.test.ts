/** The drills of docs/operations.md on the simulated platform: what an operator does, and that the sums are what they were. */
import { expect, it } from "vitest";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { restoreRegistrations } from "../../workers/process/operations/registrations.ts";
import { imbalances, ledgerFigures } from "../support/simulation/balance.ts";
import { allMail, registerAll } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { World } from "../support/simulation/world.ts";

setUpSimulation();

const { mails, expected } = allMail();

async function received(shards = 1): Promise<World> {
  const world = new World({ shards });
  registerAll(world);
  for (const mail of mails) await world.deliver(mail);
  return world;
}

async function run(world: World, kind: "reprocess" | "reconcile"): Promise<void> {
  world.clock.nowMilliseconds += 60_000;
  expect(await startJob({ kind, random: 0.5 }, {}, world.invocation())).not.toHaveProperty("refused");
  await world.drain();
}

it("purged queue: dmarc reconcile enqueues unfinished files again", async () => {
  const world = await received();
  await world.drain({ rounds: 1 });
  for (const queue of Object.values(world.queues)) queue.messages.splice(0);
  expect(await imbalances(world, expected)).not.toEqual([]);
  await run(world, "reconcile");
  expect(await imbalances(world, expected)).toEqual([]);
});

it.each([1, 2])(
  "lost ledger of %i databases: addresses are restored from KV and figures from raw/",
  async (databases) => {
    const world = await received(databases);
    await world.drain();
    const before = ledgerFigures(world);
    expect(Object.keys(before).length).toBeGreaterThan(3);
    for (const { sqlite } of world.ledgers) {
      const tables = sqlite
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .all();
      for (const { name } of tables) sqlite.exec(`DELETE FROM ${name}`);
    }
    // dmarc rua restore
    const restored = await restoreRegistrations(undefined, world.invocation());
    expect(restored).toEqual({ ok: true, value: { found: 3, restored: 3, cursor: undefined } });
    expect(await restoreRegistrations(undefined, world.invocation())).toMatchObject({ value: { restored: 0 } });
    // dmarc reprocess --all --yes
    await run(world, "reprocess");
    expect(ledgerFigures(world)).toEqual(before);
    expect(await imbalances(world, expected)).toEqual([]);
  },
);

it("lost dataset: dmarc reprocess writes all points again without changing the sums", async () => {
  const world = await received();
  await world.drain();
  const before = ledgerFigures(world);
  const points = world.points.records.length;
  for (const dataset of Object.values(world.points)) dataset.splice(0);
  await run(world, "reprocess");
  expect(ledgerFigures(world)).toEqual(before);
  expect(world.points.records.length).toBeGreaterThan(points / 2);
  expect(await imbalances(world, expected)).toEqual([]);
});
