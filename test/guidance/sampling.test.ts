/** How many messages may fail in reports, so that ready keeps its promise. */
import { describe, expect, it } from "vitest";
import { isTooMuch } from "../../shared/guidance/sampling.ts";

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

  it("is a thousandth of what is reported", () => {
    expect(isTooMuch(1, 1000)).toBe(true);
    expect(isTooMuch(2, 2000)).toBe(true);
    expect([1, 2].map(fewestFor)).toEqual([1001, 2001]);
  });

  it("is somewhat less where receivers that send no reports may well take it past a thousandth", () => {
    expect([3, 4, 5, 10].map(fewestFor)).toEqual([3601, 4501, 5401, 10_801]);
  });

  it("is near a thousandth where there is much mail", () => {
    expect(isTooMuch(98, 100_000)).toBe(false);
    expect(isTooMuch(99, 100_000)).toBe(true);
    expect(isTooMuch(4400, 4_500_000)).toBe(false);
    expect(isTooMuch(4490, 4_500_000)).toBe(true);
  });

  it("is near a thousandth where there are hundreds of millions of messages", () => {
    expect(isTooMuch(8000, 100_000_000)).toBe(false);
    expect(isTooMuch(99_800, 100_000_000)).toBe(false);
    expect(isTooMuch(99_990, 100_000_000)).toBe(true);
  });
});
