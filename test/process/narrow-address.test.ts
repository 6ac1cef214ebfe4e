/**
 * A TLS report about two domains that comes to an address which accepts one of them, and to one that accepts both; and what
 * becomes of reports whose address accepts fewer domains later.
 */
import { describe, expect, it } from "vitest";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { DOMAINS, type Document, FIRST_DAY, filesWith, mailWith } from "../support/ledger-model/documents.ts";
import { listConflicts } from "../support/simulation/listings.ts";
import { mailOf } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NARROW = "dmarc@acme.example";
const WIDE = "reports@acme.example";
const OTHER = "other@acme.example";
const REPORT: Document = { kind: "tls", domains: DOMAINS, days: [FIRST_DAY], number: 10, content: 0 };
const MAILS = {
  narrow: mailWith({ name: "a", rua: NARROW, documents: [REPORT], packing: "plain", isVerified: true }).mail,
  wide: mailWith({ name: "b", rua: WIDE, documents: [REPORT], packing: "plain", isVerified: false }).mail,
  wideOther: mailWith({
    name: "c",
    rua: WIDE,
    documents: [{ ...REPORT, content: 1 }],
    packing: "plain",
    isVerified: false,
  }).mail,
};

async function simulationAfter(mails: readonly (keyof typeof MAILS)[]): Promise<Simulation> {
  const simulation = new Simulation();
  simulation.register(NARROW, { account: "acme", domains: [DOMAINS[0]] });
  simulation.register(WIDE, { account: "acme" });
  for (const name of mails) {
    await simulation.deliver(MAILS[name]);
    await simulation.drain();
  }
  return simulation;
}

const counted = (simulation: Simulation): unknown[] =>
  simulation.rows("SELECT domain, sender_rank AS rank FROM reports WHERE state = 'accepted' ORDER BY domain");

// The same content is the same document: a verified mail brought it.
it.each([[["narrow", "wide"]], [["wide", "narrow"]], [["narrow", "wide", "narrow"]]] as const)(
  "after %s it counts for both, and is verified",
  async (mails) => {
    const simulation = await simulationAfter(mails);
    expect(counted(simulation)).toEqual([
      { domain: "acme.example", rank: 2 },
      { domain: "beta.example", rank: 2 },
    ]);
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  },
);

it("another version of it that nobody verified counts for neither", async () => {
  const simulation = await simulationAfter(["narrow", "wideOther"]);
  expect(counted(simulation)).toEqual([{ domain: "acme.example", rank: 2 }]);
  expect(simulation.rows("SELECT id FROM conflicts")).toHaveLength(1);
});

describe("an address that no longer accepts the domain of a report, which is read again twice,", () => {
  const FIRST: Document = { kind: "aggregate", domains: [DOMAINS[0]], days: [FIRST_DAY], number: 1, content: 0 };

  /** Two versions of a report at two addresses. */
  async function withConflict(decision: "keep" | "replace" | "count_both"): Promise<Simulation> {
    const simulation = new Simulation();
    for (const [rua, content] of [
      [NARROW, 0],
      [WIDE, 1],
    ] as const) {
      simulation.register(rua, { account: "acme" });
      const documents: Document[] = [{ ...FIRST, content }];
      const { mail } = mailWith({ name: `m${content}`, rua, documents, packing: "plain", isVerified: false });
      await simulation.deliver(mail);
      await simulation.drain();
    }
    const [conflict] = (await listConflicts(undefined, { shards: simulation.invocation().shards })).items;
    const note = { by: "operator@acme.example", reason: "a test" };
    await decideConflict(conflict?.id ?? "", { decision, note }, simulation.invocation());
    await simulation.drain();
    return simulation;
  }

  /** What is counted and what became of the objects, after each of two readings. */
  async function afterReadings(simulation: Simulation, rua: string): Promise<unknown[]> {
    simulation.register(rua, { account: "acme", domains: [DOMAINS[1]] });
    const found: unknown[] = [];
    for (let reading = 1; reading <= 2; reading++) {
      simulation.clock.nowMilliseconds += 60_000;
      await startJob({ kind: "reprocess", random: 0.5 }, { filter: {} }, simulation.invocation());
      await simulation.drain();
      const outcomes = simulation.rows<{ outcome: string }>(
        `SELECT value ->> 'outcome' AS outcome FROM objects, json_each(outcomes) WHERE rua = '${rua}'`,
      );
      const reports = simulation.rows("SELECT uid FROM reports WHERE state = 'accepted'").length;
      found.push({ outcomes: outcomes.map(({ outcome }) => outcome), reports });
    }
    return found;
  }

  it("leaves a version that a person replaced the duplicate that it is", async () => {
    const simulation = await withConflict("replace");
    const wanted = { outcomes: ["duplicate"], reports: 1 };
    expect(await afterReadings(simulation, NARROW)).toEqual([wanted, wanted]);
  });

  it("leaves a version that a person decided against the duplicate that it is", async () => {
    const simulation = await withConflict("keep");
    const wanted = { outcomes: ["duplicate"], reports: 1 };
    expect(await afterReadings(simulation, WIDE)).toEqual([wanted, wanted]);
  });

  it("leaves a version that a person decided against the duplicate that it is, written in other letters, too", async () => {
    const simulation = await withConflict("keep");
    simulation.register(OTHER, { account: "acme" });
    const [file] = filesWith({ name: "other", documents: [{ ...FIRST, content: 1 }], packing: "plain" });
    const text = new TextDecoder().decode(file?.content);
    const content = Buffer.from(text.replace("<org_name>Reporter", "<org_name>REPORTER"));
    expect(content.toString()).not.toBe(text);
    await simulation.deliver(mailOf([{ name: "other.xml", content }], OTHER));
    await simulation.drain();
    const wanted = { outcomes: ["duplicate"], reports: 1 };
    expect(await afterReadings(simulation, OTHER)).toEqual([wanted, wanted]);
  });

  it("leaves a version counted that a person wanted beside another", async () => {
    const simulation = await withConflict("count_both");
    const wanted = { outcomes: ["accepted"], reports: 2 };
    expect(await afterReadings(simulation, WIDE)).toEqual([wanted, wanted]);
  });

  it("leaves a report as it was whose day is final", async () => {
    const simulation = await withConflict("keep");
    simulation.keepDetailDays = 5;
    await runUpkeep(simulation.invocation(), 0.5);
    const wanted = { outcomes: ["accepted"], reports: 0 };
    expect(await afterReadings(simulation, NARROW)).toEqual([wanted, wanted]);
  });
});
