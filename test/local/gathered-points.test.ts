/** Process's bindings of the datasets on one machine: one call for points written side by side, and each writer gets its own result. */
import { beforeEach, describe, expect, it } from "vitest";
import { GatheredPoints } from "../../local/worker/gathered-points.ts";
import { InvocationLimits } from "../../local/worker/limited.ts";
import { checkPoint } from "../../local/worker/point.ts";
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";

let calls: unknown[][] = [];
/** The engine's error, while it has one. */
let fault: Error | undefined;

/** Checks as the stand-in does. */
const writer = {
  async writeDataPoints(points: unknown[]): Promise<(string | undefined)[]> {
    calls.push(points);
    await Promise.resolve();
    if (fault !== undefined) throw fault;
    return points.map((point) => {
      const checked = checkPoint(point);
      return checked.ok ? undefined : checked.error;
    });
  },
};

beforeEach(() => {
  calls = [];
  fault = undefined;
});

function point(index: string): { indexes: string[] } {
  return { indexes: [index] };
}

describe("points written concurrently", () => {
  it("are sent in one call, in order", async () => {
    const dataset = new GatheredPoints(writer, new InvocationLimits());
    await Promise.all(["a", "b", "c"].map(async (index) => dataset.writeDataPoint(point(index))));
    expect(calls).toEqual([[point("a"), point("b"), point("c")]]);
  });

  it("are sent after those that were awaited", async () => {
    const dataset = new GatheredPoints(writer, new InvocationLimits());
    await dataset.writeDataPoint(point("a"));
    await Promise.all([dataset.writeDataPoint(point("b")), dataset.writeDataPoint(point("c"))]);
    expect(calls).toEqual([[point("a")], [point("b"), point("c")]]);
  });

  it("are stored except one that is too large, which is refused as the runtime does", async () => {
    const dataset = new GatheredPoints(writer, new InvocationLimits());
    const long = "x".repeat(ANALYTICS_LIMITS.maxIndexBytes + 1);
    const [good, bad, other] = await Promise.allSettled([
      dataset.writeDataPoint(point("a")),
      dataset.writeDataPoint(point(long)),
      dataset.writeDataPoint(point("b")),
    ]);
    expect([good?.status, other?.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(bad).toMatchObject({ status: "rejected", reason: expect.any(TypeError) });
    expect(String(bad?.status === "rejected" && bad.reason)).toContain("Size of indexes[0] exceeds");
  });

  it("all get an error of the engine, and later ones do not", async () => {
    const dataset = new GatheredPoints(writer, new InvocationLimits());
    fault = new Error("The local Analytics Engine answered 500: disk full");
    const failed = await Promise.allSettled(["a", "b"].map((index) => dataset.writeDataPoint(point(index))));
    expect(failed.map((one) => one.status === "rejected" && one.reason)).toEqual([fault, fault]);
    fault = undefined;
    await dataset.writeDataPoint(point("c"));
    expect(calls.at(-1)).toEqual([point("c")]);
  });
});
