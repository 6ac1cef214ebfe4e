import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { slowFirst } from "../support/slow-first.ts";

export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/browser/*.browser.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // Each file has a stack and a browser of its own; its tests follow one another.
    maxWorkers: 2,
    sequence: { sequencer: slowFirst(["browser/add-domain.browser.ts", "browser/states.browser.ts"]) },
    env: {
      // Stacks that tests start need not compile the same sources each time.
      NODE_COMPILE_CACHE: join(tmpdir(), "dmarc-compile-cache"),
      // Nothing of the person who runs them counts, and nothing is written there.
      XDG_CONFIG_HOME: join(tmpdir(), `dmarc-tests-${userInfo().uid}`),
      XDG_STATE_HOME: join(tmpdir(), `dmarc-tests-${userInfo().uid}`),
      // Nobody outside is asked for `request.cf`, which takes seconds where there is no internet.
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  },
});
