import { describe, expect, it } from "vitest";
import { checkPoint } from "../../local/worker/point.ts";
import {
  buildPoint,
  type Column,
  cutBytes,
  DATASET_IDS,
  DATASETS,
  slotPosition,
} from "../../shared/analytics/columns.ts";
import { recordRow } from "../support/local-engine.ts";
import fc from "../support/properties.ts";

/** Slot → name, as a program that queries the data relies on. */
function slotNames(columns: Record<string, Column>): string[] {
  return Object.entries(columns).map(([name, { slot }]) => `${slot} ${name}`);
}

describe("the columns", () => {
  it.each(DATASET_IDS)("of %s are pinned: slots may be added but never renamed, reordered or reused", (dataset) => {
    expect(slotNames(DATASETS[dataset].columns)).toMatchSnapshot();
  });

  it.each(DATASET_IDS)("of %s fill the slots without a gap, and fit a point", (dataset) => {
    for (const kind of ["blob", "double"]) {
      const slots = Object.values<Column>(DATASETS[dataset].columns).filter(({ slot }) => slot.startsWith(kind));
      expect(slots.map(slotPosition)).toEqual(slots.map((_, i) => i));
      expect(slots.length).toBeLessThanOrEqual(20);
    }
  });
});

describe("a point", () => {
  it("carries each value in its slot", () => {
    const point = buildPoint("records", recordRow({ reportUid: "u", ordinal: 7, count: 9 }));
    expect(point.indexes).toEqual(["acme.example"]);
    expect(point.blobs[0]).toBe("u");
    expect(point.blobs[17]).toBe("");
    expect(point.doubles.slice(0, 4)).toEqual([1, 1, 7, 9]);
  });

  it("is shortened by cutting the longest values first, and says which were cut", () => {
    const reasons = "ü".repeat(10_000);
    const point = buildPoint("records", recordRow({ reasons, dkimResults: "k".repeat(100) }));
    expect(checkPoint(point).ok).toBe(true);
    expect(point.blobs[17]).toBe("reasons");
    expect(point.blobs[12]).toHaveLength(100);
    expect(reasons.startsWith(point.blobs[14] ?? "")).toBe(true);
    expect(Buffer.byteLength(point.blobs[14] ?? "")).toBeGreaterThan(14_000);
  });

  it("fits the limits of Analytics Engine for any report", () => {
    const text = fc.string({ unit: "binary", maxLength: 9000 });
    fc.assert(
      fc.property(fc.tuple(text, text, text, text), ([domain, reporter, spfResults, reasons]) => {
        const point = buildPoint("records", recordRow({ domain, reporter, spfResults, reasons }));
        expect(checkPoint(point)).toMatchObject({ ok: true });
        const bytes = point.blobs.reduce((sum, blob) => sum + Buffer.byteLength(blob), 0);
        expect(bytes).toBeLessThanOrEqual(16_000);
      }),
    );
  });

  it("has an index of at most 96 bytes, cut at a character boundary", () => {
    const domain = "ü".repeat(60);
    expect(buildPoint("records", recordRow({ domain })).indexes).toEqual(["ü".repeat(48)]);
    expect(cutBytes("aé", 2)).toBe("a");
    expect(cutBytes("😀", 3)).toBe("");
  });
});
