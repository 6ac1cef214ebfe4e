/** After a rollback: what became of some objects was stored by the newer version, in words that this one does not know. */
import { expect, it } from "vitest";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { discardDeadLetters, requeueDeadLetters } from "../../workers/process/operations/dead-letters.ts";
import { imbalances, ledgerFigures } from "../support/simulation/balance.ts";
import { listDeadLetters } from "../support/simulation/listings.ts";
import { figures, mailOf, records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NEWER = "postponed";

/** What objects became, of those that have an outcome that only the newer version knows. */
function newerOutcomes(simulation: Simulation): string[][] {
  const rows = simulation.rows<{ outcomes: string }>(
    `SELECT outcomes FROM objects WHERE outcomes LIKE '%"${NEWER}"%' ORDER BY rua`,
  );
  return rows.map(({ outcomes }) => JSON.parse(outcomes).map(({ outcome }: { outcome: string }) => outcome));
}

async function reprocess(simulation: Simulation): Promise<void> {
  simulation.clock.nowMilliseconds += 60_000;
  await startJob({ kind: "reprocess", random: 0.5 }, { filter: {} }, simulation.invocation());
  await simulation.drain();
}

it("reading such an object again waits for that version as a dead letter, and no other mail waits with it", async () => {
  const simulation = registeredSimulation();
  await simulation.deliver(reportMail("a", records(3)));
  await simulation.drain();
  simulation.ledger.sqlite.exec(`UPDATE objects SET outcomes = replace(outcomes, '"accepted"', '"${NEWER}"')`);
  await simulation.deliver(reportMail("b", records(2)));
  // The same mail again has nothing left to do.
  await simulation.deliver(reportMail("a", records(3)));
  await reprocess(simulation);
  expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3), "acme/b": figures(2) });
  expect(newerOutcomes(simulation)).toEqual([["dead_letter", NEWER]]);
  const { items } = await listDeadLetters({}, simulation.invocation());
  expect(items).toMatchObject([{ code: "retries_exhausted" }]);
  expect(items[0]?.lastError).toContain("was stored by a newer version: deploy that one again, then retry this.");
  // That version is back.
  simulation.ledger.sqlite.exec(`UPDATE objects SET outcomes = replace(outcomes, '"${NEWER}"', '"accepted"')`);
  simulation.clock.nowMilliseconds += 60_000;
  await requeueDeadLetters({ ids: items.map(({ id }) => id) }, simulation.invocation());
  await simulation.drain();
  const reports = { "acme/a": [figures(3)], "acme/b": [figures(2)] };
  expect(await imbalances(simulation, { reports, deadLetters: 0, conflicts: 0 })).toEqual([]);
});

it("what people change of such an object leaves those outcomes as they are", async () => {
  const simulation = registeredSimulation();
  await simulation.deliver(mailOf([{ name: "x.xml", content: Buffer.from("<feedback><x>") }]));
  await simulation.drain();
  const [letter] = (await listDeadLetters({}, simulation.invocation())).items;
  const ids = [letter?.id ?? ""];
  simulation.ledger.sqlite.exec(
    `UPDATE objects SET outcomes = json_set(outcomes, '$[#]', json('{"outcome":"${NEWER}","until":7}'))`,
  );
  await discardDeadLetters({ ids }, "a@acme.example", simulation.invocation());
  expect(newerOutcomes(simulation)).toEqual([["discarded", NEWER]]);
  expect(simulation.rows<{ outcomes: string }>("SELECT outcomes FROM objects")[0]?.outcomes).toContain('"until":7');
});
