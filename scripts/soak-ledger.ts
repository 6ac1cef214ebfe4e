/**
 * `npm run soak:ledger -- --seed N --sequences N --steps N`: steps at random on the ledger and on its model. The first
 * failure ends it, with the shortest sequence that still fails.
 */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { describe, runSequence, sequenceOf, shortest } from "../test/support/ledger-model/sequence.ts";
import { printHelp } from "./help.ts";

const USAGE = `usage: npm run soak:ledger -- [--seed N] [--sequences N] [--steps N]

Takes steps at random, as people and the platform do, and compares the ledger with a model of it after each.
--sequences of --steps steps each (100 of 40 by default), from --seed on (1 by default).`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean" },
    seed: { type: "string", default: "1" },
    sequences: { type: "string", default: "100" },
    steps: { type: "string", default: "40" },
  },
});
if (values.help) printHelp(USAGE);

// Without the thread pool, whose order is chance: the same seed has to give the same run.
crypto.subtle.digest = async (_, data) => {
  const digest = createHash("sha256")
    .update(new Uint8Array(data as ArrayBuffer))
    .digest();
  return new Uint8Array(digest).buffer;
};

// Ingest logs each mail.
console.log = () => {};

const first = Number(values.seed);
const steps = Number(values.steps);
const started = performance.now();
for (let seed = first; seed < first + Number(values.sequences); seed++) {
  const sequence = sequenceOf(seed, steps);
  const failure = await runSequence(sequence);
  if (failure === undefined) continue;
  process.stdout.write(`${describe(await shortest(sequence, failure))}\n`);
  process.exitCode = 1;
  break;
}
const seconds = Math.round((performance.now() - started) / 100) / 10;
process.stdout.write(`from seed ${first}: ${values.sequences} sequences of ${steps} steps, ${seconds} s\n`);
