/** What is found under paths while others change it. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findFiles } from "../../cli/import/find-files.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-find-files-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it("a file that is renamed during the walk is named, and those after it are found", async () => {
  for (const name of ["1", "2", "3", "4"]) await writeFile(join(folder, name), "Not a report.\n");
  const found: string[] = [];
  const unreadable: string[] = [];
  const listener = {
    onPassedOver: () => undefined,
    onUnreadable: (path: string, reason: string) => unreadable.push(`${path}: ${reason}`),
  };
  for await (const { name } of findFiles([folder], listener, () => undefined)) {
    // As a mail server does with a mail that has been read.
    if (name === "1") await rename(join(folder, "2"), join(folder, "2:2,S"));
    found.push(name);
  }
  expect(found).toEqual(["1", "3", "4"]);
  expect(unreadable).toEqual([`${join(folder, "2")}: there is no such file or folder`]);
});
