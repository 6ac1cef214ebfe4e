/** Mails too large to be parsed at receipt, in workerd: stored whole and once, whatever their size is said to be. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { putCopy, type RegistryStore } from "../../shared/registry.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { reportBytes, STYLES } from "../support/seeded-reports.ts";
import { type Chain, RUA, startChain } from "./harness.ts";

const [style] = STYLES;
if (style === undefined) throw new Error("no styles");
const RECORDS = 7000;
const mail = sampleMail([
  { name: "report.xml", content: Buffer.from(reportBytes({ records: RECORDS, seed: 1, style })) },
]);
const sha256 = createHash("sha256").update(mail).digest("hex");

/** What the tests use of the bindings. */
interface IngestBindings {
  KV_DMARC_REPORTS: RegistryStore;
  R2_DMARC_REPORTS: {
    list(options: { prefix: string }): Promise<{ objects: { key: string; size: number }[] }>;
    delete(keys: string[]): Promise<void>;
  };
}

describe("a large mail at ingest", () => {
  let server: TestHarness;
  let env: IngestBindings;

  beforeAll(async () => {
    const config = {
      name: "ingest",
      main: resolve(import.meta.dirname, "../../bench/large-mail/ingest.js"),
      compatibility_date: "2026-11-01",
      compatibility_flags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
      kv_namespaces: [{ binding: "KV_DMARC_REPORTS", id: "registry" }],
      r2_buckets: [{ binding: "R2_DMARC_REPORTS", bucket_name: "bucket" }],
      queues: { producers: [{ binding: "QUEUE_REPORTS", queue: "reports" }] },
    };
    server = createTestHarness({ workers: [{ config }] });
    await server.listen();
    env = (await server.getWorker("ingest").getEnv()) as unknown as IngestBindings;
    await putCopy(env.KV_DMARC_REPORTS, { rua: RUA, entry: { account: "acme" }, shard: 0 });
  });
  afterAll(() => server.close());

  async function send(body: Uint8Array, rawSize: number): Promise<void> {
    const url = `http://door.example/?to=${RUA}&rawSize=${rawSize}`;
    const answer = await server.getWorker("ingest").fetch(url, { method: "POST", body: new Uint8Array(body) });
    expect(await answer.json()).toEqual({ rejected: "" });
  }

  async function stored(): Promise<{ key: string; size: number }[]> {
    return (await env.R2_DMARC_REPORTS.list({ prefix: "raw/" })).objects;
  }

  it.each([
    ["its size", mail.byteLength],
    ["nothing", 0],
    ["nonsense", Number.NaN],
    ["a size that is parsed", 1000],
    ["less than it has", MAIL_LIMITS.maxParsedMessageBytes + 1],
    ["more than it has", MAIL_LIMITS.maxMessageBytes],
    ["more than can be", 1e12],
  ])("is stored whole when rawSize is %s", async (_, rawSize) => {
    await send(mail, rawSize);
    const objects = await stored();
    expect(objects).toMatchObject([{ size: mail.byteLength }]);
    expect(objects[0]?.key).toContain(sha256);
    await env.R2_DMARC_REPORTS.delete(objects.map(({ key }) => key));
  });

  it("is stored whole if it is small, for any rawSize", async () => {
    const small = Buffer.from("Subject: none\r\n\r\nHello.\r\n");
    await send(small, MAIL_LIMITS.maxMessageBytes);
    const objects = await stored();
    expect(objects).toMatchObject([{ size: small.byteLength }]);
    await env.R2_DMARC_REPORTS.delete(objects.map(({ key }) => key));
  });

  it("is one object even if it is sent again", async () => {
    await send(mail, mail.byteLength);
    await send(mail, mail.byteLength);
    expect(await stored()).toHaveLength(1);
  });
});

describe("a large mail in the chain", () => {
  let chain: Chain;

  beforeAll(async () => {
    chain = await startChain();
    await chain.register(RUA, { account: "acme" });
  });
  afterAll(() => chain.close());

  it("counts once, however often it is sent", { timeout: 120_000 }, async () => {
    for (let i = 0; i < 2; i++) expect(await chain.send({ raw: mail })).toMatchObject({ outcome: "ok" });
    const [object] = await chain.waitForRows<{ outcomes: string }>("SELECT outcomes FROM objects", 1);
    expect(JSON.parse(object?.outcomes ?? "")).toMatchObject([{ outcome: "accepted" }]);
    expect(await chain.rows("SELECT reports, records FROM domain_days")).toEqual([{ reports: 1, records: RECORDS }]);
    // Its points follow in slices.
    await vi.waitUntil(async () => (await chain.stats()).records === RECORDS, { timeout: 100_000, interval: 200 });
    expect(await chain.stats()).toMatchObject({ reports: 1, records: RECORDS, deadLetters: 0 });
  });

  it.each([
    ["named", "Reported-Domain: shown.example"],
    ["taken from the reported mail", "Incidents: 1"],
  ])("does not count the mail shown in a failure report (its domain %s), and is removed", async (_, field) => {
    const raw = failureMail(field);
    expect(raw.byteLength).toBeGreaterThan(MAIL_LIMITS.maxParsedMessageBytes);
    const before =
      (await chain.rows<{ n: number }>("SELECT count(*) AS n FROM objects WHERE raw_removed = 1"))[0]?.n ?? 0;
    expect(await chain.send({ raw })).toMatchObject({ outcome: "ok" });
    await chain.waitForRows("SELECT 1 FROM objects WHERE raw_removed = 1", before + 1);
    const kinds = await chain.rows("SELECT DISTINCT kind FROM reports WHERE domain = 'shown.example'");
    expect(kinds).toEqual([{ kind: "failure" }]);
    expect(await chain.rows("SELECT 1 FROM dead_letters")).toEqual([]);
  });
});

/** A failure report with an aggregate report attached to the mail that it is about. */
function failureMail(field: string): Buffer {
  const report = gzipSync(sampleReport({ domain: "shown.example" })).toString("base64");
  const lines = [
    "From: arf@reporter.example",
    `To: ${RUA}`,
    "Subject: Failure report",
    `Message-ID: <${field.length}@reporter.example>`,
    "MIME-Version: 1.0",
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "A failure report.",
    "--b",
    "Content-Type: message/feedback-report",
    "",
    "Feedback-Type: auth-failure",
    "User-Agent: Reporter/1",
    "Version: 1",
    "Arrival-Date: Fri, 20 Nov 2026 10:00:00 +0000",
    "Source-IP: 192.0.2.7",
    field,
    "Auth-Failure: dmarc",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "From: someone@shown.example",
    `Subject: ${field}`,
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=inner",
    "",
    "--inner",
    'Content-Disposition: attachment; filename="reporter.example!shown.example!1700000000!1700086399.xml.gz"',
    "Content-Type: application/gzip",
    "Content-Transfer-Encoding: base64",
    "",
    report,
    "--inner",
    "Content-Type: text/plain",
    "",
    "personal words\r\n".repeat(Math.ceil(MAIL_LIMITS.maxParsedMessageBytes / 16) + 1),
    "--inner--",
    "",
    "--b--",
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}
