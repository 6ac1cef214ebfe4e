/** Support: a sequence of steps at random on a ledger and on its model, and the shortest sequence that still fails. */
import { mulberry32 } from "../../../local/random.ts";
import { RecentAddresses } from "../../../workers/ingest/recent-addresses.ts";
import { requeueDeadLetters } from "../../../workers/process/operations/dead-letters.ts";
import { sumAllUses, wrongUses } from "../day-uses.ts";
import { FAULT_MODES, type FaultMode, type FaultPlan } from "../simulation/faults.ts";
import { type Delivery, Simulation } from "../simulation/simulation.ts";
import { differences, look, slowDifferences } from "./actual.ts";
import { ACCOUNTS } from "./documents.ts";
import { Model, type Reading } from "./model.ts";
import {
  type DeliveredMessage,
  type Ground,
  RUAS,
  randomStep,
  readAllAgain,
  type Step,
  takeStep,
} from "./operations.ts";
import { perform, persist } from "./perform.ts";

/** A sequence: its seed also decides about faults and the order of delivery. */
export interface Sequence {
  seed: number;
  steps: Step[];
}

/** What failed, after which step, from 0. */
export interface Failure {
  after: number;
  wrong: string[];
}

/** Rounds after which the queues are empty, unless messages follow one another for ever. */
const MAX_ROUNDS = 1500;
/** The share of calls to bindings that fail while a queue is worked through. */
const FAULT_SHARE = 0.02;

/** The sequence of a seed. */
export function sequenceOf(seed: number, length: number): Sequence {
  const random = mulberry32(seed);
  return { seed, steps: Array.from({ length }, () => randomStep(random)) };
}

/** Runs a sequence. @returns undefined when pages and model agreed after each step */
export async function runSequence({ seed, steps }: Sequence): Promise<Failure | undefined> {
  const ground = newGround(seed);
  const { simulation, model } = ground;
  for (const [after, step] of steps.entries()) {
    simulation.clock.nowMilliseconds += 5000;
    const wrong = await attempt(async () => {
      // From here on, what happens to the objects there are changes sums.
      for (const ledger of simulation.ledgers) await sumAllUses(ledger);
      const onTheWay = await takeStep(step, ground);
      if (step.isHeld || onTheWay.length > 0) return onTheWay;
      const isWaiting = Object.values(simulation.queues).some(({ messages }) => messages.length > 0);
      return isWaiting ? [] : differences(simulation, model);
    });
    wrong.push(...simulation.ledgers.flatMap(wrongUses));
    if (wrong.length > 0) return { after, wrong: [...wrong, ...stateOf(ground)] };
  }
  const wrong = await attempt(async () => [
    ...(await ground.drain()),
    ...(await differences(simulation, model)),
    ...(await slowDifferences(simulation, model)),
  ]);
  return wrong.length === 0 ? undefined : { after: steps.length, wrong: [...wrong, ...stateOf(ground)] };
}

/** What there is, for a person who looks for the reason. */
function stateOf({ simulation, model }: Ground): string[] {
  const objects = [...model.objects.values()].map(({ key, rua, isVerified, account, whole, parts }) => {
    const documents = parts.map(
      ({ document: { kind, number, content }, state }) => `${kind} ${number} v${content} ${state}`,
    );
    return `${key.slice(-12)} to ${rua}${isVerified ? " verified" : ""}, ${account ?? "nobody"} ${whole ?? ""}: ${documents.join("; ")}`;
  });
  const choices = [...model.choices].map(([name, choice]) => `${name} ${choice}`);
  const rows = simulation.rows<{ row: string }>(
    "SELECT account || ' ' || report_id || ' ' || state || ' ' || total || ' ' || substr(raw_key, -12) || ' v' || version AS row FROM reports",
  );
  return ["objects:", ...objects, "choices:", ...choices, "reports:", ...rows.map(({ row }) => row)];
}

async function attempt(run: () => Promise<string[]>): Promise<string[]> {
  try {
    return await run();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

/** Leaves out steps while the sequence still fails. */
export async function shortest({ seed, steps }: Sequence, failure: Failure): Promise<Sequence & { failure: Failure }> {
  let best = { seed, steps: steps.slice(0, failure.after + 1), failure };
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.steps.length - size; at >= 0; at -= size) {
      const fewer = best.steps.filter((_, i) => i < at || i >= at + size);
      const failed = await runSequence({ seed, steps: fewer });
      if (failed !== undefined) best = { seed, steps: fewer.slice(0, failed.after + 1), failure: failed };
      at = Math.min(at, best.steps.length);
    }
  }
  return best;
}

