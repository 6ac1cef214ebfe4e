import { describe, expect, test } from "vitest";
import { checkPoint } from "../../local/worker/point.ts";

const refusal = (point: unknown): string => {
  const checked = checkPoint(point);
  return checked.ok ? "taken" : checked.error;
};

describe("a point", () => {
  test("may have 20 blobs, 20 doubles, a 96-byte index and 16,000 blob bytes", () => {
    const blobs = ["x".repeat(15_981), ...Array.from({ length: 19 }, () => "y")];
    const doubles = Array.from({ length: 20 }, (_, place) => place);
    const point = { indexes: ["i".repeat(96)], blobs, doubles };
    expect(checkPoint(point)).toEqual({ ok: true, value: { index: "i".repeat(96), blobs, doubles } });
  });

  test("with one more of anything is refused in the runtime's words", () => {
    const many = Array.from({ length: 21 }, () => "x");
    expect(refusal({ blobs: many })).toBe("writeDataPoint(): Maximum of 20 blobs supported.");
    expect(refusal({ doubles: many.map(Number) })).toBe("writeDataPoint(): Maximum of 20 doubles supported.");
    expect(refusal({ indexes: ["a", "b"] })).toBe("writeDataPoint(): Maximum of 1 indexes supported.");
    expect(refusal({ indexes: ["i".repeat(97)] })).toBe("writeDataPoint(): Size of indexes[0] exceeds 96 bytes).");
    expect(refusal({ blobs: ["x".repeat(16_000), "y"] })).toBe(
      "writeDataPoint(): Cumulative size of blobs exceeds 16000 bytes).",
    );
  });

  test("is limited in bytes, not characters", () => {
    expect(refusal({ indexes: ["ü".repeat(48)] })).toBe("taken");
    expect(refusal({ indexes: ["ü".repeat(49)] })).toContain("exceeds 96 bytes");
    expect(refusal({ blobs: ["€".repeat(5334)] })).toContain("exceeds 16000 bytes");
  });

  test("with values of a wrong type is refused", () => {
    expect(refusal({ doubles: ["1"] })).toBe("writeDataPoint(): doubles[0] is not a number.");
    expect(refusal({ blobs: ["a", 1] })).toBe("writeDataPoint(): blobs[1] is neither text, bytes nor null.");
    expect(refusal({ blobs: "a" })).toBe("writeDataPoint(): blobs must be an array.");
    expect(refusal("point")).toBe("writeDataPoint(): The data point must be an object.");
  });

  test("may have absent fields, null and bytes, as in the runtime", () => {
    const empty = { ok: true, value: { index: "", blobs: [], doubles: [] } };
    expect(checkPoint(undefined)).toEqual(empty);
    expect(checkPoint({})).toEqual(empty);
    expect(checkPoint({ indexes: [null], blobs: [null, new TextEncoder().encode("ä")] })).toEqual({
      ok: true,
      value: { index: "", blobs: ["", "ä"], doubles: [] },
    });
  });
});
