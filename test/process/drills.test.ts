/** The drills of docs/operations.md on the simulated platform: what an operator does, and that the sums are what they were. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { expect, it } from "vitest";
import { restoreRegistrations } from "../../workers/process/domains/registrations.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { imbalances, ledgerFigures } from "../support/simulation/balance.ts";
import { allMail, records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const { mails, expected } = allMail();

async function received(shards = 1): Promise<Simulation> {
  const simulation = registeredSimulation({ shards });
  for (const mail of mails) await simulation.deliver(mail);
  return simulation;
}

async function run(simulation: Simulation, kind: "reprocess" | "reconcile"): Promise<void> {
  simulation.clock.nowMilliseconds += 60_000;
  expect(await startJob({ kind, random: 0.5 }, {}, simulation.invocation())).not.toHaveProperty("refused");
  await simulation.drain();
}

it("purged queue: dmarc reconcile enqueues unfinished files again", async () => {
  const simulation = await received();
  await simulation.drain({ rounds: 1 });
  for (const queue of Object.values(simulation.queues)) queue.messages.splice(0);
  expect(await imbalances(simulation, expected)).not.toEqual([]);
  await run(simulation, "reconcile");
  expect(await imbalances(simulation, expected)).toEqual([]);
});

it.each([1, 2])(
  "lost ledger of %i databases: addresses are restored from KV and figures from raw/",
  async (databases) => {
    const simulation = await received(databases);
    await simulation.drain();
    const before = ledgerFigures(simulation);
    expect(Object.keys(before).length).toBeGreaterThan(3);
    for (const { sqlite } of simulation.ledgers) {
      const tables = sqlite
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .all();
      for (const { name } of tables) sqlite.exec(`DELETE FROM ${name}`);
    }
    // dmarc rua restore
    const restored = await restoreRegistrations(undefined, simulation.invocation());
    expect(restored).toEqual({ ok: true, value: { found: 3, restored: 3, cursor: undefined } });
    expect(await restoreRegistrations(undefined, simulation.invocation())).toMatchObject({ value: { restored: 0 } });
    // dmarc reprocess --all --yes
    await run(simulation, "reprocess");
    expect(ledgerFigures(simulation)).toEqual(before);
    expect(await imbalances(simulation, expected)).toEqual([]);
  },
);

it.each([1, 2])(
  "%i databases as they were some time ago: addresses since then are restored from KV, and what arrived since then from raw/",
  async (databases) => {
    const simulation = registeredSimulation({ shards: databases });
    const half = Math.floor(mails.length / 2);
    for (const mail of mails.slice(0, half)) await simulation.deliver(mail);
    // Some of them are still waiting at the time that is restored.
    await simulation.drain({ rounds: 1 });
    const earlier = simulation.ledgers.map(({ sqlite }) => contentOf(sqlite));
    const late = "late@late.example";
    simulation.register(late, { account: "late" });
    for (const mail of mails.slice(half)) await simulation.deliver(mail);
    await simulation.deliver(reportMail("late", records(3), late));
    await simulation.drain();
    const before = ledgerFigures(simulation);
    expect(Object.keys(before).some((name) => name.includes("late"))).toBe(true);
    for (const [i, { sqlite }] of simulation.ledgers.entries()) putBack(sqlite, earlier[i] ?? []);
    expect(ledgerFigures(simulation)).not.toEqual(before);
    // dmarc rua restore
    expect(await restoreRegistrations(undefined, simulation.invocation())).toMatchObject({ value: { restored: 1 } });
    // dmarc reconcile
    await run(simulation, "reconcile");
    expect(ledgerFigures(simulation)).toEqual(before);
  },
);

interface TableContent {
  name: string;
  rows: Record<string, SQLOutputValue>[];
}

function contentOf(sqlite: DatabaseSync): TableContent[] {
  return sqlite
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => ({ name: String(name), rows: sqlite.prepare(`SELECT * FROM ${name}`).all() }));
}

/** The tables have this content, and no other. */
function putBack(sqlite: DatabaseSync, tables: readonly TableContent[]): void {
  for (const { name, rows } of tables) {
    sqlite.exec(`DELETE FROM ${name}`);
    for (const row of rows) {
      const values = Object.values(row);
      sqlite.prepare(`INSERT INTO ${name} VALUES (${values.map(() => "?").join(", ")})`).run(...values);
    }
  }
}

it("lost dataset: dmarc reprocess writes all points again without changing the sums", async () => {
  const simulation = await received();
  await simulation.drain();
  const before = ledgerFigures(simulation);
  const points = simulation.points.records.length;
  for (const dataset of Object.values(simulation.points)) dataset.splice(0);
  await run(simulation, "reprocess");
  expect(ledgerFigures(simulation)).toEqual(before);
  expect(simulation.points.records.length).toBeGreaterThan(points / 2);
  expect(await imbalances(simulation, expected)).toEqual([]);
});
