/**
 * Raw objects that travel in their queue messages: process reads the same of them as of R2, and nothing that is kept longer than
 * a message has their content.
 */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeBase64 } from "../../shared/base64.ts";
import { MAIL_LIMITS, QUEUE_LIMITS, STORAGE_LIMITS } from "../../shared/limits.ts";
import type { DeliveredReport } from "../../shared/messages.ts";
import { storeMail } from "../../workers/ingest/receive.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { listFixtures, readFixture } from "../support/fixtures.ts";
import { ledgerFigures, outcomesOf } from "../support/simulation/balance.ts";
import {
  failureMail,
  figures,
  mailOf,
  records,
  registeredSimulation,
  reportMail,
  stamped,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { SimulatedMail, Simulation } from "../support/simulation/simulation.ts";
import { tablesOf } from "../support/simulation/upgrade-fixture.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";

function waiting(simulation: Simulation): DeliveredReport[] {
  return simulation.queues["dmarc-reports"].messages.map(({ body }) => JSON.parse(body));
}

/** Everything the ledger holds, by table. */
function ledgerOf(simulation: Simulation): Record<string, unknown[]> {
  return Object.fromEntries(tablesOf(simulation).map((name) => [name, simulation.rows(`SELECT * FROM ${name}`)]));
}

function r2Reads(simulation: Simulation): string[] {
  return simulation.faults.calls.filter((name) => /^r2\.(get|head) raw/.test(name));
}

describe("what process makes of an object", () => {
  /** Each fixture as its mail, or attached to one. */
  const fixtures = listFixtures().map((file): SimulatedMail => {
    const content = readFixture(file);
    if (file.endsWith(".eml")) return { from: "dmarc@reporter.example", to: RUA, raw: content };
    return mailOf([{ name: file.replace(/^.*\//, ""), content }]);
  });

  async function simulationAfter(carriesObjects: boolean): Promise<Simulation> {
    const simulation = registeredSimulation();
    simulation.carriesObjects = carriesObjects;
    for (const mail of fixtures) expect(await simulation.deliver(mail)).toBe("taken");
    await simulation.drain();
    return simulation;
  }

  it("is the same of each fixture, whether it came with its message or from R2", { timeout: 120_000 }, async () => {
    const [carried, fetched] = [await simulationAfter(true), await simulationAfter(false)];
    expect(carried.rows<object>("SELECT * FROM objects").length).toBeGreaterThan(500);
    expect(ledgerOf(carried)).toEqual(ledgerOf(fetched));
    expect(carried.points).toEqual(fetched.points);
    expect(carried.log).toEqual(fetched.log);
    // Most of them are small, and may be carried.
    expect(r2Reads(carried).length).toBeLessThan(r2Reads(fetched).length / 2);
  });

  it("costs no call of R2 beyond the put, for an ordinary report", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(9)));
    await simulation.drain();
    expect(simulation.faults.calls.filter((name) => name.startsWith("r2."))).toEqual(["r2.put raw"]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(9) });
  });

  it("is read twice from its message when it has many records", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(1100)));
    await simulation.drain();
    expect(r2Reads(simulation)).toEqual([]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(1100) });
  });
});

