/** How many messages may fail in reports, so that less than 0.1 % is lost at all receivers. */
import { describe, expect, it } from "vitest";
import { isTooMuch, mostToLose } from "../../shared/guidance/sampling.ts";

describe("the number of messages that may be lost", () => {
  it("is below a thousandth of all mail, a tenth of which is not reported", () => {
    // 900 reported of 1,000 in all: one of them is 0.1 % already.
    expect([20, 900, 901, 1800, 1801, 9000].map(mostToLose)).toEqual([0, 0, 1, 1, 2, 9]);
  });
});

describe("the loss that is too much", () => {
  /** The fewest reported messages of which so many may fail. */
  function fewestFor(hit: number): number {
    let reported = 1;
    while (isTooMuch(hit, reported)) reported += 1;
    return reported;
  }

  it("is never reached if nothing fails, however little mail there is", () => {
    expect(isTooMuch(0, 20)).toBe(false);
  });

  it("allows for losses at receivers that send no reports", () => {
    expect([1, 2, 3, 4, 5].map(fewestFor)).toEqual([1801, 2701, 3750, 5000, 6301]);
  });

  it("is a share of the mail if there is much of it", () => {
    expect(isTooMuch(80, 100_000)).toBe(false);
    expect(isTooMuch(81, 100_000)).toBe(true);
  });
});
