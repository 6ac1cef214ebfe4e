/** How far an export into a file has come, in a file beside it, so that an interrupted one can be continued exactly. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import * as v from "valibot";

const sums = v.object({ reports: v.number(), records: v.number(), messages: v.number(), passed: v.number() });

const progress = v.object({
  version: v.literal(1),
  /** What was asked, to which the rest has to belong. */
  asked: v.record(v.string(), v.string()),
  /** Where the rest begins. */
  cursor: v.string(),
  /** Of the file; what comes after them was written by an interrupted page. */
  bytes: v.number(),
  sums,
  problems: v.number(),
});

export type ExportProgress = v.InferOutput<typeof progress>;

function pathOf(output: string): string {
  return `${output}.progress`;
}

/** @returns undefined if the file is missing or invalid */
export async function readProgress(output: string): Promise<ExportProgress | undefined> {
  const text = await readFile(pathOf(output), "utf8").catch(() => undefined);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), progress), text);
  return parsed.success ? parsed.output : undefined;
}

/** Replaces what was there as a whole. @throws what the file system throws */
export async function writeProgress(output: string, now: ExportProgress): Promise<void> {
  await writeFile(`${pathOf(output)}.new`, JSON.stringify(now));
  await rename(`${pathOf(output)}.new`, pathOf(output));
}

/** Removes it. */
export async function removeProgress(output: string): Promise<void> {
  await rm(pathOf(output), { force: true });
}