describe("a message carries its object", () => {
  const isCarried = async (...mails: SimulatedMail[]): Promise<boolean[]> => {
    const simulation = registeredSimulation();
    for (const mail of mails) await simulation.deliver(mail);
    return waiting(simulation).map(({ object }) => object !== undefined);
  };
  const signed = ({ raw, ...mail }: SimulatedMail): SimulatedMail => ({
    ...mail,
    raw: Buffer.concat([
      Buffer.from("DKIM-Signature: v=1; a=rsa-sha256; d=reporter.example; s=s; bh=AA==; b=AA==\r\n"),
      raw,
    ]),
  });
  const attached = (raw: Uint8Array, name: string): SimulatedMail => mailOf([{ name, content: raw }]);

  it.each([
    ["a report", reportMail("a", records(2)), [true]],
    ["a report whose mail was authenticated", stamped(reportMail("a", records(2)), "reporter.example"), [true]],
    ["a mail with a report whose signature has to be verified", signed(reportMail("a", records(2))), [true]],
    ["a failure report", failureMail(), [false]],
    ["a failure report in a mail", attached(failureMail().raw, "failure.eml"), [false]],
    ["a report's file in a mail in a mail", attached(reportMail("a", records(2)).raw, "a.eml"), [true]],
    ["a mailbox", { from: "a@example.net", to: RUA, raw: readFixture("lost/attached-mailbox.eml") }, [false]],
    [
      "a letter",
      { from: "a@example.net", to: RUA, raw: Buffer.from("From: a@example.net\r\n\r\nHello.\r\n") },
      [false],
    ],
  ])("if it is %s: %#", async (_, mail, expected) => {
    expect(await isCarried(mail)).toEqual(expected);
  });

  it("only when this put created it", async () => {
    const mail = reportMail("a", records(2));
    expect(await isCarried(mail, mail)).toEqual([true, false]);
    // Another address has an object of its own.
    expect(await isCarried(mail, { ...mail, to: "reports@acme.example" })).toEqual([true, true]);
  });

  it("only while it is small", async () => {
    const ofBytes = (bytes: number) => mailOf([{ name: "a.gz", content: gzipLike(bytes) }]);
    const { maxCarriedBytes } = QUEUE_LIMITS;
    expect(await isCarried(ofBytes(maxCarriedBytes), ofBytes(maxCarriedBytes + 1))).toEqual([true, false]);
  });

  it("within what Queues bills as one operation, whatever its mail says", async () => {
    const long = "ü".repeat(2000);
    const headers = new Headers();
    for (const name of ["from", "subject", "message-id"]) headers.set(name, encodeURIComponent(long));
    const raw = mailOf([{ name: `${"n".repeat(990)}.gz`, content: gzipLike(QUEUE_LIMITS.maxCarriedBytes) }]).raw;
    const results = `Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=${"d".repeat(1000)}.example\r\n`;
    const sent: string[] = [];
    const env = {
      R2_DMARC_REPORTS: { put: async () => ({}) },
      QUEUE_REPORTS: {
        sendBatch: async (batch: { body: unknown }[]) => void sent.push(JSON.stringify(batch[0]?.body)),
      },
      AUTHSERV_ID: "mx.cloudflare.net",
    };
    const bytes = new Uint8Array(Buffer.concat([Buffer.from(results), raw]));
    const receipt = { rua: `${"r".repeat(380)}@acme.example`, receivedSeconds: 1_735_000_000 };
    const message = { from: `${"s".repeat(2000)}@reporter.example`, headers };
    await storeMail({ bytes, message }, env as unknown as IngestBindings, receipt);
    const parsed: DeliveredReport = JSON.parse(sent[0] ?? "");
    expect(Buffer.from(parsed.object?.content ?? "", "base64").byteLength).toBe(QUEUE_LIMITS.maxCarriedBytes);
    const longestMetadata = STORAGE_LIMITS.maxMetadataBytes - JSON.stringify(parsed.object?.metadata).length;
    const bytesSent = (sent[0] ?? "").length + Math.max(0, longestMetadata) + QUEUE_LIMITS.metadataBytes;
    expect(bytesSent).toBeLessThan(QUEUE_LIMITS.billedBytes);
  });

  it("and those of a mail with many go in as many batches as Queues asks", async () => {
    const simulation = registeredSimulation();
    const files = Array.from({ length: MAIL_LIMITS.maxPartsPerMessage }, (_, i) => ({
      name: `${i}.gz`,
      content: gzipLike(QUEUE_LIMITS.maxCarriedBytes - i),
    }));
    // The queue of the simulation refuses a batch that is too large.
    expect(await simulation.deliver(mailOf(files), 1)).toBe("taken");
    expect(waiting(simulation).filter(({ object }) => object !== undefined)).toHaveLength(files.length);
    expect(simulation.faults.calls.filter((name) => name.startsWith("queue.sendBatch")).length).toBeGreaterThan(5);
  });
});

/** Bytes that look like gzip and cannot be made smaller. */
function gzipLike(bytes: number): Uint8Array {
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), randomBytes(bytes - 4)]);
}

