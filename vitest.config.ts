import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { slowFirst } from "./test/support/slow-first.ts";

export default defineConfig({
  // The pages are written for Hono's JSX, as tsconfig.json says.
  oxc: { jsx: { runtime: "automatic", importSource: "hono/jsx" } },
  test: {
    include: ["test/**/*.test.ts"],
    // Only what hangs ends by it: a machine with much else to do takes ten times as long.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Tests of the whole chain start workerd, and wait for it half of the time; many more at once only wait for each other.
    maxWorkers: 3,
    sequence: {
      sequencer: slowFirst([
        "process/faults.test.ts",
        "deploy/deploy.test.ts",
        "local/start.test.ts",
        "dashboard/roles.test.ts",
        "cli/stack.test.ts",
        "cli/import-services.test.ts",
        "dashboard/contract.test.ts",
        "cli/import.test.ts",
        "cli/remote.test.ts",
        "guidance/publish.test.ts",
        "chain/chain.test.ts",
        "chain/large-mail.test.ts",
        "cli/parse.test.ts",
        "dashboard/reports.test.ts",
        "chain/reading.test.ts",
        "cli/check.test.ts",
        "dashboard/accounts.test.ts",
        "chain/upkeep.test.ts",
      ]),
    },
    env: {
      // Commands and stacks that tests start need not compile the same sources each time.
      NODE_COMPILE_CACHE: join(tmpdir(), "dmarc-compile-cache"),
      // Nothing of the person who runs them counts, such as a profile of `dmarc`, and nothing is written there.
      XDG_CONFIG_HOME: join(tmpdir(), `dmarc-tests-${userInfo().uid}`),
      XDG_STATE_HOME: join(tmpdir(), `dmarc-tests-${userInfo().uid}`),
      // Nobody outside is asked for `request.cf`, which takes seconds where there is no internet.
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  },
});
