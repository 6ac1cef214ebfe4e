import { defineConfig } from "vitest/config";

/** Tests against a real IMAP server, Dovecot, which is not on every machine: `npm run test:imap`. */
export default defineConfig({
  test: { include: ["test/imap/*.imap.ts"], testTimeout: 120_000, hookTimeout: 120_000, maxWorkers: 1 },
});
