/** The best verdict there can be (bench/verdict/best.ts) by hand, and its figures of simulated mail by a plain count. */
import { describe, expect, it } from "vitest";
import { atBest, chanceOfLess, mayBeLost } from "../../bench/verdict/best.ts";
import { DAYS } from "../../bench/verdict/parameters.ts";
import { simulateOne } from "../../bench/verdict/score.ts";
import { expectedLoss, expectedUnseenLoss } from "../../bench/verdict/traffic.ts";

describe("the chance that less than a share was lost", () => {
  it.each([
    // One of 1,500 may be lost: none or one, where half a message is expected.
    { legitimate: 1500, lost: 0, unseen: 0.5, chance: 1.5 * Math.exp(-0.5) },
    { legitimate: 1500, lost: 1, unseen: 0.5, chance: Math.exp(-0.5) },
    { legitimate: 1500, lost: 2, unseen: 0, chance: 0 },
    // One of 1,000 is the share itself, not less.
    { legitimate: 1000, lost: 1, unseen: 0, chance: 0 },
    { legitimate: 1001, lost: 1, unseen: 0, chance: 1 },
    { legitimate: 0, lost: 0, unseen: 0, chance: 1 },
  ])("of $legitimate, $lost lost and $unseen expected where nobody sees it", ({ chance, ...known }) => {
    expect(chanceOfLess(0.001, known)).toBeCloseTo(chance, 12);
  });

  it.each([
    // None of two, each lost with 0.6; none or one of them.
    { legitimate: 900, lost: 0, chance: 0.4 ** 2 },
    { legitimate: 1500, lost: 0, chance: 1 - 0.6 ** 2 },
    { legitimate: 1500, lost: 1, chance: 0.4 ** 2 },
    { legitimate: 1500, lost: 2, chance: 0 },
  ])("of $legitimate, $lost lost and two perhaps", ({ chance, ...known }) => {
    const perhaps = [{ messages: 2, probability: 0.6 }];
    expect(chanceOfLess(0.001, { ...known, perhaps })).toBeCloseTo(chance, 12);
  });

  it("is none where far more was lost than may be", () => {
    const perhaps = [{ messages: 1e9, probability: 0.6 }];
    expect(chanceOfLess(0.001, { legitimate: 1e6, lost: 0, perhaps })).toBe(0);
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

  it("knows what was lost where reports say all of it, and bounds for the rest", () => {
    let open = 0;
    for (const { domain, traffic } of simulated) {
      const reported = traffic.reported.filter(({ day }) => day < DAYS.seen);
      const { certain, perhaps } = mayBeLost(reported, domain.policy);
      const most = perhaps.reduce((sum, { messages }) => sum + messages, certain);
      expect(certain).toBeLessThanOrEqual(traffic.judged.lostSeen);
      expect(most).toBeGreaterThanOrEqual(traffic.judged.lostSeen);
      if (domain.policy !== "none") expect(most).toBe(traffic.judged.lostSeen);
      if (most > certain) open += 1;
    }
    expect(open).toBeGreaterThan(0);
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
