/** What /health says of the pipeline, and how often it asks for it. */
import { expect, it } from "vitest";
import type { OperationsEntry } from "../../shared/contract/rpc.ts";
import { HealthCheck, healthResponse } from "../../workers/dashboard/health.ts";
import { readHealth } from "../../workers/process/operations/health.ts";
import { readStatus } from "../../workers/process/operations/status.ts";
import { runSchedule } from "../../workers/process/schedules.ts";
import { registeredSimulation } from "../support/simulation/scenario.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

/** Process as the contract has it, on a simulation. */
function processOf(
  simulation: Simulation,
  change: (env: object) => void = () => {},
): OperationsEntry & { calls: number } {
  const entry = {
    calls: 0,
    async call() {
      entry.calls += 1;
      const invocation = simulation.invocation();
      change(invocation.env);
      return { ok: true, value: await readHealth(invocation) };
    },
  };
  // The one operation that is asked for.
  return entry as unknown as OperationsEntry & { calls: number };
}

it("health is 200 while everything answers, and is read once in ten seconds", async () => {
  const simulation = new Simulation({ shards: 2 });
  const health = new HealthCheck();
  const process = processOf(simulation);
  const answer = healthResponse(await health.read(process, NOW));
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: "ok", ledger: true, registry: true, process: true });
  for (let i = 0; i < 100; i++) await health.read(process, NOW + i * 100);
  expect(process.calls).toBe(1);
  await health.read(process, NOW + 10_001);
  expect(process.calls).toBe(2);
});

it("health stays 200 but says when a message has waited too long", async () => {
  const simulation = new Simulation();
  await simulation.queues["dmarc-reports"].send({ v: 1 });
  simulation.clock.nowMilliseconds += 7 * 3_600_000;
  const answer = await new HealthCheck().read(processOf(simulation), simulation.clock.nowMilliseconds);
  expect(answer).toMatchObject({ status: "behind", queues: [{ queue: "dmarc-reports", messages: 1 }, {}, {}] });
  expect(healthResponse(answer).status).toBe(200);
});

it("health stays 200 but says when cron has not run for hours, although everything else goes on", async () => {
  const simulation = new Simulation();
  const { clock } = simulation;
  const status = async () => (await new HealthCheck().read(processOf(simulation), clock.nowMilliseconds)).status;
  expect(await status()).toBe("ok");
  await runSchedule("* * * * *", simulation.invocation());
  const began = Math.floor(clock.nowMilliseconds / 1000);
  expect(await readStatus(simulation.invocation())).toMatchObject({ roundSeconds: began });
  clock.nowMilliseconds += 6 * 3_600_000;
  expect(await status()).toBe("ok");
  clock.nowMilliseconds += 60_000;
  const answer = await new HealthCheck().read(processOf(simulation), clock.nowMilliseconds);
  expect(answer).toMatchObject({ status: "behind", roundSeconds: began });
  expect(healthResponse(answer).status).toBe(200);
  await runSchedule("* * * * *", simulation.invocation());
  expect(await status()).toBe("ok");
});

it("health says under its own name which queue is behind, as do the alert and the status", async () => {
  const simulation = new Simulation();
  simulation.prefix = "dmarc-staging";
  await simulation.queues["dmarc-reports"].send({ v: 1 });
  simulation.clock.nowMilliseconds += 7 * 3_600_000;
  const answer = await new HealthCheck().read(processOf(simulation), simulation.clock.nowMilliseconds);
  expect(answer.queues.map(({ queue }) => queue)).toEqual([
    "dmarc-staging-reports",
    "dmarc-staging-points",
    "dmarc-staging-dead-letters",
  ]);
  expect((await readStatus(simulation.invocation())).queues).toMatchObject(
    answer.queues.map(({ queue }) => ({ queue })),
  );
  await runSchedule("* * * * *", simulation.invocation());
  expect(titles(simulation)).toEqual(["The queue dmarc-staging-reports is behind"]);
});

it("a database that is nearly full is told by health, by an alert, and in the status", async () => {
  const simulation = new Simulation({ shards: 2 });
  const bytes = simulation.ledgers[1]?.bytes ?? 0;
  simulation.maxDatabaseBytes = bytes * 2;
  const health = async () => new HealthCheck().read(processOf(simulation), simulation.clock.nowMilliseconds);
  expect(await health()).toMatchObject({ status: "ok", nearlyFull: [] });
  await runSchedule("* * * * *", simulation.invocation());
  expect(titles(simulation)).toEqual([]);
  // The last takes new accounts, the one before only its own.
  simulation.maxDatabaseBytes = Math.ceil(bytes / 0.85);
  simulation.clock.nowMilliseconds += 3_600_000;
  expect(await health()).toMatchObject({ status: "ok", nearlyFull: [1] });
  const { databases, maxDatabaseBytes } = await readStatus(simulation.invocation());
  expect({ databases, maxDatabaseBytes }).toMatchObject({
    databases: [{ bytes }, { bytes }],
    maxDatabaseBytes: simulation.maxDatabaseBytes,
  });
  await runSchedule("* * * * *", simulation.invocation());
  await runSchedule("* * * * *", simulation.invocation());
  expect(titles(simulation)).toEqual([expect.stringMatching(/^Database 1 holds [0-9]+ of [0-9.]+ MB$/)]);
  simulation.maxDatabaseBytes = bytes;
  expect(await health()).toMatchObject({ status: "behind", nearlyFull: [0, 1] });
});

