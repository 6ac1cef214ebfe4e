import { describe, expect, it } from "vitest";
import { PointBudget, packPoints, slicePoints, unpackPoints } from "../../shared/analytics/budget.ts";
import { buildPoint, type DataPoint } from "../../shared/analytics/columns.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import { jsonBytes } from "../../shared/queue-batches.ts";
import { recordRow } from "../support/local-engine.ts";
import fc from "../support/properties.ts";

function points(count: number, given: Parameters<typeof recordRow>[0] = {}): DataPoint[] {
  return Array.from({ length: count }, (_, ordinal) => buildPoint("records", recordRow({ ordinal, ...given })));
}

describe("the budget of an invocation", () => {
  it("is reserved in full or not at all", () => {
    const budget = new PointBudget();
    expect([budget.take(200), budget.take(51), budget.take(50), budget.take(1), budget.take(0)]).toEqual([
      ...[true, false, true, false, true],
    ]);
  });
});

describe("packed points", () => {
  it("unpack to the original points", () => {
    const value = fc.string({ unit: "binary", maxLength: 5 });
    const point = fc.record({
      indexes: fc.tuple(value),
      blobs: fc.array(value, { minLength: 3, maxLength: 3 }),
      doubles: fc.array(fc.integer(), { minLength: 2, maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1 }), (given) => {
        const packed = JSON.parse(JSON.stringify(packPoints("records", given)));
        expect(unpackPoints(packed)).toEqual(given);
      }),
    );
  });

  it("store shared values once", () => {
    const given = points(240);
    expect(jsonBytes(packPoints("records", given))).toBeLessThan(jsonBytes(given) / 10);
  });
});

describe("slices", () => {
  it("hold every point once, in order, at most 240 each", () => {
    const slices = slicePoints([
      { dataset: "records", points: points(500) },
      { dataset: "events", points: [{ indexes: ["a"], blobs: ["e"], doubles: [1] }] },
    ]);
    expect(slices.map((slice) => slice.map(({ dataset, count }) => [dataset, count]))).toEqual([
      [["records", 240]],
      [["records", 240]],
      [
        ["records", 20],
        ["events", 1],
      ],
    ]);
    expect(
      slices
        .flat()
        .filter((packed) => packed.dataset === "records")
        .flatMap(unpackPoints),
    ).toEqual(points(500));
  });

  it("fit a message even when every character of every point is escaped", () => {
    // Each value another one, so that nothing is in common.
    const hostile = Array.from({ length: 250 }, (_, ordinal) =>
      buildPoint("records", recordRow({ ordinal, reasons: `${ordinal}${"\u0001".repeat(15_000)}` })),
    );
    const slices = slicePoints([{ dataset: "records", points: hostile }]);
    expect(slices.flat().reduce((sum, { count }) => sum + count, 0)).toBe(250);
    for (const slice of slices) expect(jsonBytes(slice)).toBeLessThanOrEqual(QUEUE_LIMITS.maxSliceBytes);
  });

  it("are not made when there are no points", () => {
    expect(slicePoints([{ dataset: "records", points: [] }])).toEqual([]);
  });
});
