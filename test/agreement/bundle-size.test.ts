/** Ingest's bundle holds no report parser; a bundle that holds what it must not, or is too large, is found. */
import { expect, test } from "vitest";
import { bundleWorker, checkBundle } from "../../scripts/bundle-size.ts";

const PARSERS = ["fast-xml-parser", "pako", "unzipit", "shared/report/"];

test("ingest's bundle holds no report parser, process's holds them all", () => {
  const ingest = bundleWorker("wrangler.ingest.toml");
  expect(ingest.sources.some((path) => path.includes("postal-mime"))).toBe(true);
  expect(checkBundle("ingest", ingest, { maxGzipBytes: 60_000, forbidden: PARSERS })).toEqual([]);
  const found = checkBundle("process", bundleWorker("wrangler.process.toml"), { maxGzipBytes: 1, forbidden: PARSERS });
  for (const part of PARSERS) expect(found.join("\n")).toContain(`${part} must not be in it`);
  expect(found.at(-1)).toContain("the budget is 1 ");
});
