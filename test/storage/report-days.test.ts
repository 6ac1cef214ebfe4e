/** The days of a report, and how what it counts is spread over them. */

import { describe, expect, it } from "vitest";
import { daysOfPeriod, SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { apportion, Spreader, spreadCounts } from "../../shared/report-spread.ts";
import fc from "../support/properties.ts";

const at = (text: string): number => Date.parse(text) / 1000;
const days = (begin: string, end: string): [string, number][] =>
  daysOfPeriod({ beginSeconds: at(begin), endSeconds: at(end) }).map(({ day, seconds }) => [
    new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10),
    seconds / 3600,
  ]);

describe("the days of a period", () => {
  it.each([
    ["a day in UTC", "2026-01-01T00:00:00Z", "2026-01-01T23:59:59Z", "2026-01-01"],
    ["whose end is the next midnight", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01"],
    ["of a time zone east of it", "2025-12-31T16:00:00Z", "2026-01-01T15:59:59Z", "2026-01-01"],
    ["of a time zone west of it", "2026-01-01T08:00:00Z", "2026-01-02T07:59:59Z", "2026-01-01"],
    ["of 25 hours", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25"],
    ["of 36 hours", "2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", "2026-01-01"],
    ["an hour", "2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z", "2026-01-01"],
    ["a moment", "2026-01-01T05:00:00Z", "2026-01-01T05:00:00Z", "2026-01-01"],
  ])("are one day for %s", (_, begin, end, day) => expect(days(begin, end).map(([name]) => name)).toEqual([day]));

  it("longer than 36 hours are all days it touches, with their hours", () => {
    expect(days("2026-01-01T00:00:00Z", "2026-01-02T12:00:01Z")).toEqual([
      ["2026-01-01", 24],
      ["2026-01-02", 12 + 1 / 3600],
    ]);
    expect(days("2025-12-31T16:00:00Z", "2026-01-03T16:00:00Z")).toEqual([
      ["2025-12-31", 8],
      ["2026-01-01", 24],
      ["2026-01-02", 24],
      ["2026-01-03", 16],
    ]);
  });

  it("are the same for either order of begin and end, and none is after the end", () => {
    expect(days("2026-01-04T00:00:00Z", "2026-01-01T00:00:00Z")).toEqual(
      days("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
    );
    expect(days("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")).toHaveLength(3);
    expect(days("2026-01-01T00:00:00Z", "2026-02-05T00:00:00Z")).toHaveLength(35);
  });

  it("have all the seconds of the period", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e9 }),
        fc.integer({ min: 36 * 3600 + 1, max: 35 * 86_400 }),
        (from, long) => {
          const found = daysOfPeriod({ beginSeconds: from, endSeconds: from + long });
          expect(found.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(long);
          expect(found.every(({ day }, i) => day === (found[0]?.day ?? 0) + i)).toBe(true);
        },
      ),
    );
  });
});

describe("apportioning", () => {
  it.each([
    [30, [86_400, 86_400, 86_399], [10, 10, 10]],
    [100, [1, 1, 1], [34, 33, 33]],
    [7, [8, 24, 24, 16], [1, 2, 2, 2]],
    [1, [8, 24, 16], [0, 1, 0]],
    [0, [1, 2], [0, 0]],
  ])("%d over %j", (count, weights, parts) => expect(apportion(count, weights)).toEqual(parts));

  it("is exact beyond the precision of a double", () => {
    const parts = apportion(2 ** 53 - 1, [86_400, 86_400, 86_399]);
    expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(2n ** 53n - 1n);
  });

  const counts = fc.array(fc.oneof(fc.nat(3), fc.nat(1_000_000_000)), { maxLength: 40 });
  const weights = fc.array(fc.integer({ min: 1, max: 86_400 }), { minLength: 1, maxLength: 36 });
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);

  it("gives each day its exact share of counts that come one by one, and never a negative one", () => {
    fc.assert(
      fc.property(counts, weights, (all, seconds) => {
        const targets = apportion(sum(all), seconds);
        const spreader = new Spreader(targets);
        const taken = all.map((count) => spreader.take(count));
        for (const [i, parts] of taken.entries()) {
          expect(sum(parts)).toBe(all[i]);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
        }
        expect(targets.map((_, day) => sum(taken.map((parts) => parts[day] ?? 0)))).toEqual(targets);
        for (const [day, part] of targets.entries()) {
          expect(Math.abs(part - (sum(all) * (seconds[day] ?? 0)) / sum(seconds))).toBeLessThan(1);
        }
      }),
    );
  });

  it("spreads a thousand messages of a thousand sources evenly, not all to one day", () => {
    const spreader = new Spreader([334, 333, 333]);
    const taken = Array.from({ length: 1000 }, () => spreader.take(1));
    const firstHundred = [0, 1, 2].map((day) => sum(taken.slice(0, 100).map((parts) => parts[day] ?? 0)));
    for (const part of firstHundred) expect(part).toBeGreaterThan(30);
  });

  it("keeps the subject of the counts", () => {
    const spread = spreadCounts(
      new Map([
        ["pass", 7],
        ["fail", 5],
      ]),
      [1, 1],
    );
    expect([...spread.values()].map(sum)).toEqual([7, 5]);
    expect([0, 1].map((day) => sum([...spread.values()].map((parts) => parts[day] ?? 0)))).toEqual([6, 6]);
  });
});
