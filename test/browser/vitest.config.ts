import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/browser/*.browser.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // One stack, one browser: the tests of the file follow one another.
    maxWorkers: 1,
  },
});
