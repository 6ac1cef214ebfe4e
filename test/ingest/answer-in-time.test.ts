/** A mail that is not stored in time is a temporary error: Email Routing bounces it for good when its Worker takes too long. */
import { expect, it } from "vitest";
import { INGEST_LIMITS } from "../../shared/limits.ts";
import { records, registerAll, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";
/** What ingest calls for a mail with one report, in this order. */
const CALLS: [string, number][] = [
  ["kv.get", 0],
  ["r2.put", 1],
  ["queue.sendBatch", 2],
];

it.each(CALLS)(
  "%s that never answers makes it a fault, and the mail that comes again counts once",
  async (name, place) => {
    const simulation = new Simulation();
    registerAll(simulation);
    const { faults } = simulation;
    const mail = reportMail("a", records(2), RUA);
    let calls = 0;
    faults.pause = () => (calls++ === place ? new Promise(() => {}) : Promise.resolve());
    simulation.answerMilliseconds = 100;
    expect(await simulation.deliver(mail, 1)).toBe("fault");
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
    faults.pause = undefined;
    simulation.answerMilliseconds = 0;
    simulation.clock.nowMilliseconds += 60_000;
    const before = faults.calls.length;
    expect(await simulation.deliver(mail, 1)).toBe("taken");
    expect(faults.calls.slice(before).map((call) => call.split(" ")[0])).toContain(name);
    await simulation.drain();
    expect(simulation.rows("SELECT count(*) AS reports FROM reports")).toEqual([{ reports: 1 }]);
  },
);

it("an address that is only found to be unknown when it is too late is not rejected, for the sender comes again", async () => {
  const simulation = new Simulation();
  let answer = (): void => {};
  simulation.faults.pause = () => new Promise((resolve) => (answer = resolve));
  simulation.answerMilliseconds = 100;
  expect(await simulation.deliver(reportMail("a", records(1), "nobody@acme.example"), 1)).toBe("fault");
  simulation.faults.pause = undefined;
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(simulation.rows("SELECT count(*) AS refused FROM refused_mail")).toEqual([{ refused: 0 }]);
});

it("the time is well below the 30 seconds after which Email Routing was seen to end a Worker", () => {
  expect(INGEST_LIMITS.answerMilliseconds).toBeGreaterThan(0);
  expect(INGEST_LIMITS.answerMilliseconds).toBeLessThanOrEqual(25_000);
});
