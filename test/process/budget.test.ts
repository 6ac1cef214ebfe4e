/** The write budget: 250 points an invocation (the simulated Analytics Engine enforces it), and nothing left behind. */
import { describe, expect, it } from "vitest";
import { eventsByOutcome, ledgerFigures, reportFigures } from "../support/simulation/balance.ts";
import { figures, records, registerAll, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { World } from "../support/simulation/world.ts";

setUpSimulation();

describe("within the write budget", () => {
  it("25 reports of 40 records arrives whole, without a fault", async () => {
    const world = new World();
    registerAll(world);
    const expected: ReturnType<typeof reportFigures> = {};
    for (let i = 0; i < 25; i++) {
      expected[`acme/r${i}`] = figures(40);
      await world.deliver(reportMail(`r${i}`, records(40)));
    }
    await world.drain();
    expect(reportFigures(world)).toEqual(expected);
    expect(ledgerFigures(world)).toEqual(expected);
    expect(world.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    // Of 22 reports in the first batch six fit the invocation with their events; the others went as slices.
    expect(eventsByOutcome(world).get("slice")).toHaveLength(16);
    expect(eventsByOutcome(world).get("accepted")).toHaveLength(25);
  });

  it("a report of 100,000 records arrives whole", { timeout: 300_000 }, async () => {
    const world = new World();
    registerAll(world);
    await world.deliver(reportMail("huge", records(100_000)));
    await world.drain();
    expect(reportFigures(world)).toEqual({ "acme/huge": figures(100_000) });
    expect(world.points.records).toHaveLength(100_000);
    expect(eventsByOutcome(world).get("slice")).toHaveLength(Math.ceil(100_001 / 240));
    expect(world.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    // Larger than what is read in company.
    expect(world.log.some((line) => line.includes("sent_alone"))).toBe(true);
  });
});
