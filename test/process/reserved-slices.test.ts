/** Places of slices that a delivery reserved before it failed: none is left due for a report that nobody will commit. */
import { expect, it } from "vitest";
import { readStatus } from "../../workers/process/operations/status.ts";
import { ledgerFigures } from "../support/simulation/balance.ts";
import { figures, records, registerAll, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const codes = (simulation: Simulation) => simulation.rows<{ code: string }>("SELECT code FROM dead_letters");

/** A report that goes out in slices was received, and a delivery failed after it had reserved them. */
async function interrupted(): Promise<Simulation> {
  const simulation = new Simulation();
  registerAll(simulation);
  await simulation.deliver(reportMail("large", records(300)));
  simulation.faults.plan = ({ name }) => (name === "queue.sendBatch dmarc-points" ? "before" : undefined);
  await simulation.runProcess();
  expect((await readStatus(simulation.invocation())).reportsWithDueSlices).toBe(1);
  return simulation;
}

it("a report that is over its budget at the next delivery has none", async () => {
  const simulation = await interrupted();
  simulation.faults.plan = () => undefined;
  simulation.recordsPerDay.account = 100;
  await simulation.drain();
  expect(codes(simulation)).toEqual([{ code: "over_budget" }]);
  expect((await readStatus(simulation.invocation())).reportsWithDueSlices).toBe(0);
});

it("a report whose message is exhausted has none", async () => {
  const simulation = await interrupted();
  await simulation.drain();
  expect(codes(simulation)).toEqual([{ code: "retries_exhausted" }]);
  expect((await readStatus(simulation.invocation())).reportsWithDueSlices).toBe(0);
});

it("a report that is committed at the next delivery keeps its own", async () => {
  const simulation = await interrupted();
  simulation.faults.plan = () => undefined;
  await simulation.runProcess();
  while (simulation.queues["dmarc-reports"].messages.length > 0) await simulation.runProcess();
  simulation.queues["dmarc-points"].messages.length = 0;
  expect(ledgerFigures(simulation)).toEqual({ "acme/large": figures(300) });
  expect(simulation.rows<{ state: string }>("SELECT state FROM slices").map(({ state }) => state.at(-1))).toEqual([
    ".",
  ]);
});
