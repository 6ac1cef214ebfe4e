/** Addresses that ingest knows for a few seconds: what that saves, and that nothing of it is wrong. */
import { describe, expect, it } from "vitest";
import { INGEST_LIMITS } from "../../shared/limits.ts";
import { RecentAddresses } from "../../workers/ingest/recent-addresses.ts";
import { ledgerFigures } from "../support/simulation/balance.ts";
import { figures, records, registerAll, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";
const { keptAddressMilliseconds, keptAddresses } = INGEST_LIMITS;

/** All mails come to one isolate. */
function newSimulation(): Simulation {
  const simulation = new Simulation();
  simulation.recentAddresses = new RecentAddresses();
  registerAll(simulation);
  return simulation;
}

/** Sends some mails. @returns how each ended, and how often KV was asked */
async function deliver(simulation: Simulation, ...to: string[]): Promise<{ outcomes: string[]; kvReads: number }> {
  const before = simulation.faults.calls.length;
  const outcomes: string[] = [];
  for (const [i, address] of to.entries())
    outcomes.push(await simulation.deliver(reportMail(`${before}-${i}`, records(1), address), 1));
  const kvReads = simulation.faults.calls.slice(before).filter((name) => name === "kv.get").length;
  return { outcomes, kvReads };
}

describe("an address with much mail", () => {
  it("is looked up once in a few seconds", async () => {
    const simulation = newSimulation();
    expect(await deliver(simulation, RUA, RUA, RUA)).toEqual({ outcomes: ["taken", "taken", "taken"], kvReads: 1 });
    simulation.clock.nowMilliseconds += keptAddressMilliseconds - 1;
    expect(await deliver(simulation, RUA)).toEqual({ outcomes: ["taken"], kvReads: 0 });
    // Mail in between has not made it longer.
    simulation.clock.nowMilliseconds += 1;
    expect(await deliver(simulation, RUA, RUA)).toEqual({ outcomes: ["taken", "taken"], kvReads: 1 });
  });

  it("is known with its tag, too", async () => {
    const simulation = newSimulation();
    const tagged = "dmarc+acme@acme.example";
    expect(await deliver(simulation, tagged, tagged)).toEqual({ outcomes: ["taken", "taken"], kvReads: 2 });
    await simulation.drain();
    expect(simulation.rows("SELECT DISTINCT rua FROM objects")).toEqual([{ rua: RUA }]);
  });

  it("takes mail while KV is down", async () => {
    const simulation = newSimulation();
    await deliver(simulation, RUA);
    simulation.faults.plan = ({ name }) => (name === "kv.get" ? "before" : undefined);
    expect(await deliver(simulation, RUA, "reports@acme.example")).toMatchObject({ outcomes: ["taken", "fault"] });
  });
});

describe("an address that is not registered", () => {
  it("receives as soon as it is", async () => {
    const simulation = newSimulation();
    expect(await deliver(simulation, "new@acme.example")).toMatchObject({ outcomes: ["rejected"] });
    simulation.register("new@acme.example", { account: "acme" });
    expect(await deliver(simulation, "new@acme.example")).toMatchObject({ outcomes: ["taken"] });
  });

  it("any more is rejected after a few seconds; what it received until then is a dead letter, not a figure", async () => {
    const simulation = newSimulation();
    await deliver(simulation, RUA);
    await simulation.drain();
    simulation.unregister(RUA);
    expect(await deliver(simulation, RUA)).toEqual({ outcomes: ["taken"], kvReads: 0 });
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/0-0": figures(1) });
    expect(simulation.rows("SELECT code, rua FROM dead_letters")).toEqual([{ code: "unregistered_rua", rua: RUA }]);
    simulation.clock.nowMilliseconds += keptAddressMilliseconds;
    expect(await deliver(simulation, RUA)).toMatchObject({ outcomes: ["rejected"] });
  });

  it("for the same account any more counts for the one that has it now", async () => {
    const simulation = newSimulation();
    await deliver(simulation, RUA);
    await simulation.drain();
    simulation.register(RUA, { account: "other" });
    await deliver(simulation, RUA);
    await simulation.drain();
    expect(Object.keys(ledgerFigures(simulation)).map((name) => name.split("/")[0])).toEqual(["acme", "other"]);
  });
});

it("an isolate knows a limited number of addresses, the latest ones", () => {
  const recent = new RecentAddresses();
  for (let i = 0; i <= keptAddresses; i++) recent.keep(`${i}@acme.example`, RUA, i === 0 ? 1 : 0);
  expect(recent.find("0@acme.example", 0)).toBeUndefined();
  expect(recent.find("1@acme.example", 0)).toBe(RUA);
  expect(recent.find(`${keptAddresses}@acme.example`, 0)).toBe(RUA);
});
