import { expect, test } from "vitest";
import { formatBytes } from "../../workers/dashboard/data/numbers.ts";

test.each([
  [999, "999 B"],
  [2048, "2.0 KB"],
  [815_100, "815.1 KB"],
  [500_000_000, "500.0 MB"],
  [10_000_000_000, "10.0 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
