/** How the messages of one batch depend on each other: they are committed together, and a fault of one affects no other. */
import { describe, expect, it } from "vitest";
import { D1_LIMITS } from "../../shared/limits.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import {
  eventsByOutcome,
  imbalances,
  ledgerFigures,
  outcomesOf,
  reportFigures,
} from "../support/simulation/balance.ts";
import { figures, mailOf, records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";

setUpSimulation();

describe("a batch", () => {
  it("of many objects takes three D1 calls, one of them the transaction", async () => {
    const simulation = registeredSimulation();
    for (let i = 0; i < 18; i++) await simulation.deliver(reportMail(`r${i}`, records(10)));
    const before = simulation.faults.calls.length;
    await simulation.drain({ rounds: 1 });
    const calls = simulation.faults.calls.slice(before).filter((name) => name.startsWith("d1."));
    // Addresses and objects, then what is known of all that was read, then the transaction.
    expect(calls).toEqual(["d1.batch", "d1.batch", "d1.batch"]);
    expect(Object.keys(ledgerFigures(simulation))).toHaveLength(18);
    expect(simulation.rows("SELECT * FROM slices")).toEqual([]);
  });

  it("has one line in the log for all ordinary reports, and one for each object that somebody may look for", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    await simulation.drain();
    simulation.log.length = 0;
    for (const id of ["b", "c"]) await simulation.deliver(reportMail(id, records(2)));
    await simulation.deliver(mailOf([{ name: "x.xml", content: Buffer.from("<x/>") }]));
    await simulation.deliver(reportMail("a", records(2).toReversed()));
    await simulation.drain();
    const lines = simulation.log.map((line) => JSON.parse(line));
    expect(lines.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "dead_letter", "duplicate"]);
    const found = simulation.rows<{ key: string }>(
      "SELECT raw_key AS key FROM reports WHERE report_id IN ('b', 'c') ORDER BY report_id",
    );
    expect(lines.find(({ outcome }) => outcome === "accepted")).toEqual({
      event: "report",
      outcome: "accepted",
      ruas: ["dmarc@acme.example"],
      keys: found.map(({ key }) => key),
      milliseconds: expect.any(Number),
    });
  });

  it("logs a separate line for a report that was accepted at a second attempt", async () => {
    const simulation = registeredSimulation();
    for (const id of ["a", "b"]) await simulation.deliver(reportMail(id, records(2)));
    let failed = 0;
    simulation.faults.plan = ({ name }) =>
      name === "analytics.write records" && failed++ === 0 ? "before" : undefined;
    await simulation.drain();
    const lines = simulation.log.map((line) => JSON.parse(line));
    expect(lines.map(({ event, outcome, attempts, keys }) => [event, outcome, attempts, keys?.length])).toEqual([
      ["fault", undefined, 1, undefined],
      ["report", "accepted", undefined, 1],
      ["report", "accepted", 2, undefined],
    ]);
  });

  it("with an unreadable object commits the others now and that one later", async () => {
    const simulation = registeredSimulation();
    simulation.carriesObjects = false;
    for (const id of ["a", "b", "c"]) await simulation.deliver(reportMail(id, records(2)));
    let failed = 0;
    simulation.faults.plan = ({ name }) => (name === "r2.get raw" && failed++ === 1 ? "before" : undefined);
    await simulation.drain({ rounds: 1 });
    expect(Object.keys(ledgerFigures(simulation))).toHaveLength(2);
    await simulation.drain();
    expect(
      await imbalances(simulation, {
        reports: { "acme/a": [figures(2)], "acme/b": [figures(2)], "acme/c": [figures(2)] },
        deadLetters: 0,
        conflicts: 0,
      }),
    ).toEqual([]);
  });

  it("with failing points of one object commits the others", async () => {
    const simulation = registeredSimulation();
    for (const id of ["a", "b", "c"]) await simulation.deliver(reportMail(id, records(2)));
    let failed = 0;
    simulation.faults.plan = ({ name }) =>
      name === "analytics.write records" && failed++ === 2 ? "before" : undefined;
    await simulation.drain({ rounds: 1 });
    expect(Object.keys(ledgerFigures(simulation)).sort()).toEqual(["acme/a", "acme/c"]);
    await simulation.drain();
    expect(Object.keys(reportFigures(simulation)).sort()).toEqual(["acme/a", "acme/b", "acme/c"]);
  });

  it("with the same report twice, in another order, counts it once", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("twice", records(5)));
    await simulation.deliver(reportMail("twice", records(5).toReversed()));
    await simulation.drain();
    const all = { "acme/twice": figures(5) };
    expect([ledgerFigures(simulation), reportFigures(simulation)]).toEqual([all, all]);
    expect(
      outcomesOf(simulation)
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(["accepted", "duplicate"]);
    expect(eventsByOutcome(simulation).get("duplicate")).toHaveLength(1);
  });

  it("with one object twice, once reprocessed, reads it once", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(3)));
    const [message] = simulation.queues["dmarc-reports"].messages;
    const body = JSON.parse(message?.body ?? "{}");
    await simulation.queues["dmarc-reports"].send({ ...body, generation: 7 });
    await simulation.drain();
    expect(simulation.rows("SELECT generation FROM objects")).toEqual([{ generation: 7 }]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3) });
    expect(simulation.points.records).toHaveLength(3);
  });
});

describe("an object", () => {
  it("with the same report twice counts it once, with a duplicate", async () => {
    const simulation = registeredSimulation();
    const content = Buffer.from(sampleReport({ reportId: "same", records: records(3) }));
    const twice = zipOfTwo(content);
    await simulation.deliver(mailOf([{ name: "twice.zip", content: twice }]));
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/same": figures(3) });
    expect(outcomesOf(simulation).map(({ outcome }) => outcome)).toEqual(["accepted", "duplicate"]);
  });
});

function zipOfTwo(content: Uint8Array): Uint8Array {
  return zip([
    { name: "1.xml", content },
    { name: "2.xml", content },
  ]);
}

it("a report of 100,000 records stays far below D1's query limit per invocation", { timeout: 120_000 }, async () => {
  const simulation = registeredSimulation();
  await simulation.deliver(reportMail("large", records(100_000)));
  await simulation.drain({ rounds: 1 });
  const before = simulation.faults.calls.length;
  await simulation.drain({ rounds: 1 });
  const calls = simulation.faults.calls.slice(before).filter((name) => name.startsWith("d1."));
  expect(ledgerFigures(simulation)).toEqual({ "acme/large": figures(100_000) });
  expect(calls.length).toBeLessThan(D1_LIMITS.maxQueriesPerInvocation / 10);
});
