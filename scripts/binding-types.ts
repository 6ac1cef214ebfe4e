/**
 * Writes the binding types of each Worker from its TOML (`wrangler types`); with --check, fails when what is committed
 * is out of date. Either way writes workers/runtime.d.ts, the types of the Workers runtime, which is not committed.
 *
 * usage: node scripts/binding-types.ts [--check]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const check = process.argv.includes("--check");
const folder = check ? mkdtempSync(join(tmpdir(), "binding-types-")) : ".";
if (check) process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Worker → the name of its bindings' interface. */
const WORKERS = { ingest: "IngestBindings", process: "ProcessBindings", dashboard: "DashboardBindings" };

interface Output {
  file: string;
  args: string[];
}

function generate(target: string, args: string[]): void {
  execFileSync("wrangler", ["types", target, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
  });
}

const outputs: Output[] = Object.entries(WORKERS).map(([worker, name]) => ({
  file: `workers/${worker}/bindings.d.ts`,
  args: ["-c", `wrangler.${worker}.toml`, "--include-runtime=false", "--env-interface", name],
}));

generate("workers/runtime.d.ts", ["-c", "wrangler.process.toml", "--include-env=false"]);
const stale = outputs.filter(({ file, args }) => {
  const target = check ? join(folder, file.replaceAll("/", "-")) : file;
  generate(target, args);
  return check && body(target) !== body(file);
});
for (const { file } of stale) console.error(`${file} does not match its TOML; run \`npm run types:write\`.`);
process.exitCode = stale.length === 0 ? 0 : 1;

// The first comment names the command and its paths, and the main module is named relative to the file: both differ
// between the two runs.
function body(file: string): string {
  return readFileSync(file, "utf8")
    .replace(/^\/\/.*wrangler.*$/gm, "")
    .replace(/import\("[^"]*"\)/g, "import()");
}
