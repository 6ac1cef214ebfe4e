/** Folders for temporary files: what makes one removes it, so that a machine that runs checks all day does not fill up. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

it("whoever makes a temporary folder removes it", () => {
  const files = ["bench", "cli", "deploy", "local", "scripts", "test"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const made = files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }))
    .filter(({ text }) => count(text, /\bmkdtemp(Sync)?\(/g) > 0);
  expect(made.length).toBeGreaterThan(30);
  const left = made.filter(({ text }) => count(text, /\brm(Sync)?\(/g) < count(text, /\bmkdtemp(Sync)?\(/g));
  expect(left.map(({ file }) => file)).toEqual([]);
});
