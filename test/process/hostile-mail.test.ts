/** What hostile mail comes to in the pipeline: no figures, few dead letters, and nothing to its neighbours. */
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { type DeadLetterRow, deadLettersQuery } from "../../shared/ledger/dead-letters.ts";
import { PROCESS_LIMITS, READ_LIMITS } from "../../shared/limits.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import { columnOf } from "../support/simulation/balance.ts";
import { gzip, mailOf, records, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

type Attachment = Parameters<typeof mailOf>[0][number];

/** What becomes of a mail to an address that accepts acme.example, between two innocent ones. */
async function simulationAfter(attachments: Attachment[]): Promise<Simulation> {
  const simulation = new Simulation();
  simulation.register("dmarc@acme.example", { account: "acme", domains: ["acme.example"] });
  await simulation.deliver(reportMail("before", records(3)));
  await simulation.deliver(mailOf(attachments));
  await simulation.deliver(reportMail("after", records(3)));
  await simulation.drain();
  const ids = simulation.points.records.map((point) => columnOf("records", "reportId", point));
  expect(ids.filter((id) => id === "before").length).toBe(3);
  expect(ids.filter((id) => id === "after").length).toBe(3);
  return simulation;
}

function letters(simulation: Simulation): Promise<DeadLetterRow[]> {
  return ask(simulation.ledger, deadLettersQuery({}, { limit: 1000 }));
}

async function codes(simulation: Simulation): Promise<string[]> {
  return (await letters(simulation)).map(({ code }) => code);
}

/** Points of records that the hostile mail made. */
function otherPoints(simulation: Simulation): number {
  return simulation.points.records.length - 6;
}

const equal = (count: number) => Array.from({ length: count }, () => ({ sourceIp: "192.0.2.1", count: 1, pass: true }));

describe("dead letters of one object", () => {
  const broken = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `${i}.xml`, content: "<feedback><x" }));
  const { maxDeadLettersPerObject } = PROCESS_LIMITS;

  it("are filed one by one while they are few", async () => {
    const simulation = await simulationAfter([{ name: "r.zip", content: zip(broken(maxDeadLettersPerObject)) }]);
    expect(await codes(simulation)).toEqual(Array(maxDeadLettersPerObject).fill("truncated"));
  });

  it("are combined with counts by reason when there are many, and good reports still count", async () => {
    const files = [
      ...broken(maxDeadLettersPerObject),
      { name: "empty", content: "" },
      { name: "good.xml", content: sampleReport() },
    ];
    const foreign = { name: "foreign.xml", content: sampleReport({ domain: "bank.example", reportId: "foreign" }) };
    const simulation = await simulationAfter([{ name: "r.zip", content: zip([...files, foreign]) }]);
    expect((await letters(simulation)).map(({ code, counts, part }) => [code, counts, part])).toEqual([
      ["too_many_problems", { truncated: maxDeadLettersPerObject, foreign_domain: 1, empty: 1 }, ""],
    ]);
    expect(otherPoints(simulation)).toBe(3);
  });

  it("about foreign domains are combined too", async () => {
    const content = zip(
      Array.from({ length: maxDeadLettersPerObject + 1 }, (_, i) => ({
        name: `${i}.xml`,
        content: sampleReport({ domain: "bank.example", reportId: `${i}` }),
      })),
    );
    const simulation = await simulationAfter([{ name: "r.zip", content }]);
    expect((await letters(simulation)).map(({ counts }) => counts)).toEqual([
      { foreign_domain: maxDeadLettersPerObject + 1 },
    ]);
    expect(otherPoints(simulation)).toBe(0);
  });
});

describe("an object that expands to more than was received", () => {
  it("is one dead letter without points, even with a good report in it", async () => {
    const files = [sampleReport(), sampleReport({ reportId: "bulk", records: equal(20_000) })];
    const content = zip(files.map((xml, i) => ({ name: `${i}.xml`, content: xml })));
    const simulation = await simulationAfter([{ name: "r.zip", content }]);
    expect(await codes(simulation)).toEqual(["too_large"]);
    expect(otherPoints(simulation)).toBe(0);
  });

  it("shares its allowance with the other objects of its mail", async () => {
    const part = (i: number, count: number): Attachment => ({
      name: `${i}.xml.gz`,
      content: gzip(sampleReport({ reportId: `${i}`, records: equal(count) })),
    });
    const most = READ_LIMITS.freeRecords / 4;
    const alone = await simulationAfter([part(0, most)]);
    expect(await codes(alone)).toEqual([]);
    expect(otherPoints(alone)).toBe(most);
    const simulation = await simulationAfter(Array.from({ length: 20 }, (_, i) => part(i, most)));
    expect(await codes(simulation)).toEqual(Array(20).fill("too_large"));
    expect(otherPoints(simulation)).toBe(0);
  });
});

describe("figures cannot be inflated", () => {
  it("by a period that ends after the mail came, or that lasts years", async () => {
    const now = Math.floor(new Simulation().clock.nowMilliseconds / 1000);
    const report = (id: string, begin: number, end: number): Attachment => ({
      name: `${id}.xml`,
      content: Buffer.from(
        sampleReport({ reportId: id }).replace(/<begin>.*<\/end>/s, `<begin>${begin}</begin><end>${end}</end>`),
      ),
    });
    const day = 86_400;
    const simulation = await simulationAfter([
      report("future", now + 2 * day, now + 3 * day + 60),
      report("years", now - 400 * day, now),
      report("monthly", now - 31 * day, now),
    ]);
    expect(await codes(simulation)).toEqual(["implausible_period", "implausible_period"]);
    expect(otherPoints(simulation)).toBe(3);
  });
});

describe("policies of a TLS report", () => {
  const tls = (...domains: string[]): Attachment => ({
    name: "tls.json.gz",
    content: gzip(
      JSON.stringify({
        "organization-name": "Reporter",
        "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
        "contact-info": "tls@reporter.example",
        "report-id": "tls",
        policies: domains.map((domain) => ({
          policy: { "policy-type": "sts", "policy-domain": domain },
          summary: { "total-successful-session-count": 5, "total-failure-session-count": 1 },
        })),
      }),
    ),
  });
  it.each([
    ["fifteen hundred domains", Array.from({ length: 1500 }, (_, i) => `d${i}.acme.example`)],
    ["twenty thousand policies", Array<string>(20_000).fill("acme.example")],
  ])("of %s are refused, and are not a transaction that D1 refuses again and again", async (_, domains) => {
    const { name, content } = tls(...domains);
    const simulation = await simulationAfter([{ name: name.replace(".gz", ""), content: gunzipSync(content) }]);
    expect(await codes(simulation)).toEqual(["too_large"]);
    expect(simulation.points.tls).toEqual([]);
  });

  const domainsOf = (simulation: Simulation) => simulation.points.tls.map((point) => columnOf("tls", "domain", point));

  it("count only for domains that the address accepts, in any order", async () => {
    const simulation = await simulationAfter([tls("bank.example", "acme.example", "mail.acme.example")]);
    expect(domainsOf(simulation)).toEqual(["acme.example", "mail.acme.example"]);
    expect(await codes(simulation)).toEqual([]);
  });

  it("for other domains alone are a dead letter", async () => {
    const simulation = await simulationAfter([tls("bank.example", "shop.example")]);
    expect(domainsOf(simulation)).toEqual([]);
    expect(await codes(simulation)).toEqual(["foreign_domain"]);
  });
});
