/** The write budget: 250 points an invocation (the simulated Analytics Engine enforces it), and nothing left behind. */
import { describe, expect, it } from "vitest";
import { eventsByOutcome, ledgerFigures, reportFigures } from "../support/simulation/balance.ts";
import { figures, records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";

setUpSimulation();

describe("within the write budget", () => {
  it("25 reports of 40 records arrives whole, without a fault", async () => {
    const simulation = registeredSimulation();
    const expected: ReturnType<typeof reportFigures> = {};
    for (let i = 0; i < 25; i++) {
      expected[`acme/r${i}`] = figures(40);
      await simulation.deliver(reportMail(`r${i}`, records(40)));
    }
    await simulation.drain();
    expect(reportFigures(simulation)).toEqual(expected);
    expect(ledgerFigures(simulation)).toEqual(expected);
    expect(simulation.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    // Of 18 reports in the first batch six fit the invocation with their events, of 7 in the second; the others went as slices.
    expect(eventsByOutcome(simulation).get("slice")).toHaveLength(13);
    expect(eventsByOutcome(simulation).get("accepted")).toHaveLength(25);
  });

  it("a report of 100,000 records arrives whole", { timeout: 300_000 }, async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("huge", records(100_000)));
    await simulation.drain();
    expect(reportFigures(simulation)).toEqual({ "acme/huge": figures(100_000) });
    expect(simulation.points.records).toHaveLength(100_000);
    expect(eventsByOutcome(simulation).get("slice")).toHaveLength(Math.ceil(100_001 / 240));
    expect(simulation.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    // Larger than what is read in company.
    expect(simulation.log.some((line) => line.includes("sent_alone"))).toBe(true);
  });
});
