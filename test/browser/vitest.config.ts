import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/browser/*.browser.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // Each file has a stack and a browser of its own; its tests follow one another.
    maxWorkers: 2,
    // Commands and stacks that tests start need not compile the same sources each time.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "dmarc-compile-cache") },
  },
});
