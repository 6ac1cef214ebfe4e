/** `npm run deploy -- --file`: a file that does not hold settings is refused in one sentence. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ROOT } from "./deployment.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "deploy-settings-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function deployWith(text: string): { status: number | null; stdout: string; stderr: string } {
  const file = join(FOLDER, "settings.json");
  writeFileSync(file, text);
  const words = ["deploy", "--dry-run", "--rua", "dmarc@example.com", "--file", file];
  const env = { ...process.env, CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9", CLOUDFLARE_API_TOKEN: "" };
  return spawnSync(process.execPath, [join(ROOT, "deploy/deploy.ts"), ...words], { env, encoding: "utf8" });
}

it.each([
  ["null", /settings\.json cannot be read as settings: .+\.\n$/],
  ["5", /settings\.json cannot be read as settings: .+\.\n$/],
  ['["dmarc"]', /settings\.json cannot be read as settings: .+\.\n$/],
  ["{", /settings\.json cannot be read as settings: .+\.\n$/],
  ['{"prefix": 5}', /prefix: .+\.\n$/],
  ['{"plan": {}}', /plan: .+\.\n$/],
])("%s", (text, sentence) => {
  const { status, stderr } = deployWith(text);
  expect(stderr).toMatch(sentence);
  expect(stderr.split("\n")).toHaveLength(2);
  expect(status).toBe(1);
});

it("a file of settings", () => {
  const { status, stdout, stderr } = deployWith('{"prefix": "settings-file-test", "plan": "free"}');
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("Plan for dmarc@example.com (Workers free, names settings-file-test-…)");
});