describe("the object is fetched from R2", () => {
  const changed = (change: (message: DeliveredReport) => unknown) => async (): Promise<Simulation> => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    const [message] = waiting(simulation);
    if (message === undefined) throw new Error("There is no message.");
    simulation.queues["dmarc-reports"].messages.length = 0;
    await simulation.queues["dmarc-reports"].send(change(message));
    return simulation;
  };
  const content = (text: string) => (message: DeliveredReport) => ({
    ...message,
    object: { content: text, metadata: { parts: "7" } },
  });

  it.each([
    ["if the message has none", changed(({ object: _, ...message }) => message)],
    ["if the content is another", changed(content(encodeBase64(Buffer.from("<feedback/>"))))],
    ["if the content is cut", changed(content("H4sI"))],
    ["if the content is not base64", changed(content("?"))],
    ["if it is in no form that is known", changed((message) => ({ ...message, object: { content: 7 } }))],
  ])("%s", async (_, start) => {
    const simulation = await start();
    await simulation.drain();
    expect(r2Reads(simulation)).toEqual(["r2.get raw"]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2) });
  });

  it("by everything that reads an object again", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    await simulation.drain();
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect(r2Reads(simulation)).toEqual(["r2.get raw"]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2) });
  });

  it("from the third delivery on, in a message of its own", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    let failures = 0;
    simulation.faults.plan = ({ name }) =>
      name === "analytics.write records" && failures++ < 4 ? "before" : undefined;
    const alone: unknown[] = [];
    const queue = simulation.queues["dmarc-points"];
    const send = queue.send.bind(queue);
    queue.send = async (body, options) => {
      alone.push(body);
      await send(body, options);
    };
    await simulation.drain();
    expect(alone).toMatchObject([{ kind: "report", alone: true }]);
    expect(JSON.stringify(alone)).not.toContain("H4sI");
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2) });
  });
});

describe("a raw object that has gone from R2 meanwhile", () => {
  it("counts, as its mail was taken", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    await simulation.bucket.delete(simulation.bucket.keys());
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2) });
  });

  it("does not count for an account that registered its address after it came", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    const { nowSeconds } = simulation.invocation();
    simulation.unregister(RUA);
    simulation.register(RUA, { account: "somebody" });
    simulation.ledger.sqlite.prepare("UPDATE addresses SET changed_seconds = ?").run(nowSeconds);
    await simulation.bucket.delete(simulation.bucket.keys());
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({});
    expect(outcomesOf(simulation)).toMatchObject([{ outcome: "dead_letter" }]);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "missing_object" }]);
  });
});

describe("content is kept nowhere but in R2 and the message", () => {
  /** Fails unless nothing that is kept has the content, as it is or in base64. */
  function expectNotKept(simulation: Simulation, content: Uint8Array): void {
    const kept = JSON.stringify([ledgerOf(simulation), simulation.log, simulation.points]);
    for (const start of [0, 1, 2].map((skipped) => encodeBase64(content.subarray(skipped)).slice(4, 24)))
      expect(kept).not.toContain(start);
  }

  it("when its report cannot be read", async () => {
    const simulation = registeredSimulation();
    const content = gzipLike(300);
    await simulation.deliver(mailOf([{ name: "broken.gz", content }]));
    expect(waiting(simulation)[0]?.object?.content).toBe(encodeBase64(content));
    await simulation.drain();
    expect(outcomesOf(simulation)).toMatchObject([{ outcome: "dead_letter" }]);
    expectNotKept(simulation, content);
  });

  it("when its retries are exhausted", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    const content = Buffer.from(waiting(simulation)[0]?.object?.content ?? "", "base64");
    expect(content.byteLength).toBeGreaterThan(100);
    simulation.faults.plan = ({ name }) => (name.startsWith("analytics.write records") ? "before" : undefined);
    await simulation.drain();
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "retries_exhausted" }]);
    expectNotKept(simulation, content);
  });

  it("when a queue hands it to the dead letters at once", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("a", records(2)));
    const content = Buffer.from(waiting(simulation)[0]?.object?.content ?? "", "base64");
    const messages = simulation.queues["dmarc-reports"].messages.splice(0);
    simulation.queues["dmarc-dead-letters"].messages.push(...messages);
    await simulation.drain();
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "retries_exhausted" }]);
    expectNotKept(simulation, content);
  });

  it("when its message is of another version", async () => {
    const simulation = registeredSimulation();
    const content = gzipLike(300);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const object = { content: encodeBase64(content), metadata: {} };
    await simulation.queues["dmarc-reports"].send({ v: 2, kind: "report", key: `raw/2026/11/20/${sha256}/a`, object });
    await simulation.drain();
    const [{ letter } = { letter: "" }] = simulation.rows<{ letter: string }>("SELECT letter FROM dead_letters");
    expect(JSON.parse(letter)).toMatchObject({ queueMessage: { v: 2, kind: "report" } });
    expectNotKept(simulation, content);
  });
});
