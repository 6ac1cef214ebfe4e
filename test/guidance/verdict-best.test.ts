/** The best verdict there can be (bench/verdict/best.ts) by hand, and what it is told of simulated mail by a plain count. */
import { describe, expect, it } from "vitest";
import { atBest, chanceOfLess } from "../../bench/verdict/best.ts";
import { DAYS } from "../../bench/verdict/parameters.ts";
import { simulateOne } from "../../bench/verdict/score.ts";
import { expectedLoss, expectedUnseenLoss } from "../../bench/verdict/traffic.ts";

describe("the chance that less than a share was lost", () => {
  it.each([
    // One of 1,500 may be lost: none or one, where half a message is expected.
    { legitimate: 1500, lostSeen: 0, expectedUnseen: 0.5, chance: 1.5 * Math.exp(-0.5) },
    { legitimate: 1500, lostSeen: 1, expectedUnseen: 0.5, chance: Math.exp(-0.5) },
    { legitimate: 1500, lostSeen: 2, expectedUnseen: 0, chance: 0 },
    // One of 1,000 is the share itself, not less.
    { legitimate: 1000, lostSeen: 1, expectedUnseen: 0, chance: 0 },
    { legitimate: 1001, lostSeen: 1, expectedUnseen: 0, chance: 1 },
    { legitimate: 0, lostSeen: 0, expectedUnseen: 0, chance: 1 },
  ])("of $legitimate, $lostSeen seen and $expectedUnseen expected", ({ chance, ...known }) => {
    expect(chanceOfLess(0.001, known)).toBeCloseTo(chance, 12);
  });
});

describe("the best choice by chances", () => {
  it("takes the likeliest first", () => {
    const { recall, precision } = atBest([0.5, 1, 0.9], { precision: 0.95, recall: 0.9 });
    expect(recall).toBeCloseTo(1.9 / 2.4, 12);
    expect(precision).toBeCloseTo(2.4 / 3, 12);
  });

  it("reaches nothing that is not there", () => {
    expect(atBest([0.5], { precision: 0.95, recall: 0.9 })).toEqual({ recall: 0, precision: 0.5 });
  });
});

describe("what is true of simulated mail", () => {
  const simulated = Array.from({ length: 30 }, (_, number) => simulateOne(1, number));

  it("counts legitimate mail to receivers that report as reports do", () => {
    for (const { traffic } of simulated) {
      const reported = traffic.reported
        .filter(({ day, isLegitimate }) => isLegitimate && day < DAYS.seen)
        .reduce((sum, { record }) => sum + record.count, 0);
      expect(traffic.judged.legitimateSeen).toBe(reported);
    }
  });

  it("expects less to be lost at receivers that don't report than at all", () => {
    const totals = simulated.map(({ domain, traffic }) => ({
      unseen: expectedUnseenLoss(domain, DAYS.seen),
      all: expectedLoss(domain, DAYS.seen) * traffic.judged.legitimate,
    }));
    const sum = (key: "unseen" | "all"): number => totals.reduce((total, one) => total + one[key], 0);
    // A tenth of the mail, of which less is let through than elsewhere.
    expect(sum("unseen") / sum("all")).toBeGreaterThan(0.1);
    expect(sum("unseen") / sum("all")).toBeLessThan(0.25);
  });
});
