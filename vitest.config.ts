import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests of the whole chain start workerd; more than two at once only wait for each other.
    maxWorkers: 2,
  },
});
