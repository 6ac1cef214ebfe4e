/** What /health says of the pipeline, and how often it asks for it. */
import { expect, it } from "vitest";
import type { OperationsEntry } from "../../shared/contract/rpc.ts";
import { HealthCheck, healthResponse } from "../../workers/dashboard/health.ts";
import { readHealth } from "../../workers/process/operations/health.ts";
import { readStatus } from "../../workers/process/operations/status.ts";
import { runSchedule } from "../../workers/process/schedules.ts";
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