function newGround(seed: number): Ground {
  const simulation = new Simulation({ shards: 3 });
  simulation.keepDetailDays = 12;
  const model = new Model();
  // An isolate of ingest may be new with each mail, or live for ever.
  if (seed % 2 === 0) simulation.recentAddresses = new RecentAddresses();
  for (const rua of RUAS) {
    const account = ACCOUNTS[Math.floor(RUAS.indexOf(rua) / 2)] ?? "";
    simulation.register(rua, { account });
    model.addresses.set(rua, account);
  }
  const random = mulberry32(seed + 1);
  const plan = (): FaultMode | undefined =>
    random() < FAULT_SHARE ? FAULT_MODES[Math.floor(random() * FAULT_MODES.length)] : undefined;
  const work = (): Promise<void> => emptyQueues(simulation, plan, random);
  const drain = async (reading: Partial<Reading> = {}): Promise<string[]> => {
    await work();
    const { seen, wrong } = await look(simulation, model);
    return [...wrong, ...model.settle(seen, { isTooSmall: false, isBudgetLow: false, ...reading })];
  };
  const ground: Ground = {
    simulation,
    model,
    mails: [],
    imports: [],
    backup: undefined,
    delivered: [],
    isLost: () => false,
    drain,
    work,
    isRacing: false,
    async ask(name, input) {
      if (!ground.isRacing) return perform({ simulation, plan }, name, input);
      ground.isRacing = false;
      await readAllAgain(ground);
      const asked = perform({ simulation, plan }, name, input);
      const [performed] = await Promise.all([asked, ground.work()]);
      return performed;
    },
    persist: async (run) => (await persist({ simulation, plan }, run)).result,
  };
  noteDelivered(ground);
  return ground;
}

/** Notes the messages of all queues, from now on, as they are delivered; those that are lost are not. */
function noteDelivered(ground: Ground): void {
  const { queues } = ground.simulation;
  for (const queue of Object.keys(queues) as DeliveredMessage["queue"][]) {
    const take = queues[queue].take.bind(queues[queue]);
    queues[queue].take = (count, pick) => {
      const taken = take(count, pick).filter(({ body }) => !ground.isLost({ queue, body }));
      ground.delivered.push(...taken.map(({ body }) => ({ queue, body })));
      return taken;
    };
  }
}

/**
 * Delivers in any order, in batches of any size, some messages again, with calls that fail and invocations that end; up to
 * three invocations at once, each of which goes on at any time.
 */
async function emptyQueues(simulation: Simulation, plan: FaultPlan, random: () => number): Promise<void> {
  const below = (n: number): number => Math.floor(random() * n);
  const delivery = {
    pick: below,
    repeats: () => random() < 0.1,
    isBare: () => random() < 0.3,
    maxBatchSize: 1 + below(22),
    parallel: 1 + below(3),
  };
  const turnsAtMost = below(2) * 12;
  simulation.faults.pause = async () => {
    for (let turns = below(1 + turnsAtMost); turns > 0; turns--) await undefined;
  };
  simulation.faults.plan = plan;
  await drained(simulation, delivery);
  simulation.faults.plan = () => undefined;
  for (let round = 0; round < 3; round++) {
    const exhausted = simulation.rows(
      "SELECT id FROM dead_letters WHERE code = 'retries_exhausted' AND discarded_seconds = 0",
    );
    if (exhausted.length === 0) break;
    simulation.clock.nowMilliseconds += 3_600_000;
    await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
    await drained(simulation, delivery);
  }
  simulation.faults.pause = undefined;
}

/** @throws where messages follow one another for ever */
async function drained(simulation: Simulation, delivery: Delivery): Promise<void> {
  const waitingNow = () => Object.values(simulation.queues).flatMap(({ messages }) => messages);
  await simulation.drain({ ...delivery, rounds: MAX_ROUNDS });
  // An operation that is asked for meanwhile may have enqueued something just now.
  if (waitingNow().length > 0) await simulation.drain({ ...delivery, rounds: MAX_ROUNDS });
  const waiting = waitingNow();
  if (waiting.length === 0) return;
  const bodies = waiting.slice(0, 3).map(({ body }) => body);
  throw new Error(`The queues never became empty: ${bodies.join(", ")}`);
}

/** A failure in words, with what it takes to see it again. */
export function describe({ seed, steps, failure }: Sequence & { failure: Failure }): string {
  const lines = steps.map(
    ({ name, numbers, isHeld, isRacing }, i) =>
      `${i}: ${name} ${numbers.join(" ")}${isHeld ? " held" : ""}${isRacing ? " racing" : ""}`,
  );
  return [`seed ${seed}:`, ...lines, `after ${failure.after}:`, ...failure.wrong].join("\n");
}
