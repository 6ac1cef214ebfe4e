/** How many requests are answered at once, and that a place nobody leaves is free again. */
import { describe, expect, it } from "vitest";
import { Admission } from "../../workers/dashboard/admission.ts";

describe("admission", () => {
  it("admits requests up to its limit; each one that ends makes room for one more", () => {
    const admission = new Admission({ maxRequests: 2, maxSeconds: 10 });
    const release = admission.enter(0);
    admission.enter(0);
    expect(() => admission.enter(0)).toThrow("too many requests");
    release();
    release();
    admission.enter(0);
    expect(() => admission.enter(0)).toThrow("too many requests");
  });

  it("forgets a request whose end was never reported", () => {
    const admission = new Admission({ maxRequests: 1, maxSeconds: 10 });
    admission.enter(0);
    expect(() => admission.enter(9_999)).toThrow("too many requests");
    admission.enter(10_000);
    expect(() => admission.enter(10_001)).toThrow("too many requests");
  });
});
