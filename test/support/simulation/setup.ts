/** Support: what every test of the simulation needs: a clock that stands still, a silent log, digests in order. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, vi } from "vitest";

/** Called at the top of a test file. */
export function setUpSimulation(): void {
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.spyOn(console, "log").mockImplementation(() => {});
    // The same digests without the thread pool: with it the order of calls would be chance.
    vi.spyOn(crypto.subtle, "digest").mockImplementation(async (_, data) => {
      const digest = createHash("sha256")
        .update(new Uint8Array(data as ArrayBuffer))
        .digest();
      return new Uint8Array(digest).buffer;
    });
  });

  afterAll(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}
