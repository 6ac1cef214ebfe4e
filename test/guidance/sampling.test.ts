/** How many messages may fail in reports, so that less than 0.1 % is lost at all receivers. */
import { describe, expect, it } from "vitest";
import { isTooMuch, mostToLose } from "../../shared/guidance/sampling.ts";

describe("messages that may be lost at most", () => {
  it("is less than a thousandth of all, a tenth of which no report tells of", () => {
    // 900 reported of 1,000 in all: one of them is 0.1 % already.
    expect([20, 900, 901, 1800, 1801, 9000].map(mostToLose)).toEqual([0, 0, 1, 1, 2, 9]);
  });
});

describe("too much", () => {
  /** The fewest reported messages of which so many may fail. */
  function fewestFor(hit: number): number {
    let reported = 1;
    while (isTooMuch(hit, reported)) reported += 1;
    return reported;
  }

  it("is nothing where nothing fails, however little mail there is", () => {
    expect(isTooMuch(0, 20)).toBe(false);
  });

  it("leaves room for what receivers lose that send no reports", () => {
    expect([1, 2, 3, 4, 5].map(fewestFor)).toEqual([1801, 2701, 3750, 5000, 6301]);
  });

  it("is a share of the mail where there is much of it", () => {
    expect(isTooMuch(80, 100_000)).toBe(false);
    expect(isTooMuch(81, 100_000)).toBe(true);
  });
});
