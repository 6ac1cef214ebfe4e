/** What makes two mails bring the same report, another one, or another version of one: as reporters do it. */
import { describe, expect, it } from "vitest";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { sampleMail, sampleReport, sampleTlsReport } from "../support/sample-report.ts";
import { failureMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";

function newSimulation(): Simulation {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  return simulation;
}

async function deliver(simulation: Simulation, raw: Uint8Array): Promise<void> {
  expect(await simulation.deliver({ from: "a@reporter.example", to: RUA, raw })).toBe("taken");
  await simulation.drain();
}

async function send(simulation: Simulation, ...files: string[]): Promise<void> {
  for (const [i, content] of files.entries())
    await deliver(simulation, sampleMail([{ name: `${i}.report`, content: Buffer.from(content) }]));
}

function found(simulation: Simulation) {
  const [reports] = simulation.rows<{ reports: number; total: number }>(
    "SELECT count(*) AS reports, coalesce(sum(total), 0) AS total FROM reports WHERE state = 'accepted'",
  );
  const outcomes = simulation
    .rows<{ outcome: string }>(
      "SELECT o.value ->> 'outcome' AS outcome FROM objects JOIN json_each(outcomes) o ORDER BY settled_seconds, rowid",
    )
    .map(({ outcome }) => outcome)
    .sort();
  return { ...reports, outcomes };
}

const tlsReport = (domain: string): string => sampleTlsReport(domain, "2026-11-10");

describe("two different reports", () => {
  it("may have the same organization and id if the reporters' email domains differ", async () => {
    const simulation = newSimulation();
    await send(simulation, sampleReport(), sampleReport().replace("dmarc@reporter.example", "dmarc@other.example"));
    expect(found(simulation)).toEqual({ reports: 2, total: 16, outcomes: ["accepted", "accepted"] });
  });

  it("may be TLS reports with one id about two domains", async () => {
    const simulation = newSimulation();
    await send(simulation, tlsReport("acme.example"), tlsReport("mail.acme.example"));
    expect(found(simulation)).toEqual({ reports: 2, total: 12, outcomes: ["accepted", "accepted"] });
  });

  it("may be about two messages that failed in the same second", async () => {
    const simulation = newSimulation();
    const mail = failureMail();
    await deliver(simulation, mail.raw);
    const other = Buffer.from(mail.raw).toString().replace("Subject: personal", "Subject: another");
    await deliver(simulation, Buffer.from(other));
    expect(found(simulation)).toMatchObject({ reports: 2, outcomes: ["accepted", "accepted"] });
  });
});

describe("a duplicate", () => {
  it.each([
    ["other line ends", (xml: string) => xml.replaceAll("\n", "\r\n")],
    ["other white space", (xml: string) => xml.replaceAll(">\n", ">").replaceAll(/>\s+</g, ">\n\n\t<")],
    ["its records in another order", swapRecords],
    ["its domain in letters and capitals", (xml: string) => xml.replaceAll("acme.example", "ACME.Example.")],
    ["another byte order mark and declaration", (xml: string) => `\ufeff${xml.replace(/^<\?xml.*\?>\n/, "")}`],
  ])("is the same report with %s", async (_, change) => {
    const simulation = newSimulation();
    const report = sampleReport();
    const again = change(report);
    expect(again).not.toBe(report);
    await send(simulation, report, again);
    expect(found(simulation)).toEqual({ reports: 1, total: 8, outcomes: ["accepted", "duplicate"] });
  });

  it.each([
    ["what fo is by default", (xml: string) => xml.replace("<p>none</p>", "<p>none</p><fo>0</fo>")],
    [
      "how the policy was found",
      (xml: string) => xml.replace("<p>none", "<discovery_method>psl</discovery_method><p>none"),
    ],
    [
      "its organization in capitals",
      (xml: string) =>
        xml.replace(/<org_name>.*(?=<\/org_name>)/, (name) => name.toUpperCase().replace("ORG_NAME", "org_name")),
    ],
    [
      "all of them",
      (xml: string) =>
        xml
          .replace("<p>none", "<fo>0</fo><discovery_method>treewalk</discovery_method><p>none")
          .replace("<org_name>R", "<org_name>r"),
    ],
    [
      "other defaults",
      (xml: string) =>
        xml
          .replace("<sp>none</sp><pct>100</pct>", "<np>none</np><testing>n</testing>")
          .replace("<adkim>r</adkim><aspf>r</aspf>", "<adkim>relaxed</adkim>"),
    ],
    [
      "contacts, versions and errors",
      (xml: string) =>
        xml
          .replace(
            "</email>",
            "</email><extra_contact_info>x</extra_contact_info><error>e</error><generator>g</generator>",
          )
          .replace(/<feedback.*?>/, "$&<version>2.0</version>"),
    ],
    [
      "numbers and dates written otherwise",
      (xml: string) => xml.replaceAll(/<(count|begin|end)>(\d+)/g, "<$1> 0$2.0 "),
    ],
  ])("may say, or leave out, %s, whichever came first", async (_, change) => {
    for (const order of [
      [sampleReport(), change(sampleReport())],
      [change(sampleReport()), sampleReport()],
    ]) {
      expect(order[0]).not.toBe(order[1]);
      const simulation = newSimulation();
      await send(simulation, ...order);
      expect(found(simulation)).toEqual({ reports: 1, total: 8, outcomes: ["accepted", "duplicate"] });
    }
  });

  it("may have the options of fo in another order, as an aggregate report", async () => {
    const report = (fo: string): string => sampleReport().replace("<p>none</p>", `<p>none</p><fo>${fo}</fo>`);
    const simulation = newSimulation();
    await send(simulation, report("1:d:s"), report("s:1:d"));
    expect(found(simulation)).toEqual({ reports: 1, total: 8, outcomes: ["accepted", "duplicate"] });
    await send(simulation, report("1:d"));
    expect(found(simulation)).toMatchObject({ reports: 1, outcomes: ["accepted", "conflict", "duplicate"] });
  });

  it("may be a TLS report with a dot behind its hosts, whichever came first", async () => {
    const report = (end: string): string =>
      tlsReport("acme.example")
        .replace('"policy-type"', `"mx-host":["mx.acme.example${end}"],$&`)
        .replace('"summary"', `"failure-details":[{"receiving-mx-hostname":"mx.acme.example${end}"}],$&`);
    for (const ends of [
      ["", "."],
      [".", ""],
    ]) {
      const simulation = newSimulation();
      await send(simulation, ...ends.map(report));
      expect(found(simulation)).toEqual({ reports: 1, total: 6, outcomes: ["accepted", "duplicate"] });
    }
  });

  it("may write an internationalised domain in the other form", async () => {
    const simulation = newSimulation();
    const report = (domain: string): string => sampleReport({ domain }).replaceAll("acme.example", domain);
    await send(simulation, report("b\u00fccher.example"), report("xn--bcher-kva.example"));
    expect(found(simulation)).toEqual({ reports: 1, total: 8, outcomes: ["accepted", "duplicate"] });
    expect(simulation.rows("SELECT domain FROM domain_days")).toEqual([{ domain: "xn--bcher-kva.example" }]);
  });

  it("may be a failure report that comes again by another route", async () => {
    const simulation = newSimulation();
    const { raw } = failureMail();
    await deliver(simulation, raw);
    const trace = `Received: from mx.reporter.example by mx.route.example with ESMTPS id 2;\r\n Tue, 10 Nov 2026 10:00:00 +0000\r\nAuthentication-Results: mx.route.example; dkim=pass header.d=reporter.example\r\n`;
    await deliver(simulation, Buffer.concat([Buffer.from(trace), raw]));
    expect(found(simulation)).toMatchObject({ reports: 1, outcomes: ["accepted", "duplicate"] });
  });
});

describe("a conflict", () => {
  it.each([
    ["asks for other failure reports", (xml: string) => xml.replace("<p>none</p>", "<p>none</p><fo>1</fo>")],
    ["found another policy", (xml: string) => xml.replace("<p>none</p>", "<p>reject</p>")],
  ])("is a report that %s, in whatever way it says the rest", async (_, change) => {
    const simulation = newSimulation();
    await send(simulation, sampleReport(), change(sampleReport()).replace("<org_name>R", "<org_name>r"));
    expect(found(simulation)).toMatchObject({ reports: 1, outcomes: ["accepted", "conflict"] });
  });

  it("that was decided stays decided when the version comes again in other words", async () => {
    const simulation = newSimulation();
    await send(simulation, ...HALVES);
    const [{ id } = { id: "" }] = simulation.rows<{ id: string }>("SELECT id FROM conflicts");
    const note = { by: "test", reason: "wrong" };
    await decideConflict(id, { decision: "keep", note }, simulation.invocation());
    await simulation.drain();
    await send(
      simulation,
      HALVES[1].replace("<p>none</p>", "<p>none</p><fo>0</fo>").replace("<org_name>R", "<org_name>r"),
    );
    expect(simulation.rows("SELECT * FROM conflicts")).toEqual([]);
    expect(found(simulation)).toMatchObject({ reports: 1, total: 4 });
  });

  const HALVES = [
    sampleReport({ records: [{ sourceIp: "192.0.2.31", count: 4, pass: true }] }),
    sampleReport({ records: [{ sourceIp: "192.0.2.33", count: 6, pass: true }] }),
  ] as const;

  it("may be two halves of a period under one id, which both count for good if a person decides so", async () => {
    const simulation = newSimulation();
    await send(simulation, ...HALVES);
    expect(found(simulation)).toEqual({ reports: 1, total: 4, outcomes: ["accepted", "conflict"] });
    const [{ id } = { id: "" }] = simulation.rows<{ id: string }>("SELECT id FROM conflicts");
    await decideConflict(
      id,
      { decision: "count_both", note: { by: "test", reason: "two halves" } },
      simulation.invocation(),
    );
    await simulation.drain();
    expect(found(simulation)).toMatchObject({ reports: 2, total: 10 });
    expect(simulation.rows("SELECT * FROM conflicts")).toEqual([]);
    await send(simulation, HALVES[1].replaceAll("\n", "\r\n"), HALVES[0].replaceAll("\n", "\r\n"));
    expect(found(simulation)).toMatchObject({ reports: 2, total: 10 });
    expect(simulation.rows("SELECT * FROM conflicts")).toEqual([]);
    await send(simulation, HALVES[1].replace("<p>none</p>", "<p>none</p><fo>0</fo>"));
    expect(found(simulation)).toMatchObject({ reports: 2, total: 10 });
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
    expect(simulation.log.filter((line) => line.includes('"fault"'))).toEqual([]);
  });
});

function swapRecords(xml: string): string {
  const records = xml.match(/<record>.*?<\/record>/gs) ?? [];
  return xml.replace(records.join("\n  "), records.toReversed().join("\n  "));
}
