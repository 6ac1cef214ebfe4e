/** Points that a report which does not count may have left behind are outranked once, not for ever. */
import { expect, it } from "vitest";
import { conflictsQuery } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { parseRawMetadata } from "../../shared/storage.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { requeueDeadLetters } from "../../workers/process/operations/dead-letters.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import { ledgerFigures, reportFigures } from "../support/simulation/balance.ts";
import { figures, mailOf, records, registerAll, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { type SimulatedMail, Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

/** A mail with two reports, of which the second has a number of records. */
function twoReports(name: string, second: number): SimulatedMail {
  const entries = [
    { name: "a.xml", content: sampleReport({ reportId: "a", records: records(3) }) },
    { name: "b.xml", content: sampleReport({ reportId: "b", records: records(second) }) },
  ];
  return mailOf([{ name, content: zip(entries) }]);
}

it("two objects that each have a report which counts in the other's place are not read again for ever", async () => {
  const simulation = new Simulation();
  registerAll(simulation);
  for (const mail of [twoReports("first.zip", 1), twoReports("second.zip", 2)]) {
    await simulation.deliver(mail);
    await simulation.drain();
  }
  const [conflict] = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
  const note = { by: "operator@acme.example", reason: "a test" };
  await decideConflict(conflict?.id ?? "", { decision: "replace", note }, simulation.invocation());
  await simulation.drain();
  expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3), "acme/b": figures(2) });

  // Delivered once more, after an attempt that may have written points.
  const key = simulation.bucket.keys("raw/").find((one) => one.endsWith("first.zip")) ?? "";
  const { nowSeconds, env } = simulation.invocation();
  const generation = nowSeconds + 60;
  const { receivedSeconds } = parseRawMetadata(simulation.bucket.describe(key)?.customMetadata);
  await env.QUEUE_REPORTS.send({
    v: 1,
    kind: "report",
    key,
    rua: "dmarc@acme.example",
    receivedSeconds,
    generation,
    resent: true,
  });
  await simulation.drain({ rounds: 50 });
  expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
  expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3), "acme/b": figures(2) });
});

/** The points of a report are written, its transaction fails, and then another report has used up the address's day. */
async function overBudgetAfterItsPoints(): Promise<Simulation> {
  const simulation = new Simulation();
  registerAll(simulation);
  simulation.recordsPerDay.address = 5;
  await simulation.deliver(reportMail("cut", records(4)));
  const { calls } = simulation.faults;
  const isWritten = (): boolean => calls.includes("analytics.write records");
  simulation.faults.plan = ({ name }) => (name === "d1.batch" && isWritten() ? "before" : undefined);
  await simulation.drain({ rounds: 1 });
  simulation.faults.plan = () => undefined;
  expect(reportFigures(simulation)).toEqual({ "acme/cut": figures(4) });
  await simulation.deliver(reportMail("other", records(5)));
  return simulation;
}

it("points of a report that then is over the budget are covered", async () => {
  const simulation = await overBudgetAfterItsPoints();
  await simulation.drain();
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "over_budget" }]);
  expect(reportFigures(simulation)).toEqual({ "acme/other": figures(5) });
  expect(ledgerFigures(simulation)).toEqual({ "acme/other": figures(5) });

  await requeueDeadLetters({ filter: { code: "over_budget" } }, simulation.invocation());
  await simulation.drain();
  expect(reportFigures(simulation)).toEqual({ "acme/cut": figures(4), "acme/other": figures(5) });
});

it("they are covered although the delivery that files the dead letter ends after its transaction", async () => {
  const simulation = await overBudgetAfterItsPoints();
  let killed = 0;
  simulation.faults.plan = ({ name }) => {
    const isFiled = simulation.rows("SELECT id FROM dead_letters").length > 0;
    if (!isFiled || killed > 0 || !name.startsWith("analytics.")) return undefined;
    killed++;
    return "kill";
  };
  await simulation.drain();
  expect(killed).toBe(1);
  expect(reportFigures(simulation)).toEqual({ "acme/other": figures(5) });
});

it("the same report that counts from another mail is not hidden by what covers them", async () => {
  const simulation = await overBudgetAfterItsPoints();
  await simulation.deliver(reportMail("cut", records(4), "reports@acme.example"));
  await simulation.drain();
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "over_budget" }]);
  const both = { "acme/cut": figures(4), "acme/other": figures(5) };
  expect(ledgerFigures(simulation)).toEqual(both);
  expect(reportFigures(simulation)).toEqual(both);
});
