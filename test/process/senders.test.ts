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
  registerAll,
  reportMail,
  stamped,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { World } from "../support/simulation/world.ts";

setUpSimulation();

interface Row {
  reportId: string;
  rank: number;
  domain: string;
  total: number;
}

function reportsOf(world: World): Row[] {
  return world.rows<Row>(
    `SELECT report_id AS reportId, sender_rank AS rank, sender_domain AS domain, total FROM reports
    WHERE state = 'accepted' ORDER BY report_id`,
  );
}

function newWorld(): World {
  const world = new World();
  registerAll(world);
  return world;
}

async function received(world: World, ...mails: ReturnType<typeof reportMail>[]): Promise<void> {
  for (const mail of mails) expect(await world.deliver(mail)).toBe("taken");
  await world.drain();
}

describe("a verified report", () => {
  it("replaces an unverified one with the same identity, in any order and any batch", async () => {
    const { mails, expected } = forgedMail();
    for (const maxBatchSize of [1, 22]) {
      for (const order of [mails, mails.toReversed()]) {
        const world = newWorld();
        for (const mail of order) await world.deliver(mail);
        await world.drain({ maxBatchSize });
        expect(await imbalances(world, expected)).toEqual([]);
        expect(reportsOf(world)).toMatchObject([
          { reportId: "copied", rank: 2, domain: "reporter.example" },
          { reportId: "stolen", rank: 2, domain: "reporter.example", total: figures(3, 5).messages },
        ]);
        const versions = world.rows<{ accepted: string; other: string }>(
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
    const world = newWorld();
    await received(
      world,
      stamped(reportMail("r", records(3)), "reporter.example"),
      stamped(reportMail("r", records(9, 100)), "evil.example"),
      stamped(reportMail("r", records(9, 200)), "reporter.example", "fail"),
      stamped(reportMail("other", records(1)), "evil.example"),
    );
    expect(reportsOf(world)).toMatchObject([
      { reportId: "other", rank: -1, domain: "evil.example" },
      { reportId: "r", rank: 2, total: figures(3).messages },
    ]);
    expect(world.rows("SELECT id FROM conflicts")).toHaveLength(2);
    const [day] = world.rows(
      "SELECT reports, uncounted_reports AS uncounted, total, uncounted_total AS uncountedTotal FROM domain_days",
    );
    expect(day).toEqual({ reports: 2, uncounted: 1, total: 7, uncountedTotal: 1 });
  });

  it("is not made by results the sender wrote itself", async () => {
    const world = newWorld();
    const forged = stamped(reportMail("r", records(3)), "reporter.example");
    const received2 = Buffer.concat([
      Buffer.from(
        "Received: from a by cloudflare-email.net\r\nAuthentication-Results: mx.cloudflare.net; dmarc=fail header.from=reporter.example\r\n",
      ),
      forged.raw,
    ]);
    await received(world, { ...forged, raw: received2 });
    expect(reportsOf(world)).toMatchObject([{ rank: -1 }]);
  });
});

it("without a configured check no report is called unverified", async () => {
  const world = newWorld();
  world.authservId = "";
  await received(world, stamped(reportMail("r", records(3)), "reporter.example"), reportMail("s", records(1)));
  expect(reportsOf(world)).toMatchObject([{ rank: 1 }, { rank: 1 }]);
});

describe("mail without a receiver's results", () => {
  const signer = newSigner("reporter.example");
  let dns: DohServer;
  beforeAll(async () => {
    dns = await startDohServer(signer.records);
  });
  afterAll(() => dns.close());

  function worldByDns(dnsUrl = dns.url): World {
    const world = newWorld();
    world.authservId = "";
    world.dnsUrl = dnsUrl;
    return world;
  }

  const signed = async (reportId: string): Promise<ReturnType<typeof reportMail>> => {
    const mail = reportMail(reportId, records(3));
    return { ...mail, raw: await signer.sign(mail.raw) };
  };

  it("is judged by its DKIM signature: valid, missing, broken or by another domain", async () => {
    const world = worldByDns();
    const good = await signed("good");
    const changed = Buffer.from(
      Buffer.from((await signed("changed")).raw)
        .toString("latin1")
        .replace("Subject: Report", "Subject: Other"),
    );
    const another = await newSigner("evil.example").sign(reportMail("another", records(3)).raw);
    await received(world, good, reportMail("unsigned", records(3)));
    await received(world, { ...good, raw: changed }, { ...good, raw: another });
    expect(reportsOf(world).map(({ reportId, rank, domain }) => [reportId, rank, domain])).toEqual([
      ["another", 0, ""],
      ["changed", -1, ""],
      ["good", 2, "reporter.example"],
      ["unsigned", 0, ""],
    ]);
    expect(world.bucket.keys("raw/").filter((key) => key.endsWith("/message.eml"))).toHaveLength(3);
  });

  it("is unverified if DNS does not answer, and verified for good when reprocessed", async () => {
    const world = worldByDns("http://127.0.0.1:1/");
    await received(world, await signed("r"));
    expect(reportsOf(world)).toMatchObject([{ rank: 0 }]);
    expect(world.log.filter((line) => line.includes('"fault"'))).toEqual([]);
    const [key = ""] = world.bucket.keys("raw/");
    const again = async (generation: number): Promise<void> => {
      await world.queues["dmarc-reports"].send({
        v: 1,
        kind: "report",
        key,
        rua: "dmarc@acme.example",
        receivedSeconds: world.clock.nowMilliseconds / 1000,
        generation,
      });
      await world.drain();
    };
    world.dnsUrl = dns.url;
    await again(5);
    expect(reportsOf(world)).toMatchObject([{ rank: 2, domain: "reporter.example" }]);
    const [day] = world.rows("SELECT reports, uncounted_reports AS uncounted FROM domain_days");
    expect(day).toEqual({ reports: 1, uncounted: 0 });
    // Its key has gone.
    world.dnsUrl = "http://127.0.0.1:1/";
    await again(6);
    expect(reportsOf(world)).toMatchObject([{ rank: 2, domain: "reporter.example" }]);
  });
});

describe("the reports of one day by one reporter", () => {
  it("are limited, verified ones apart from others; the rest waits and can be admitted", async () => {
    const world = newWorld();
    world.reportsPerDay.reporter = 5;
    const mails = [];
    for (let i = 0; i < 8; i++) mails.push(reportMail(`forged-${i}`, records(1)));
    for (let i = 0; i < 4; i++) mails.push(stamped(reportMail(`true-${i}`, records(1)), "reporter.example"));
    const other = sampleReport({ reportId: "other", orgName: "Another", records: records(1) });
    mails.push(mailOf([{ name: "other.xml.gz", content: gzip(other) }]));
    await received(world, ...mails);
    const accepted = reportsOf(world).map(({ reportId }) => reportId.replace(/-.*/, ""));
    expect(accepted.filter((name) => name === "forged")).toHaveLength(5);
    expect(accepted.filter((name) => name === "true")).toHaveLength(4);
    expect(accepted).toContain("other");
    expect(world.rows("SELECT code, count(*) AS n FROM dead_letters GROUP BY code")).toEqual([
      { code: "over_budget", n: 3 },
    ]);
  });

  it("never displace verified reports, even in a flood of records", async () => {
    const world = newWorld();
    world.recordsPerDay.address = 10;
    await received(
      world,
      reportMail("flood", records(10)),
      reportMail("more", records(1)),
      stamped(reportMail("true", records(9)), "reporter.example"),
    );
    expect(reportsOf(world).map(({ reportId }) => reportId)).toEqual(["flood", "true"]);
  });
});
