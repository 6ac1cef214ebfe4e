/** What a month costs by the table of prices: what is included is free, what goes beyond is paid by the million. */
import { expect, test } from "vitest";
import { furtherMillionDollars, monthDollars, PRICES } from "../../bench/capacity/prices.ts";

test("the included amount is free and the rest is paid", () => {
  expect(monthDollars("r2ClassA", 1, 1_000_000)).toBe(0);
  expect(monthDollars("r2ClassA", 1, 3_000_000)).toBeCloseTo(2 * 4.5);
  expect(monthDollars("queueOperations", 3, 1_000_000)).toBeCloseTo(2 * 0.4);
  expect(monthDollars("logGigabytes", 4e-6, 100_000_000)).toBeCloseTo(350 * 0.25);
});

test("beyond 100 million reports a month nothing included is left except rows read", () => {
  expect(furtherMillionDollars("d1RowsWritten", 4)).toBeCloseTo(4);
  expect(furtherMillionDollars("kvReads", 1)).toBeCloseTo(0.5);
  expect(furtherMillionDollars("d1RowsRead", 50)).toBe(0);
  expect(furtherMillionDollars("d1RowsRead", 300)).toBeCloseTo(0.3);
});

test("each price names the page it is from", () => {
  for (const { name, source } of Object.values(PRICES))
    expect(source, name).toMatch(/^developers\.cloudflare\.com\/\S+/);
});