it("a database that accounts live in and that is not bound is told by health and in the status; one without accounts is not", async () => {
  const simulation = registeredSimulation({ shards: 4 });
  simulation.ledger.sqlite.exec("UPDATE accounts SET shard = 2 WHERE account = 'other'");
  const health = async () => new HealthCheck().read(processOf(simulation), simulation.clock.nowMilliseconds);
  expect(await health()).toMatchObject({ status: "ok", unboundDatabases: [] });
  simulation.unbind(3);
  expect(await health()).toMatchObject({ status: "ok", unboundDatabases: [] });
  expect(await readStatus(simulation.invocation())).toMatchObject({ unboundDatabases: [] });
  simulation.unbind(2);
  const answer = await health();
  expect(answer).toMatchObject({ status: "behind", ledger: true, unboundDatabases: [2] });
  expect(healthResponse(answer).status).toBe(200);
  expect(await readStatus(simulation.invocation())).toMatchObject({ unboundDatabases: [2] });
  simulation.bindAll();
  expect(await health()).toMatchObject({ status: "ok", unboundDatabases: [] });
});

it("a round over very many domains is no sign that cron has stopped, while it judges some of them", async () => {
  const simulation = registeredSimulation();
  simulation.watchQueries = 24;
  for (let i = 0; i < 30; i++) {
    const verdict = `INSERT INTO domain_verdicts VALUES ('acme', 'd${String(i).padStart(2, "0")}.example', '', -1, 0, 0, 0, 0, '', 0, '', '[]', '[]', 0, '', 0`;
    const { sqlite } = simulation.ledger;
    const columns = sqlite.prepare("SELECT count(*) AS n FROM pragma_table_info('domain_verdicts')").get()?.n;
    sqlite.exec(`${verdict}${", ''".repeat(Number(columns) - 16)})`);
  }
  const status = async () =>
    (await new HealthCheck().read(processOf(simulation), simulation.clock.nowMilliseconds)).status;
  await runSchedule("* * * * *", simulation.invocation());
  const began = Math.floor(simulation.clock.nowMilliseconds / 1000);
  for (let hour = 1; hour <= 8; hour++) {
    simulation.clock.nowMilliseconds += 3_600_000;
    await runSchedule("* * * * *", simulation.invocation());
  }
  const now = Math.floor(simulation.clock.nowMilliseconds / 1000);
  expect(await readStatus(simulation.invocation())).toMatchObject({ roundSeconds: began, cronSeconds: now });
  expect(await status()).toBe("ok");
  // Its end comes a minute before the next one begins.
  const isDone = () => simulation.ledger.sqlite.prepare("SELECT is_done AS n FROM watch_round").get()?.n;
  for (let hour = 1; hour <= 40 && isDone() === 0; hour++) {
    simulation.clock.nowMilliseconds += 3_600_000;
    await runSchedule("* * * * *", simulation.invocation());
  }
  expect(isDone()).toBe(1);
  expect(await status()).toBe("ok");
  simulation.clock.nowMilliseconds += 6 * 3_600_000 + 60_000;
  expect(await status()).toBe("behind");
});

/** What the alerts about the pipeline say. */
function titles({ ledger }: Simulation): unknown[] {
  const rows = ledger.sqlite.prepare("SELECT title FROM incidents WHERE account = '' ORDER BY title").all();
  return rows.map(({ title }) => title);
}

it("health is 503 without ledger tables, KV or process, and names no one", async () => {
  const broken = new Simulation({ shards: 2 });
  broken.ledgers[1]?.sqlite.exec("ALTER TABLE accounts RENAME TO gone");
  const noKv = (env: object): void => {
    Object.assign(env, { KV_DMARC_REPORTS: { get: () => Promise.reject(new Error("KV is down")) } });
  };
  const dead = { call: () => Promise.reject(new Error("secret detail")) } as unknown as OperationsEntry;
  for (const process of [processOf(broken), processOf(new Simulation(), noKv), dead]) {
    const answer = healthResponse(await new HealthCheck().read(process, NOW));
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("secret");
  }
});
