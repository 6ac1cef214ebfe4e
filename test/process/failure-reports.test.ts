/** What is kept of failure reports, by the setting of their address. */
import { describe, expect, it } from "vitest";
import type { RegistryEntry } from "../../shared/registry.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { columnOf, eventsByOutcome } from "../support/simulation/balance.ts";
import { failureMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { World } from "../support/simulation/world.ts";

setUpSimulation();

async function worldWith(entry: RegistryEntry): Promise<World> {
  const world = new World();
  world.register("dmarc@acme.example", entry);
  expect(await world.deliver(failureMail())).toBe("taken");
  await world.drain();
  return world;
}

function outcomes(world: World): string[] {
  return [...eventsByOutcome(world).keys()].sort();
}

function rawMails(world: World): number {
  return world.bucket.keys("raw/").length;
}

describe("a failure report", () => {
  it("gives its facts, and its mail is removed", async () => {
    const world = await worldWith({ account: "acme" });
    expect(rawMails(world)).toBe(0);
    expect(outcomes(world)).toEqual(["accepted"]);
    const [point] = world.points.failures;
    if (point === undefined) throw new Error("There is no point.");
    expect(columnOf("failures", "sourceIp", point)).toBe("192.0.2.7");
    expect(columnOf("failures", "mailFromDomain", point)).toBe("acme.example");
    // Nothing of the message itself, and no full address, is in the ledger.
    const kept = ["reports", "objects"].flatMap((table) => world.rows(`SELECT * FROM ${table}`));
    expect(kept).toHaveLength(2);
    expect(JSON.stringify(kept)).not.toMatch(/personal|someone@/);
  });

  it("that comes again or is reprocessed changes nothing and is not kept", async () => {
    const world = await worldWith({ account: "acme" });
    await world.deliver(failureMail());
    await world.drain();
    expect(rawMails(world)).toBe(0);
    world.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0 }, { filter: { domain: "acme.example" } }, world.invocation());
    await world.drain();
    expect(outcomes(world)).toEqual(["accepted"]);
    expect(world.rows("SELECT * FROM dead_letters")).toEqual([]);
  });

  it("sent to two accounts counts for both, although the first mail is removed before the second comes", async () => {
    const world = await worldWith({ account: "acme" });
    world.register("rua@other.example", { account: "other", failureReports: "store" });
    await world.deliver(failureMail("rua@other.example"));
    await world.drain();
    const accounts = world.points.failures.map((point) => columnOf("failures", "account", point));
    expect(accounts.sort()).toEqual(["acme", "other"]);
    expect(rawMails(world)).toBe(1);
  });

  it("is stored if its address is configured so", async () => {
    const world = await worldWith({ account: "acme", failureReports: "store" });
    expect(rawMails(world)).toBe(1);
    expect(outcomes(world)).toEqual(["accepted"]);
  });

  it("leaves only a trace of its arrival if failure reports are off", async () => {
    const world = await worldWith({ account: "acme", failureReports: "off" });
    expect(rawMails(world)).toBe(0);
    expect(world.rows("SELECT * FROM reports")).toEqual([]);
    expect(world.points.failures).toEqual([]);
    expect(outcomes(world)).toEqual(["discarded"]);
    expect(world.rows("SELECT raw_removed AS removed FROM objects")).toEqual([{ removed: 1 }]);
  });

  it("that cannot be accepted is kept with its dead letter", async () => {
    const world = await worldWith({ account: "acme", domains: ["other.example"] });
    expect(rawMails(world)).toBe(1);
    expect(outcomes(world)).toEqual(["dead_letter"]);
  });
});
