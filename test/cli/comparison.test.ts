/** What a comparison says of sums: differences in either direction, sampling, and the reasons that may explain them. */
import { describe, expect, it } from "vitest";
import { compare, reasonsOf, sampleSentence } from "../../cli/comparison.ts";

const TODAY = 20_000;
const QUIET = { today: TODAY, waiting: 0, pointsDue: 0 };
const sampled = (points: number, highestInterval: number, meanInterval: number) => ({
  points,
  highestInterval,
  meanInterval,
});
const ledgerDay = (day: number, messages: number, domain = "acme.example") => ({
  domain,
  day,
  figures: { messages },
});
const engineDay = (day: number, messages: number, sampling = sampled(1, 1, 1)) => ({
  ...ledgerDay(day, messages),
  sampling,
});

describe("compare", () => {
  it("is not equal just because the totals are", () => {
    const { isEqual, totals, days } = compare([ledgerDay(1, 5), ledgerDay(2, 5)], [engineDay(1, 4), engineDay(2, 6)]);
    expect(isEqual).toBe(false);
    expect(totals.messages).toEqual({ ledger: 10, engine: 10, difference: 0 });
    expect(days.map(({ figures }) => figures.messages.difference)).toEqual([-1, 1]);
  });

  it("counts missing values as 0, in the order of days and domains", () => {
    const { days, isEqual } = compare([ledgerDay(2, 0, "b.example"), ledgerDay(2, 0, "a.example")], [engineDay(1, 3)]);
    expect(days.map(({ domain, day, isEqual: equal }) => [domain, day, equal])).toEqual([
      ["acme.example", 1, false],
      ["a.example", 2, true],
      ["b.example", 2, true],
    ]);
    expect(isEqual).toBe(false);
  });

  it("weights mean intervals by their number of points", () => {
    const { sampling } = compare([], [engineDay(1, 1, sampled(10, 1, 1)), engineDay(2, 1, sampled(30, 8, 5))]);
    expect(sampling).toEqual({ points: 40, highestInterval: 8, meanInterval: 4 });
    expect(sampleSentence(sampling)).toContain("represents 4 written ones on average, 8 at most");
    expect(sampleSentence(sampled(3, 1, 1))).toContain("Nothing was sampled");
    expect(sampleSentence(sampled(0, 0, 0))).toBeUndefined();
  });
});

describe("reasonsOf", () => {
  it("gives no reason when nothing differs", () => {
    const equal = compare([ledgerDay(1, 5)], [engineDay(1, 5, sampled(1, 5, 5))]);
    expect(reasonsOf(equal, { today: TODAY, waiting: 5, pointsDue: 5 })).toEqual([]);
  });

  it("names reports over several days if the ledger has any", () => {
    const spread = compare([{ ...ledgerDay(1, 5), spread: 5 }, ledgerDay(2, 5)], [engineDay(1, 10)]);
    expect(reasonsOf(spread, QUIET)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Reports over several days: /)]),
    );
  });

  it("names sampling, age and write lag only where they apply", () => {
    const differs = (day: number, interval: number) =>
      compare([ledgerDay(day, 5)], [engineDay(day, 4, sampled(1, interval, interval))]);
    expect(reasonsOf(differs(TODAY, 4), QUIET)).toEqual([expect.stringMatching(/^Sampling: /)]);
    expect(reasonsOf(differs(TODAY - 93, 1), QUIET)).toEqual([
      expect.stringMatching(/^Age: .*: 1 of the 1 that differ/),
    ]);
    expect(reasonsOf(differs(TODAY, 1), { ...QUIET, pointsDue: 2 })).toEqual([
      expect.stringMatching(/unwritten points: 2\./),
    ]);
    expect(reasonsOf(differs(TODAY - 92, 1), QUIET)).toEqual([expect.stringMatching(/^There is no known explanation/)]);
  });
});
