/**
 * `npm run soak:properties -- --seed N --runs N --times N [PATH…]`: the tests of properties, with one seed after another. The
 * first failure ends it.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { printHelp } from "./help.ts";
import { readSourceFiles } from "./source-files.ts";

const USAGE = `usage: npm run soak:properties -- [--seed N] [--runs N] [--times N] [PATH...]

Runs the test files that have properties, --runs times (20 by default), each time with another seed, from --seed on (1 by
default), and with --times as many values of each property as in an ordinary run (5 by default). PATH: of the files under
these paths, as test/guidance.`;

const ROOT = resolve(import.meta.dirname, "..");
const PROPERTIES = "test/support/properties.ts";

function filesWithProperties(paths: readonly string[]): string[] {
  return readSourceFiles(ROOT, ["test"])
    .filter(({ path, imports }) => path.endsWith(".test.ts") && imports.some(({ target }) => target === PROPERTIES))
    .map(({ path }) => path)
    .filter((path) => paths.length === 0 || paths.some((start) => path.startsWith(start)));
}

function soak(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string", default: "1" },
      runs: { type: "string", default: "20" },
      times: { type: "string", default: "5" },
    },
  });
  const files = filesWithProperties(positionals);
  if (files.length === 0) throw new Error(`No file under ${positionals.join(", ")} has properties.`);
  const started = performance.now();
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.runs); seed++) {
    process.stderr.write(`\rseed ${seed} `);
    const env = { ...process.env, PROPERTY_SEED: `${seed}`, PROPERTY_TIMES: values.times };
    const arguments_ = ["run", "--reporter=dot", "--testTimeout=1200000", ...files];
    const { status, stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin/vitest"), arguments_, {
      cwd: ROOT,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (status === 0) continue;
    const said = stdout + stderr;
    process.stdout.write(`${said.slice(Math.max(0, said.indexOf("Failed Tests")))}\n`);
    process.stdout.write(`seed ${seed}: PROPERTY_SEED=${seed} PROPERTY_TIMES=${values.times} npm test -- FILE\n`);
    process.exitCode = 1;
    return;
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `\rfrom seed ${first}: ${values.runs} runs of ${files.length} files with ${values.times} times the values, ${seconds} s\n`,
  );
}

if (!printHelp(USAGE)) soak();
