/** The commands in docs/api.md, run by a shell as they stand there against all Workers. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContractSetup, startContractSetup } from "./contract-setup.ts";
import { API_TOKEN } from "./harness.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const document = readFileSync(join(ROOT, "docs/api.md"), "utf8");
/** Calls of curl, those over several lines whole. */
const calls = [...document.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
  .filter((line) => line.startsWith("curl "));

let simulation: ContractSetup;
let folder: string;

beforeAll(async () => {
  simulation = await startContractSetup();
  folder = mkdtempSync(join(tmpdir(), "dmarc-api-examples-"));
  writeFileSync(join(folder, "local-secret.json"), JSON.stringify({ apiToken: API_TOKEN }), { mode: 0o600 });
}, 240_000);

afterAll(async () => {
  await simulation.pipeline.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("docs/api.md", () => {
  it("has calls of curl", () => {
    expect(calls.length).toBeGreaterThan(7);
  });

  it.each(calls)("%s", { timeout: 60_000 }, async (call) => {
    const token = simulation.askers.find(({ name }) => name === "acme read")?.bearer ?? "";
    // The local stack's own place, which another stack of this machine may have.
    const here = call
      .replace("http://127.0.0.1:8787", simulation.pipeline.origin)
      .replace("./.wrangler/state/local-secret.json", join(folder, "local-secret.json"));
    const script = `curl() { command curl --fail-with-body "$@"; }\n${here}`;
    const env = {
      ...process.env,
      DMARC_URL: simulation.pipeline.origin,
      TOKEN: token,
      DMARC_ACCESS_CLIENT_ID: "id",
      DMARC_ACCESS_CLIENT_SECRET: "secret",
    };
    const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: ROOT, env });
    expect(JSON.parse(stdout)).toEqual(expect.anything());
  });
});
