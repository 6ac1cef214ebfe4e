/**
 * The fault matrix: every call on D1, KV, R2, the queues and Analytics Engine made to fail, once and for good, before and
 * after it took effect, and the isolate killed there; then the balance must be exact. docs/reliability.md tells of it.
 */
import { afterAll, describe, expect, it, vi } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { Day, type DaySettings, type FaultCase, ONE_BY_ONE, runCases } from "../support/simulation/day.ts";
import { FAULT_MODES, type FaultMode, type FaultPlan } from "../support/simulation/faults.ts";
import { allMail, forgedMail, largeMail, smallMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";

let cases = 0;

vi.setConfig({ testTimeout: 600_000 });

setUpSimulation();
afterAll(() => void process.stderr.write(`fault matrix: ${cases} cases\n`));

/** The ledger in one database, and in three: the accounts of the mail are in the second and the third. */
const SHARDS = [1, 3];

/** Every case balances. @param casesOf given the names of the calls of a day without a fault */
async function expectBalance(settings: DaySettings, casesOf: (calls: readonly string[]) => FaultCase[]): Promise<void> {
  for await (const { name, wrong } of runCases(settings, casesOf)) {
    cases++;
    expect(wrong, name).toEqual([]);
  }
}

/** One fault of each mode at each call. @param isTried which calls; absent = all */
function oneFault(calls: readonly string[], isTried: (name: string, index: number) => boolean = () => true) {
  return calls.flatMap((name, index) => {
    if (!isTried(name, index)) return [];
    return FAULT_MODES.map((mode): FaultCase => {
      const plan: FaultPlan = (call) => (call.index === index ? mode : undefined);
      return { name: `${mode} at call ${index}, ${name}`, firstCall: index, plan };
    });
  });
}

/** A fault at a call, and another at the next call of the same name: what the retry does again. */
function twoFaults(calls: readonly string[], index: number, [first, second]: [FaultMode, FaultMode]): FaultCase {
  let last = -1;
  const plan: FaultPlan = (call) => {
    if (call.index === index) {
      last = index;
      return first;
    }
    if (last !== index || call.name !== calls[index]) return undefined;
    last = -1;
    return second;
  };
  return { name: `${first}, then ${second} at call ${index}, ${calls[index]}`, firstCall: index, plan };
}

/** The first 150 calls of a name fail. */
function faultsForGood(calls: readonly string[], name: string, mode: FaultMode): FaultCase {
  let failures = 0;
  const plan: FaultPlan = (call) => (call.name === name && failures++ < 150 ? mode : undefined);
  return { name: `${mode} at every ${name}`, firstCall: calls.indexOf(name), plan };
}

describe("the fault matrix", () => {
  it.each(SHARDS)("a clean day balances in %i databases", async (shards) => {
    const day = new Day({ shards, scenario: allMail() });
    expect(await day.finish()).toEqual([]);
    expect(day.simulation.rows("SELECT * FROM faults")).toEqual([]);
  });

  it.each(SHARDS)("one fault at any call changes nothing in %i databases", async (shards) => {
    await expectBalance({ shards }, (calls) => oneFault(calls));
  });

  it("nor does one where each object is fetched from R2", async () => {
    await expectBalance({ carriesObjects: false }, (calls) => oneFault(calls));
  });

  it.each(SHARDS)(
    "nor does one among forged reports and those that take their place, in %i databases",
    async (shards) => {
      for (const delivery of [ONE_BY_ONE, {}]) {
        await expectBalance({ shards, scenario: forgedMail(), delivery }, (calls) => oneFault(calls));
      }
    },
  );

  it.each([
    ["R2", false],
    ["their messages", true],
  ])("nor does one in reports that are cut into slices and read twice from %s", async (_, carriesObjects) => {
    // All of D1, R2, KV and the queues, and some of the many writes of points.
    const isTried = (name: string, index: number) => !name.startsWith("analytics.") || index % 97 === 0;
    await expectBalance({ scenario: largeMail(), carriesObjects }, (calls) => oneFault(calls, isTried));
  });

  it("nor do two in a row, of any kinds", async () => {
    const pairs = FAULT_MODES.flatMap((first) => FAULT_MODES.map((second): [FaultMode, FaultMode] => [first, second]));
    await expectBalance({}, (calls) =>
      [...calls.keys()]
        .filter((index) => index % 7 === 0)
        .flatMap((index) => pairs.map((pair) => twoFaults(calls, index, pair))),
    );
  });

  it.each([
    [1, true],
    [3, true],
    [1, false],
  ])(
    "what fails for good ends as a dead letter; sent again, it balances in %i databases (objects in their messages: %s)",
    async (shards, carriesObjects) => {
      await expectBalance({ shards, scenario: allMail(), carriesObjects }, (calls) =>
        FAULT_MODES.flatMap((mode) => [...new Set(calls)].map((name) => faultsForGood(calls, name, mode))),
      );
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
        cases++;
        const { plan, pause, ...settings } = randomRun(seed, parallel);
        const day = new Day({ shards, ...settings });
        day.simulation.faults.plan = plan;
        day.simulation.faults.pause = pause;
        expect(await day.finish(), `seed ${seed}`).toEqual([]);
      }
    },
  );
});

function randomRun(seed: number, parallel: number) {
  const random = mulberry32(seed * 7919 + parallel);
  const pick = (n: number): number => Math.floor(random() * n);
  const pause = async (): Promise<void> => {
    for (let turns = pick(6); turns > 0; turns--) await undefined;
  };
  return {
    scenario: seed % 5 === 0 ? allMail() : seed % 5 === 1 ? forgedMail() : smallMail(),
    carriesObjects: seed % 3 !== 0,
    plan: (): FaultMode | undefined => (random() < 0.03 ? FAULT_MODES[pick(FAULT_MODES.length)] : undefined),
    delivery: { pick, repeats: () => random() < 0.1, maxBatchSize: 1 + pick(25), parallel },
    pause,
  };
}
