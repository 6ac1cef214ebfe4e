/** No regular expression of the Workers takes more than linear time: whatever is in a mail goes through some of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { findExpressions, repeat, timeOf, tryExpression } from "./regular-expressions.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const LARGE_CHARS = 300_000;
/** Linear ones take some milliseconds, on a busy machine some more. */
const MAX_MILLISECONDS = 1000;

/** Files that put expressions together from constants; test/agreement/hostile-texts.test.ts calls what uses them. */
const BUILDING = [
  "shared/csv.ts",
  "shared/csv.ts",
  "shared/csv.ts",
  "shared/csv.ts",
  "shared/report/values.ts",
  "shared/report/values.ts",
  "shared/report/values.ts",
  "shared/report/values.ts",
  "shared/report/xml/repair.ts",
  "shared/tokens.ts",
];

const files = ["shared", "workers"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name)),
);
const found = files
  .sort()
  .map((file) => ({ file, ...findExpressions(readFileSync(join(ROOT, file), "utf8"), file.endsWith("x")) }));
/** Each once, by the place where it stands first. */
const written = [
  ...new Map(
    found
      .flatMap(({ file, written }) =>
        written.map(({ line, expression }) => ({ name: `${file}:${line} ${expression}`, expression })),
      )
      .toReversed()
      .map((one) => [String(one.expression), one]),
  ).values(),
];

describe("regular expressions", () => {
  it("are found", () => {
    expect(written.length).toBeGreaterThan(80);
    expect(found.flatMap(({ file, built }) => built.map(() => file))).toEqual(BUILDING);
  });

  it.each(written)("take linear time: $name", ({ expression }) => {
    const { isSlow, slowest } = tryExpression(expression);
    expect(isSlow ? slowest : undefined).toBeUndefined();
    expect(timeOf(expression, repeat(slowest, LARGE_CHARS), MAX_MILLISECONDS)).toBeLessThan(MAX_MILLISECONDS);
  });

  // Each of these stood in the project, or is the textbook's.
  it.each([
    /^(a+)+$/,
    /[._]+$/,
    /^[._]+|[._]+$/g,
    /\/+$/,
    /\([^)]*\)/g,
    /([;\t]\s*)(?=[=+\-@])/g,
    /^<\/\s*(?:[\w.-]+:)?f?e?e?d?b?a?c?k?\s*$/,
    /<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)/,
    /<!--[\s\S]*?-->/g,
    /<a\b[^>]*href\s*=\s*["']?([^\s"']+)[^>]*>/i,
    /\s*,\s*x/,
    /(\w+)\s*=\s*\1!/,
  ])("that do not are found: %s", (expression) => {
    expect(tryExpression(expression).isSlow).toBe(true);
  });
});
