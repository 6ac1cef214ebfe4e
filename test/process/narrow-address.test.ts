/** A TLS report about two domains that comes to an address which accepts one of them, and to one that accepts both. */
import { expect, it } from "vitest";
import { DOMAINS, type Document, FIRST_DAY, mailWith } from "../support/ledger-model/documents.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NARROW = "dmarc@acme.example";
const WIDE = "reports@acme.example";
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
