/** Points that a report which does not count may have left behind are outranked once, not for ever. */
import { expect, it } from "vitest";
import { conflictsQuery } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { parseRawMetadata } from "../../shared/storage.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import { ledgerFigures } from "../support/simulation/balance.ts";
import { figures, mailOf, records, registeredSimulation } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { SimulatedMail } from "../support/simulation/simulation.ts";

setUpSimulation();

/** A mail with two reports, of which the second has a number of records. */
function twoReports(name: string, second: number): SimulatedMail {
  const entries = [
    { name: "a.xml", content: sampleReport({ reportId: "a", records: records(3) }) },
    { name: "b.xml", content: sampleReport({ reportId: "b", records: records(second) }) },
  ];
  return mailOf([{ name, content: zip(entries) }]);
}

it("two objects that each have a report which counts in the other's place are not read again for ever", async () => {
  const simulation = registeredSimulation();
  for (const mail of [twoReports("first.zip", 1), twoReports("second.zip", 2)]) {
    await simulation.deliver(mail);
    await simulation.drain();
  }
  const [conflict] = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
  const note = { by: "operator@acme.example", reason: "a test" };
  await decideConflict(conflict?.id ?? "", { decision: "replace", note }, simulation.invocation());
  await simulation.drain();
  expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3), "acme/b": figures(2) });

  // Delivered once more, after an attempt that may have written points.
  const key = simulation.bucket.keys("raw/").find((one) => one.endsWith("first.zip")) ?? "";
  const { nowSeconds, env } = simulation.invocation();
  const generation = nowSeconds + 60;
  const { receivedSeconds } = parseRawMetadata(simulation.bucket.describe(key)?.customMetadata);
  await env.QUEUE_REPORTS.send({
    v: 1,
    kind: "report",
    key,
    rua: "dmarc@acme.example",
    receivedSeconds,
    generation,
    resent: true,
  });
  await simulation.drain({ rounds: 50 });
  expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
  expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3), "acme/b": figures(2) });
});
