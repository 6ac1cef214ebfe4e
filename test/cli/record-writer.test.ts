/** The file of an export that is continued. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileOutput } from "../../cli/export/record-writer.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-record-writer-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it("what an interrupted page left is cut off before the rest is written", async () => {
  const path = join(folder, "e.csv");
  await writeFile(path, "kept\nhalf a li");
  const output = await fileOutput(path, 5);
  await output.write("rest\n");
  expect(await output.flush()).toBe(10);
  await output.end();
  expect(await readFile(path, "utf8")).toBe("kept\nrest\n");
});

it("a file that has become shorter than what was written is not continued, and stays as it is", async () => {
  const path = join(folder, "e.csv");
  await writeFile(path, "kept");
  await expect(fileOutput(path, 400)).rejects.toThrow("it has 4 bytes, and 400 had been written");
  expect(await readFile(path, "utf8")).toBe("kept");
});
