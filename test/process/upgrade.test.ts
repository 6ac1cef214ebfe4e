/**
 * An upgrade from the ledger of migration 0009, as the code of that time filled it (test/support/simulation/upgrade-fixture.ts): its
 * rows, raw objects, copies in KV, messages that wait and points go through today's migrations and code.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { readMigrations } from "../../local/migrations.ts";
import type { DataPoint } from "../../shared/analytics/columns.ts";
import { decisionsQuery, findConflicts } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { findDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { newestJobsQuery } from "../../shared/ledger/jobs.ts";
import { findPerson } from "../../shared/ledger/people.ts";
import { parseMessage } from "../../shared/messages.ts";
import { findCopy } from "../../shared/registry.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { collapse, columnOf, imbalances, ledgerFigures } from "../support/simulation/balance.ts";
import { allMail, figures } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { restoreInto, type Snapshot, tablesOf } from "../support/simulation/upgrade-fixture.ts";

setUpSimulation();

const snapshot: Snapshot = JSON.parse(gunzipSync(readFileSync("test/support/upgrade/release-0009.json.gz")).toString());
const all = readMigrations();
const before = all.filter(({ name }) => name <= snapshot.migration);
const after = all.filter(({ name }) => name > snapshot.migration);

/** A simulation whose ledger has the tables of that time with their rows, then today's migrations. */
async function upgraded(): Promise<Simulation> {
  const simulation = new Simulation();
  for (const table of tablesOf(simulation)) simulation.ledger.sqlite.exec(`DROP TABLE ${table}`);
  for (const { statements } of before) for (const statement of statements) simulation.ledger.sqlite.exec(statement);
  for (const table of Object.keys(snapshot.tables)) simulation.ledger.sqlite.exec(`DELETE FROM ${table}`);
  await restoreInto(simulation, snapshot);
  for (const { statements } of after) for (const statement of statements) simulation.ledger.sqlite.exec(statement);
  return simulation;
}

/** What its mails say, whatever the ledger holds. */
function expected() {
  const { expected: mails } = allMail();
  const reports = {
    ...mails.reports,
    "acme/decided": [figures(4, 9)],
    "acme/sliced-later": [figures(300)],
    "acme/waits": [figures(3, 40)],
  };
  return { ...mails, reports };
}

function sums(simulation: Simulation): unknown[] {
  return simulation.rows(
    `SELECT account, kind, domain, day, reports, records, total, passed, dkim_aligned, spf_aligned, quarantined, rejected
    FROM domain_days ORDER BY 1, 2, 3, 4`,
  );
}

it("figures are the same after the migrations, and current readers read every row", async () => {
  const simulation = await upgraded();
  const names = Object.keys(snapshot.tables.domain_days?.[0] ?? {});
  const kept = simulation.rows<Record<string, unknown>>(
    `SELECT ${names.join(", ")} FROM domain_days ORDER BY account, kind`,
  );
  expect(kept).toEqual(snapshot.tables.domain_days);
  const letters = snapshot.tables.dead_letters?.map(({ id }) => String(id)) ?? [];
  expect(await findDeadLetters(simulation.ledger, letters)).toHaveLength(letters.length);
  const [conflict] = snapshot.tables.conflicts ?? [];
  expect(await findConflicts(simulation.ledger, [String(conflict?.id)])).toHaveLength(1);
  expect(await ask(simulation.ledger, newestJobsQuery(10))).toMatchObject([
    { kind: "reprocess", state: "done", removed: 0 },
  ]);
  const [decision] = simulation.rows<{ uid: Uint8Array }>("SELECT uid FROM decisions WHERE decision = 'replaces'");
  const uid = Buffer.from(decision?.uid ?? []).toString("hex");
  expect(await ask(simulation.ledger, decisionsQuery(uid))).toMatchObject([
    { account: "acme", decidedBy: "ann@acme.example" },
    { account: "acme" },
  ]);
  expect((await findPerson(simulation.ledger, "ann@acme.example"))?.entry).toMatchObject({
    role: "administrator",
    accounts: ["acme"],
  });
  const kv = {
    get: async (key: string) => simulation.registry.get(key) ?? null,
    put: async () => {},
    delete: async () => {},
  };
  for (const [key] of snapshot.registry) expect(await findCopy(kv, key.replace("dmarc:", ""))).toBeDefined();
});

it("messages that waited are processed, and each report counts once", async () => {
  const simulation = await upgraded();
  const { reports, points } = snapshot.messages;
  expect(reports.length).toBeGreaterThan(0);
  expect(points.length).toBeGreaterThan(0);
  for (const body of [...reports, ...points]) expect(parseMessage(JSON.parse(body))).toMatchObject({ ok: true });
  for (const body of reports) await simulation.queues["dmarc-reports"].send(JSON.parse(body));
  for (const body of points) await simulation.queues["dmarc-points"].send(JSON.parse(body));
  for (const [dataset, written] of Object.entries(snapshot.points)) {
    if (dataset in simulation.points)
      simulation.points[dataset as keyof Simulation["points"]].push(...(written as DataPoint[]));
  }
  await simulation.drain();
  expect(await imbalances(simulation, expected())).toEqual([]);

  // Points of that time and of today are one dataset.
  const records = collapse("records", ["reportUid", "ordinal"], simulation.points.records);
  const counted = records.reduce((sum, point) => sum + Number(columnOf("records", "count", point)), 0);
  const accepted = Object.values(ledgerFigures(simulation)).reduce((sum, { messages }) => sum + messages, 0);
  expect(counted).toBeGreaterThanOrEqual(accepted);

  const known = sums(simulation);
  const names = ledgerFigures(simulation);
  simulation.clock.nowMilliseconds += 86_400_000;
  await startJob({ kind: "reprocess", random: 0.1 }, {}, simulation.invocation());
  await simulation.drain();
  expect(ledgerFigures(simulation)).toEqual(names);
  expect(sums(simulation)).toEqual(known);
  expect(await imbalances(simulation, expected())).toEqual([]);
  await runUpkeep(simulation.invocation(), 0.3);
  await simulation.drain();
  expect(sums(simulation)).toEqual(known);
});
