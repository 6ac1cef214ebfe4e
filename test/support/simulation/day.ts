/**
 * Support: a day's mail through the simulation, step by step, and the same day again and again with something that fails.
 * Up to what fails all these days are the same one, so each begins at the step in which it does.
 */
import { requeueDeadLetters } from "../../../workers/process/operations/dead-letters.ts";
import { imbalances } from "./balance.ts";
import type { FaultPlan } from "./faults.ts";
import { registerAll, type Scenario, smallMail } from "./scenario.ts";
import { type Delivery, type SimulatedMail, Simulation } from "./simulation.ts";

export interface DaySettings {
  /** Databases of the ledger. */
  shards?: number;
  scenario?: Scenario;
  delivery?: Delivery;
  /** false: every object is fetched from R2. */
  carriesObjects?: boolean;
}

/** What fails on a day. */
export interface FaultCase {
  name: string;
  /** Number of the first call that fails. */
  firstCall: number;
  plan: FaultPlan;
}

/** A case and all that is wrong in the end; nothing, when the day balances. */
export interface CaseOutcome {
  name: string;
  wrong: string[];
}

/** One message a batch. */
export const ONE_BY_ONE: Delivery = { maxBatchSize: 1 };

export class Day {
  readonly simulation: Simulation;
  readonly #scenario: Scenario;
  readonly #delivery: Delivery;
  /** Mails that have been handed to ingest. */
  #handed = 0;
  #undelivered: SimulatedMail[] = [];

  constructor({ shards = 1, scenario = smallMail(), delivery = ONE_BY_ONE, carriesObjects = true }: DaySettings) {
    this.simulation = new Simulation({ shards });
    this.simulation.carriesObjects = carriesObjects;
    registerAll(this.simulation);
    this.#scenario = scenario;
    this.#delivery = delivery;
  }

  /** Hands the next mail to ingest, or runs process once. @returns whether there was anything to do */
  async step(): Promise<boolean> {
    const mail = this.#scenario.mails[this.#handed];
    if (mail === undefined) return this.simulation.runProcess(this.#delivery);
    this.#handed++;
    if ((await this.simulation.deliver(mail)) === "fault") this.#undelivered.push(mail);
    return true;
  }

  /** Marks how far the day is. @returns what brings it back there, as often as it is called; later marks are gone then */
  mark(): () => void {
    const restore = this.simulation.mark();
    const handed = this.#handed;
    const undelivered = [...this.#undelivered];
    return () => {
      restore();
      this.#handed = handed;
      this.#undelivered = [...undelivered];
    };
  }

  /**
   * Runs the rest of the day, repairs everything, and sends again what ended as a dead letter of a fault.
   * @returns what is wrong then
   */
  async finish(): Promise<string[]> {
    while (await this.step()) {}
    const { simulation } = this;
    simulation.faults.plan = () => undefined;
    const wrong: string[] = [];
    // A sender that gave up is told so by its own queue; nothing of its mail was taken, so it may come again.
    for (const mail of this.#undelivered) {
      const outcome = await simulation.deliver(mail);
      if (outcome !== "taken") wrong.push(`a mail that came again ended as ${outcome}`);
    }
    await simulation.drain(this.#delivery);
    for (let round = 0; round < 3 && hasExhausted(simulation); round++) {
      simulation.clock.nowMilliseconds += 3_600_000;
      await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
      await simulation.drain(this.#delivery);
    }
    return [...wrong, ...(await imbalances(simulation, this.#scenario.expected))];
  }
}

function hasExhausted(simulation: Simulation): boolean {
  return simulation.rows("SELECT id FROM dead_letters WHERE code = 'retries_exhausted'").length > 0;
}

/**
 * Runs a day without a fault, and then one for each case.
 *
 * @param casesOf the cases, given the names of the clean day's calls
 * @returns the outcome of the clean day, then of each case as it is asked for; the last case of the day comes first
 */
export async function* runCases(
  settings: DaySettings,
  casesOf: (calls: readonly string[]) => FaultCase[],
): AsyncGenerator<CaseOutcome> {
  const day = new Day(settings);
  const { faults } = day.simulation;
  const steps: { firstCall: number; restore: () => void }[] = [];
  do steps.push({ firstCall: faults.calls.length, restore: day.mark() });
  while (await day.step());
  const clean = [...faults.calls];
  yield { name: "no fault", wrong: await day.finish() };
  const cases = casesOf(clean);
  let end = clean.length;
  for (const { firstCall, restore } of steps.toReversed()) {
    for (const one of cases.filter((one) => one.firstCall >= firstCall && one.firstCall < end)) {
      restore();
      faults.plan = one.plan;
      const wrong = await day.finish();
      const failed = faults.calls[one.firstCall];
      if (failed !== clean[one.firstCall]) wrong.push(`${failed} failed, not ${clean[one.firstCall]}`);
      yield { name: one.name, wrong };
    }
    end = firstCall;
  }
}
