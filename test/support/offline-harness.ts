/** wrangler's test harness for programs, whose output is read by others: it asks nobody outside, and says so to nobody. */
import { createTestHarness } from "wrangler";

/** As `createTestHarness`; `request.cf` is a placeholder instead of an answer of workers.cloudflare.com. */
export const createOfflineHarness: typeof createTestHarness = (options) => {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  return createTestHarness(options);
};
