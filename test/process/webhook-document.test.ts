/** The check of a webhook's signature in docs/notifications.md, as it stands there, against what is sent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { signedHeaders } from "../../shared/notify/signature.ts";

const NOW = Date.UTC(2026, 10, 28) / 1000;
const BODY = '{"version":1,"headline":"Bücher"}';

let folder: string;
let isGenuine: (header: string, body: string, secret: string) => boolean;

beforeAll(async () => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/notifications.md", "utf8")) ?? [];
  folder = mkdtempSync(join(tmpdir(), "dmarc-document-"));
  const file = join(folder, "check.mjs");
  writeFileSync(file, `${code}\nexport { isGenuine };\n`);
  ({ isGenuine } = await import(pathToFileURL(file).href));
  vi.useFakeTimers({ now: NOW * 1000, toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

async function headerAt(nowSeconds: number): Promise<string> {
  return (await signedHeaders("the secret", { id: "1", body: BODY, nowSeconds }))["DMARC-Signature"] ?? "";
}

it("takes what was sent now, and nothing else", async () => {
  const header = await headerAt(NOW);
  expect(isGenuine(header, BODY, "the secret")).toBe(true);
  expect(isGenuine(header, BODY.replace("1", "2"), "the secret")).toBe(false);
  expect(isGenuine(header, BODY, "another secret")).toBe(false);
  for (const wrong of ["", "t=1", header.slice(0, -1), header.replace("t=1", "t=2"), `${header},v1=`]) {
    expect(isGenuine(wrong, BODY, "the secret"), wrong).toBe(false);
  }
});

it("does not take what was sent more than five minutes ago, which somebody may have kept", async () => {
  expect(isGenuine(await headerAt(NOW - 300), BODY, "the secret")).toBe(true);
  expect(isGenuine(await headerAt(NOW - 301), BODY, "the secret")).toBe(false);
});
