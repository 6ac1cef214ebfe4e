/**
 * The fault matrix: every call on D1, KV, R2, the queues and Analytics Engine made to fail, once and for good, before and
 * after it took effect, and the isolate killed there; then the balance must be exact. docs/reliability.md tells of it.
 */
import { afterAll, describe, expect, it, vi } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { requeueDeadLetters } from "../../workers/process/operations/dead-letters.ts";
import { imbalances } from "../support/simulation/balance.ts";
import { FAULT_MODES, type FaultPlan } from "../support/simulation/faults.ts";
import {
  allMail,
  forgedMail,
  largeMail,
  registerAll,
  type Scenario,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { type Delivery, World } from "../support/simulation/world.ts";

let cases = 0;

vi.setConfig({ testTimeout: 600_000 });

setUpSimulation();
afterAll(() => void process.stderr.write(`fault matrix: ${cases} cases\n`));

interface Run {
  /** Databases of the ledger. */
  shards?: number;
  plan?: FaultPlan;
  scenario?: Scenario;
  delivery?: Delivery;
  pause?: () => Promise<void>;
}

/** The ledger in one database, and in three: the accounts of the mail are in the second and the third. */
const SHARDS = [1, 3];

const ONE_BY_ONE: Delivery = { maxBatchSize: 1 };

/** Runs a day's mail under a plan, repairs everything, sends again what ended as a dead letter of a fault. */
async function runDay({ shards = 1, plan, scenario = smallMail(), delivery = ONE_BY_ONE, pause }: Run) {
  cases++;
  const world = new World({ shards });
  registerAll(world);
  const { mails, expected } = scenario;
  world.faults.plan = plan ?? (() => undefined);
  world.faults.pause = pause;
  const undelivered = [];
  for (const mail of mails) if ((await world.deliver(mail)) === "fault") undelivered.push(mail);
  await world.drain(delivery);
  world.faults.plan = () => undefined;
  // A sender that gave up is told so by its own queue; nothing of its mail was taken, so it may come again.
  for (const mail of undelivered) expect(await world.deliver(mail)).toBe("taken");
  await world.drain(delivery);
  for (let round = 0; round < 3 && hasExhausted(world); round++) {
    world.clock.nowMilliseconds += 3_600_000;
    await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, world.invocation());
    await world.drain(delivery);
  }
  return { world, wrong: await imbalances(world, expected) };
}

function hasExhausted(world: World): boolean {
  return world.rows("SELECT id FROM dead_letters WHERE code = 'retries_exhausted'").length > 0;
}

/** Of a list, all of D1, R2, KV and the queues, and some of the many writes of points. */
function indexesOf(calls: string[], everyWrite: number): number[] {
  return calls.flatMap((name, index) => (name.startsWith("analytics.") && index % everyWrite !== 0 ? [] : [index]));
}

describe("the fault matrix", () => {
  it.each(SHARDS)("a clean day balances in %i databases", async (shards) => {
    const { world, wrong } = await runDay({ shards, scenario: allMail() });
    expect(wrong).toEqual([]);
    expect(world.rows("SELECT * FROM faults")).toEqual([]);
  });

  it.each(SHARDS)("one fault at any call changes nothing in %i databases", async (shards) => {
    const clean = (await runDay({ shards })).world.faults.calls;
    for (const mode of FAULT_MODES) {
      for (const index of clean.keys()) {
        const { wrong } = await runDay({ shards, plan: (call) => (call.index === index ? mode : undefined) });
        expect(wrong, `${mode} at call ${index}, ${clean[index]}`).toEqual([]);
      }
    }
  });

  it.each(SHARDS)(
    "nor does one among forged reports and those that take their place, in %i databases",
    async (shards) => {
      const scenario = forgedMail();
      const clean = (await runDay({ shards, scenario })).world.faults.calls;
      for (const delivery of [ONE_BY_ONE, {}]) {
        for (const mode of FAULT_MODES) {
          for (const index of clean.keys()) {
            const plan: FaultPlan = (call) => (call.index === index ? mode : undefined);
            const { wrong } = await runDay({ shards, scenario, delivery, plan });
            expect(wrong, `${mode} at call ${index}, ${clean[index]}`).toEqual([]);
          }
        }
      }
    },
  );

  it("nor does one in reports that are cut into slices and read twice", async () => {
    const scenario = largeMail();
    const clean = (await runDay({ scenario })).world.faults.calls;
    for (const mode of FAULT_MODES) {
      for (const index of indexesOf(clean, 97)) {
        const { wrong } = await runDay({ scenario, plan: (call) => (call.index === index ? mode : undefined) });
        expect(wrong, `${mode} at call ${index}, ${clean[index]}`).toEqual([]);
      }
    }
  });

  it("nor do two in a row, of any kinds", async () => {
    const clean = (await runDay({})).world.faults.calls;
    for (const first of FAULT_MODES) {
      for (const second of FAULT_MODES) {
        for (let index = 0; index < clean.length; index += 7) {
          let last = -1;
          const plan: FaultPlan = (call) => {
            if (call.index === index) {
              last = index;
              return first;
            }
            // The next call of the same name: what the retry does again.
            if (last !== index || call.name !== clean[index]) return undefined;
            last = -1;
            return second;
          };
          const { wrong } = await runDay({ plan });
          expect(wrong, `${first}, then ${second} at call ${index}, ${clean[index]}`).toEqual([]);
        }
      }
    }
  });

  it.each(SHARDS)(
    "what fails for good ends as a dead letter; sent again, it balances in %i databases",
    async (shards) => {
      const scenario = allMail();
      const names = new Set((await runDay({ shards, scenario })).world.faults.calls);
      for (const mode of FAULT_MODES) {
        for (const name of names) {
          let failures = 0;
          const plan: FaultPlan = (call) => (call.name === name && failures++ < 150 ? mode : undefined);
          const { wrong } = await runDay({ shards, plan, scenario });
          expect(wrong, `${mode} at every ${name}`).toEqual([]);
        }
      }
    },
  );

  it.each([
    [1, 1],
    [3, 1],
    [3, 3],
  ])(
    "random faults, messages out of order and repeated, %i invocations at once, %i databases",
    async (parallel, shards) => {
      for (let seed = 1; seed <= 30; seed++) {
        const { wrong } = await runDay({ shards, ...randomRun(seed, parallel) });
        expect(wrong, `seed ${seed}`).toEqual([]);
      }
    },
  );
});

function randomRun(seed: number, parallel: number): Run {
  const random = mulberry32(seed * 7919 + parallel);
  const pick = (n: number): number => Math.floor(random() * n);
  const pause = async (): Promise<void> => {
    for (let turns = pick(6); turns > 0; turns--) await undefined;
  };
  return {
    scenario: seed % 5 === 0 ? allMail() : seed % 5 === 1 ? forgedMail() : smallMail(),
    plan: () => (random() < 0.03 ? FAULT_MODES[pick(FAULT_MODES.length)] : undefined),
    delivery: { pick, repeats: () => random() < 0.1, maxBatchSize: 1 + pick(25), parallel },
    pause,
  };
}
