/** What is kept of failure reports, by the setting of their address. */
import { describe, expect, it } from "vitest";
import type { RegistryEntry } from "../../shared/registry.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { columnOf, eventsByOutcome } from "../support/simulation/balance.ts";
import { failureMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

async function simulationWith(entry: RegistryEntry): Promise<Simulation> {
  const simulation = new Simulation();
  simulation.register("dmarc@acme.example", entry);
  expect(await simulation.deliver(failureMail())).toBe("taken");
  await simulation.drain();
  return simulation;
}

function outcomes(simulation: Simulation): string[] {
  return [...eventsByOutcome(simulation).keys()].sort();
}

function rawMails(simulation: Simulation): number {
  return simulation.bucket.keys("raw/").length;
}

describe("a failure report", () => {
  it("gives its facts, and its mail is removed", async () => {
    const simulation = await simulationWith({ account: "acme" });
    expect(rawMails(simulation)).toBe(0);
    expect(outcomes(simulation)).toEqual(["accepted"]);
    const [point] = simulation.points.failures;
    if (point === undefined) throw new Error("There is no point.");
    expect(columnOf("failures", "sourceIp", point)).toBe("192.0.2.7");
    expect(columnOf("failures", "mailFromDomain", point)).toBe("acme.example");
    // Nothing of the message itself, and no full address, is in the ledger.
    const kept = ["reports", "objects"].flatMap((table) => simulation.rows(`SELECT * FROM ${table}`));
    expect(kept).toHaveLength(2);
    expect(JSON.stringify(kept)).not.toMatch(/personal|someone@/);
  });

  it("that comes again or is reprocessed changes nothing and is not kept", async () => {
    const simulation = await simulationWith({ account: "acme" });
    await simulation.deliver(failureMail());
    await simulation.drain();
    expect(rawMails(simulation)).toBe(0);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0 }, { filter: { domain: "acme.example" } }, simulation.invocation());
    await simulation.drain();
    expect(outcomes(simulation)).toEqual(["accepted"]);
    expect(simulation.rows("SELECT * FROM dead_letters")).toEqual([]);
  });

  it("sent to two accounts counts for both, although the first mail is removed before the second comes", async () => {
    const simulation = await simulationWith({ account: "acme" });
    simulation.register("rua@other.example", { account: "other", failureReports: "store" });
    await simulation.deliver(failureMail("rua@other.example"));
    await simulation.drain();
    const accounts = simulation.points.failures.map((point) => columnOf("failures", "account", point));
    expect(accounts.sort()).toEqual(["acme", "other"]);
    expect(rawMails(simulation)).toBe(1);
  });

  it("is stored if its address is configured so", async () => {
    const simulation = await simulationWith({ account: "acme", failureReports: "store" });
    expect(rawMails(simulation)).toBe(1);
    expect(outcomes(simulation)).toEqual(["accepted"]);
  });

  it("leaves only a trace of its arrival if failure reports are off", async () => {
    const simulation = await simulationWith({ account: "acme", failureReports: "off" });
    expect(rawMails(simulation)).toBe(0);
    expect(simulation.rows("SELECT * FROM reports")).toEqual([]);
    expect(simulation.points.failures).toEqual([]);
    expect(outcomes(simulation)).toEqual(["discarded"]);
    expect(simulation.rows("SELECT raw_removed AS removed FROM objects")).toEqual([{ removed: 1 }]);
  });

  it("about no domain is kept with its dead letter", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    const mail = failureMail();
    const raw = Buffer.from(
      mail.raw
        .toString()
        .replace(/Reported-Domain: .*\r\n/, "")
        .replace(/^From: .*@acme.*\r\n/m, ""),
    );
    expect(await simulation.deliver({ ...mail, raw })).toBe("taken");
    await simulation.drain();
    expect(rawMails(simulation)).toBe(1);
    expect(outcomes(simulation)).toEqual(["dead_letter"]);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "missing_domain" }]);
  });

  it("that cannot be accepted is kept with its dead letter", async () => {
    const simulation = await simulationWith({ account: "acme", domains: ["other.example"] });
    expect(rawMails(simulation)).toBe(1);
    expect(outcomes(simulation)).toEqual(["dead_letter"]);
  });
});
