/**
 * Steps at random on the ledger and on a plain model of it: what pages, stats and exports show must be what the model says after
 * each step. A failure prints its seed and the shortest sequence that still fails. `npm run soak:ledger` takes more.
 */
import { expect, it } from "vitest";
import { describe as inWords, runSequence, sequenceOf, shortest } from "../support/ledger-model/sequence.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";

setUpSimulation();

const STEPS = 25;
const SEEDS = Array.from({ length: 16 }, (_, i) => 1 + i);

it.each(SEEDS)("pages show what the model says, seed %i", { timeout: 120_000 }, async (seed) => {
  const sequence = sequenceOf(seed, STEPS);
  const failure = await runSequence(sequence);
  if (failure !== undefined) expect.fail(inWords(await shortest(sequence, failure)));
});
