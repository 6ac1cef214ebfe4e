/** Tables of `dmarc status`. */
import { expect, it } from "vitest";
import { renderActivity } from "../../cli/commands/status.ts";

it("a period without reports has no rate and no share", () => {
  const table = renderActivity([
    { seconds: 300, settled: 0, failed: 0, outcomes: {} },
    { seconds: 3600, settled: 90, failed: 9, outcomes: { accepted: 81 } },
  ]);
  expect(table).not.toMatch(/\b0\.0\b/);
  expect(table).toMatch(/60 min\W+90\W+1\.5\W+9\W+10\.0 %/);
});
