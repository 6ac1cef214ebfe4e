/**
 * Support: the fixtures as files: each quirk's content, and beside it everything the reader finds in it. `npm run
 * fixtures` writes both, and its diff is reviewed; the tests only read.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { toBytes } from "./archives.ts";
import type { Quirk } from "./quirks/quirk.ts";
import { type Found, readAll } from "./read.ts";

const FOLDER = join(import.meta.dirname, "../fixtures");
const EXPECTED = ".expected.json";

/** Paths of all fixtures, relative to their folder, in order. */
export function listFixtures(): string[] {
  return readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(EXPECTED) && !entry.name.startsWith("."))
    .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)))
    .sort();
}

export function readFixture(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FOLDER, file)));
}

/** What the file beside a fixture says is found in it. */
export function readExpectation(file: string): unknown {
  return withoutEmpty(JSON.parse(readFileSync(join(FOLDER, file + EXPECTED), "utf8")));
}

/** As it is compared: empty texts and lists are left out, so that a new field changes only the fixtures that have it. */
export function withoutEmpty(found: unknown): unknown {
  return JSON.parse(JSON.stringify(found, leaveOutEmpty));
}

function leaveOutEmpty(this: unknown, _key: string, value: unknown): unknown {
  const isEmpty = value === "" || (Array.isArray(value) && value.length === 0);
  return isEmpty && !Array.isArray(this) ? undefined : value;
}

/** Removes all fixtures and their expectations. */
export function clearFixtures(): void {
  for (const file of listFixtures()) {
    rmSync(join(FOLDER, file));
    rmSync(join(FOLDER, file + EXPECTED), { force: true });
  }
}

/** Writes a quirk's file and its expectation. */
export async function writeFixture({ file, content }: Quirk): Promise<void> {
  const bytes = toBytes(content);
  mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
  writeFileSync(join(FOLDER, file), bytes);
  writeFileSync(join(FOLDER, file + EXPECTED), `${render(await readAll(bytes))}\n`);
}

/** What was found, as JSON a person can compare: one line a record and a warning. */
function render(found: Found): string {
  const lines = JSON.stringify(withoutEmpty(found), undefined, 1);
  return lines.replace(/\[\n\s*([^[\]]*?)\n\s*\]/g, (whole) =>
    whole.length < 120 ? whole.replace(/\n\s*/g, " ") : whole,
  );
}
