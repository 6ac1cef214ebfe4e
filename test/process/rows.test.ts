/** What an ordinary report costs in the ledger, by the account of workerd's own D1: rows written with index entries, bytes. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { putAddress } from "../../shared/ledger/addresses.ts";
import type { LedgerDatabase, LedgerResult } from "../../shared/ledger/database.ts";
import { validRegistration } from "../../shared/registry.ts";
import { migrate } from "../support/migrations.ts";
import { reportBytes, STYLES } from "../support/seeded-reports.ts";
import { mailOf, stamped } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RECORDS = 10;
const MAX_ROWS = 4;
const MAX_BYTES = 1.5 * 1024;

let server: TestHarness;
let database: LedgerDatabase;

beforeAll(async () => {
  const config = {
    name: "ledger",
    main: `${import.meta.dirname}/../chain/faulty.js`,
    compatibility_date: "2026-11-01",
    d1_databases: [{ binding: "D1", database_name: "ledger", database_id: "ledger" }],
  };
  server = createTestHarness({ workers: [{ config }] });
  await server.listen();
  database = ((await server.getWorker("ledger").getEnv()) as unknown as { D1: LedgerDatabase }).D1;
  await migrate(database);
});
afterAll(() => server.close());

it("an ordinary report writes at most four rows and 1.5 KB, alone and in a batch", { timeout: 60_000 }, async () => {
  const written: number[] = [];
  const counting: LedgerDatabase = {
    prepare: (sql) => database.prepare(sql),
    async batch(statements) {
      const results: LedgerResult[] = await database.batch(statements);
      const rows = results.reduce((sum, { meta }) => sum + (meta.rows_written ?? 0), 0);
      // What is known is asked in a batch, too.
      if (rows > 0) written.push(rows);
      return results;
    },
  };
  const simulation = new Simulation({ database: counting });
  const place = { directory: database, copy: { get: async () => null, put: async () => {}, delete: async () => {} } };
  await putAddress(validRegistration("dmarc@acme.example", { account: "acme" }), { ...place, newAccountShard: 0 }, 0);
  simulation.register("dmarc@acme.example", { account: "acme" });
  const deliver = async (seed: number): Promise<void> => {
    const style = STYLES[seed % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const content = gzipSync(reportBytes({ records: RECORDS, seed, style }));
    const mail = mailOf([{ name: `${seed}.xml.gz`, content }]);
    expect(await simulation.deliver(stamped(mail, style.email.replace(/.*@/, "")))).toBe("taken");
  };
  await deliver(1);
  await simulation.drain();
  expect(written).toEqual([MAX_ROWS]);
  for (let seed = 2; seed <= 19; seed++) await deliver(seed);
  await simulation.drain();
  const [, batch = 0] = written;
  expect(written).toHaveLength(2);
  expect(batch / 18).toBeLessThanOrEqual(MAX_ROWS);
  const [{ bytes } = { bytes: 0 }] = await sizes();
  process.stderr.write(
    `ledger: ${written[0]} rows for one report, ${(batch / 18).toFixed(2)} in a batch, ${bytes} bytes\n`,
  );
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});

/** Bytes of the rows of a report and its object, mean over all, index entries included. */
async function sizes(): Promise<{ bytes: number }[]> {
  const length = (columns: string): string =>
    columns
      .split(" ")
      .map((column) => `length(cast(coalesce(${column}, '') AS blob))`)
      .join(" + ");
  const numbers = 20 * 3;
  const report = length(
    "account kind domain uid content_hash reporter report_id rua raw_key part policy details figures sender_domain",
  );
  const index = length("account kind domain uid");
  const object = length("rua object_hash account outcomes");
  const { results } = await database
    .prepare(
      `SELECT round(avg(${report} + ${index} + ${numbers}) + (SELECT avg(${object} + 27) FROM objects)) AS bytes FROM reports`,
    )
    .all();
  return results as { bytes: number }[];
}
