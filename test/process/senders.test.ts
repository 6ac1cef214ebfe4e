/** Who sent a report decides whose it is: forged ones never take the place of true ones, before or after these come. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DohServer, startDohServer } from "../support/doh-server.ts";
import { sampleReport } from "../support/sample-report.ts";
import { newSigner } from "../support/signed-mail.ts";
import { imbalances } from "../support/simulation/balance.ts";
import {
  figures,
  forgedMail,
  gzip,
  mailOf,
  records,
  registeredSimulation,
  reportMail,
  stamped,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

interface Row {
  reportId: string;
  rank: number;
  domain: string;
  total: number;
}

function reportsOf(simulation: Simulation): Row[] {
  return simulation.rows<Row>(
    `SELECT report_id AS reportId, sender_rank AS rank, sender_domain AS domain, total FROM reports
    WHERE state = 'accepted' ORDER BY report_id`,
  );
}

async function received(simulation: Simulation, ...mails: ReturnType<typeof reportMail>[]): Promise<void> {
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
}

describe("a verified report", () => {
  it("replaces an unverified one with the same identity, in any order and any batch", async () => {
    const { mails, expected } = forgedMail();
    for (const maxBatchSize of [1, 18]) {
      for (const order of [mails, mails.toReversed()]) {
        const simulation = registeredSimulation();
        for (const mail of order) await simulation.deliver(mail);
        await simulation.drain({ maxBatchSize });
        expect(await imbalances(simulation, expected)).toEqual([]);
        expect(reportsOf(simulation)).toMatchObject([
          { reportId: "copied", rank: 2, domain: "reporter.example" },
          { reportId: "stolen", rank: 2, domain: "reporter.example", total: figures(3, 5).messages },
        ]);
        const versions = simulation.rows<{ accepted: string; other: string }>(
          "SELECT conflict ->> '$.accepted.sender.state' AS accepted, conflict ->> '$.other.sender.state' AS other FROM conflicts",
        );
        expect(versions).toEqual([
          { accepted: "verified", other: "unverified" },
          { accepted: "verified", other: "unverified" },
        ]);
      }
    }
  });

  it("is not replaced by mail that someone else sends in its name", async () => {
    const simulation = registeredSimulation();
    await received(
      simulation,
      stamped(reportMail("r", records(3)), "reporter.example"),
      stamped(reportMail("r", records(9, 100)), "evil.example"),
      stamped(reportMail("r", records(9, 200)), "reporter.example", "fail"),
      stamped(reportMail("other", records(1)), "evil.example"),
    );
    expect(reportsOf(simulation)).toMatchObject([
      { reportId: "other", rank: -1, domain: "evil.example" },
      { reportId: "r", rank: 2, total: figures(3).messages },
    ]);
    expect(simulation.rows("SELECT id FROM conflicts")).toHaveLength(2);
    const [day] = simulation.rows(
      "SELECT reports, uncounted_reports AS uncounted, total, uncounted_total AS uncountedTotal FROM domain_days",
    );
    expect(day).toEqual({ reports: 2, uncounted: 1, total: 7, uncountedTotal: 1 });
  });

  it("is not made by results the sender wrote itself", async () => {
    const simulation = registeredSimulation();
    const forged = stamped(reportMail("r", records(3)), "reporter.example");
    const received2 = Buffer.concat([
      Buffer.from(
        "Received: from a by cloudflare-email.net\r\nAuthentication-Results: mx.cloudflare.net; dmarc=fail header.from=reporter.example\r\n",
      ),
      forged.raw,
    ]);
    await received(simulation, { ...forged, raw: received2 });
    expect(reportsOf(simulation)).toMatchObject([{ rank: -1 }]);
  });
});

it("without a configured check no report is called unverified", async () => {
  const simulation = registeredSimulation();
  simulation.authservId = "";
  await received(simulation, stamped(reportMail("r", records(3)), "reporter.example"), reportMail("s", records(1)));
  expect(reportsOf(simulation)).toMatchObject([{ rank: 1 }, { rank: 1 }]);
});

describe("mail without a receiver's results", () => {
  const signer = newSigner("reporter.example");
  let dns: DohServer;
  beforeAll(async () => {
    dns = await startDohServer(signer.records);
  });
  afterAll(() => dns.close());

  function simulationByDns(dnsUrl = dns.url): Simulation {
    const simulation = registeredSimulation();
    simulation.authservId = "";
    simulation.dnsUrl = dnsUrl;
    return simulation;
  }

  const signed = async (reportId: string): Promise<ReturnType<typeof reportMail>> => {
    const mail = reportMail(reportId, records(3));
    return { ...mail, raw: await signer.sign(mail.raw) };
  };

  it("is judged by its DKIM signature: valid, missing, broken or by another domain", async () => {
    const simulation = simulationByDns();
    const good = await signed("good");
    const changed = Buffer.from(
      Buffer.from((await signed("changed")).raw)
        .toString("latin1")
        .replace("Subject: Report", "Subject: Other"),
    );
    const another = await newSigner("evil.example").sign(reportMail("another", records(3)).raw);
    await received(simulation, good, reportMail("unsigned", records(3)));
    await received(simulation, { ...good, raw: changed }, { ...good, raw: another });
    expect(reportsOf(simulation).map(({ reportId, rank, domain }) => [reportId, rank, domain])).toEqual([
      ["another", 0, ""],
      ["changed", -1, ""],
      ["good", 2, "reporter.example"],
      ["unsigned", 0, ""],
    ]);
    expect(simulation.bucket.keys("raw/").filter((key) => key.endsWith("/message.eml"))).toHaveLength(3);
  });

  it("is unverified if DNS does not answer, and verified for good when reprocessed", async () => {
    const simulation = simulationByDns("http://127.0.0.1:1/");
    await received(simulation, await signed("r"));
    expect(reportsOf(simulation)).toMatchObject([{ rank: 0 }]);
    expect(simulation.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    const [key = ""] = simulation.bucket.keys("raw/");
    const again = async (generation: number): Promise<void> => {
      await simulation.queues["dmarc-reports"].send({
        v: 1,
        kind: "report",
        key,
        rua: "dmarc@acme.example",
        receivedSeconds: simulation.clock.nowMilliseconds / 1000,
        generation,
      });
      await simulation.drain();
    };
    simulation.dnsUrl = dns.url;
    await again(5);
    expect(reportsOf(simulation)).toMatchObject([{ rank: 2, domain: "reporter.example" }]);
    const [day] = simulation.rows("SELECT reports, uncounted_reports AS uncounted FROM domain_days");
    expect(day).toEqual({ reports: 1, uncounted: 0 });
    // Its key has gone.
    simulation.dnsUrl = "http://127.0.0.1:1/";
    await again(6);
    expect(reportsOf(simulation)).toMatchObject([{ rank: 2, domain: "reporter.example" }]);
  });
});

describe("the reports of one day by one reporter", () => {
  it("are limited, verified ones apart from others; the rest waits and can be admitted", async () => {
    const simulation = registeredSimulation();
    simulation.reportsPerDay.reporter = 5;
    const mails = [];
    for (let i = 0; i < 8; i++) mails.push(reportMail(`forged-${i}`, records(1)));
    for (let i = 0; i < 4; i++) mails.push(stamped(reportMail(`true-${i}`, records(1)), "reporter.example"));
    const other = sampleReport({ reportId: "other", orgName: "Another", records: records(1) });
    mails.push(mailOf([{ name: "other.xml.gz", content: gzip(other) }]));
    await received(simulation, ...mails);
    const accepted = reportsOf(simulation).map(({ reportId }) => reportId.replace(/-.*/, ""));
    expect(accepted.filter((name) => name === "forged")).toHaveLength(5);
    expect(accepted.filter((name) => name === "true")).toHaveLength(4);
    expect(accepted).toContain("other");
    expect(simulation.rows("SELECT code, count(*) AS n FROM dead_letters GROUP BY code")).toEqual([
      { code: "over_budget", n: 3 },
    ]);
  });

  it("are not held against the records of their address", async () => {
    const simulation = registeredSimulation();
    simulation.recordsPerDay.address = 10;
    const by = (orgName: string, count: number) => {
      const report = sampleReport({ reportId: orgName, orgName, records: records(count) });
      return mailOf([{ name: `${orgName}.xml.gz`, content: gzip(report) }]);
    };
    // Three batches by three reporters: 4 + 4 + 2 records of 10.
    for (const mail of [by("First", 4), by("Second", 4), by("Third", 2)]) await received(simulation, mail);
    expect(reportsOf(simulation)).toHaveLength(3);
  });

  it("never displace verified reports, even in a flood of records", async () => {
    const simulation = registeredSimulation();
    simulation.recordsPerDay.address = 10;
    await received(
      simulation,
      reportMail("flood", records(10)),
      reportMail("more", records(1)),
      stamped(reportMail("true", records(9)), "reporter.example"),
    );
    expect(reportsOf(simulation).map(({ reportId }) => reportId)).toEqual(["flood", "true"]);
  });
});
