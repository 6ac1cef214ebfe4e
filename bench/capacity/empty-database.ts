/** workerd's own D1, whose `meta` says which rows the platform would bill. */
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { createOfflineHarness } from "../../test/support/offline-harness.ts";

/** Runs with an empty database, and stops its workerd afterwards. @returns what the run returns */
export async function withEmptyDatabase<T>(run: (database: LedgerDatabase) => Promise<T>): Promise<T> {
  const server = createOfflineHarness({
    workers: [
      {
        config: {
          name: "ledger",
          main: `${import.meta.dirname}/empty-worker.js`,
          compatibility_date: "2026-11-01",
          d1_databases: [{ binding: "D1", database_name: "ledger", database_id: "ledger" }],
        },
      },
    ],
  });
  await server.listen();
  try {
    const { D1 } = (await server.getWorker("ledger").getEnv()) as unknown as { D1: LedgerDatabase };
    return await run(D1);
  } finally {
    await server.close();
  }
}
