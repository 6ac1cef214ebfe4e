import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileSummary } from "../../cli/parse-file.ts";
import { startDohServer } from "../support/doh-server.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { newSigner } from "../support/signed-mail.ts";
import { runCommand, runWithoutOutput } from "./run-command.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-parse-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function makeFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function lines(stdout: string): FileSummary[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The figures of sampleReport(). */
const SUMMARY = {
  kind: "aggregate",
  orgName: "Reporter",
  reportId: "id-1",
  domain: "acme.example",
  begin: 1_700_000_000,
  end: 1_700_086_399,
  records: 3,
  skippedRecords: 0,
  messages: 8,
  passed: 6,
  sources: 2,
  dispositions: { none: 8 },
};

const TLS = JSON.stringify({
  "organization-name": "Reporter",
  "date-range": { "start-datetime": "2024-01-01T00:00:00Z", "end-datetime": "2024-01-01T23:59:59Z" },
  "contact-info": "tls@reporter.example",
  "report-id": "tls-1",
  policies: [
    {
      policy: { "policy-type": "sts", "policy-string": [], "policy-domain": "acme.example" },
      summary: { "total-successful-session-count": 10, "total-failure-session-count": 3 },
    },
  ],
});

describe("the sender of a mailed report", () => {
  const report = { name: "r.gz", content: gzipSync(sampleReport()) };

  it("is unchecked without a trusted receiver or DNS, and absent for files that are not mails", async () => {
    const eml = await makeFile("plain.eml", sampleMail([report]));
    const xml = await makeFile("plain.xml", sampleReport());
    const { stdout } = await runCommand(["parse", "--json", eml, xml]);
    const [mail, file] = lines(stdout);
    expect(mail?.reports[0]?.sender).toEqual({ state: "unchecked", domain: "" });
    expect(file?.reports[0]).not.toHaveProperty("sender");
  });

  it("is read from the results of a named receiver", async () => {
    const results = "Authentication-Results: mx.example; dmarc=pass header.from=reporter.example\r\n";
    const eml = await makeFile("results.eml", Buffer.concat([Buffer.from(results), sampleMail([report])]));
    const by = async (id: string) =>
      lines((await runCommand(["parse", "--json", "--authserv-id", id, eml])).stdout)[0]?.reports[0]?.sender;
    expect(await by("mx.example")).toEqual({ state: "verified", domain: "reporter.example" });
    expect(await by("mx.other.example")).toEqual({ state: "unverified", domain: "" });
    const { stdout } = await runCommand(["parse", "--authserv-id", "mx.example", eml]);
    expect(stdout).toMatch(/sender +verified, by reporter\.example/);
  });

  it("is read from the DKIM signature if DNS may be asked", async () => {
    const signer = newSigner("reporter.example");
    const dns = await startDohServer(signer.records);
    try {
      const good = await makeFile("signed.eml", await signer.sign(sampleMail([report])));
      const bad = await makeFile("unsigned.eml", sampleMail([report]));
      const { stdout } = await runCommand(["parse", "--json", "--dns", dns.url, good, bad]);
      expect(lines(stdout).map(({ reports }) => reports[0]?.sender)).toEqual([
        { state: "verified", domain: "reporter.example" },
        { state: "unverified", domain: "" },
      ]);
    } finally {
      dns.close();
    }
  });
});

describe("parse --json", () => {
  it("prints one line per file, in order, for any container and name", async () => {
    const xml = await makeFile("a.txt", sampleReport());
    const gz = await makeFile("b.zip", gzipSync(sampleReport({ reportId: "007" })));
    const eml = await makeFile("c", sampleMail([{ name: "r.gz", content: gzipSync(sampleReport()) }]));
    const { code, stdout, stderr } = await runCommand(["parse", "--json", eml, xml, gz]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const summaries = lines(stdout);
    expect(summaries.map(({ file }) => file)).toEqual([eml, xml, gz]);
    expect(summaries[0]).toMatchObject({ outcome: "accepted", reports: [SUMMARY], problems: [] });
    expect(summaries[1]).toMatchObject({ outcome: "accepted", reports: [{ ...SUMMARY, warnings: [] }] });
    expect(summaries[2]).toMatchObject({ reports: [{ ...SUMMARY, reportId: "007" }] });
    expect(summaries[1]?.reports[0]).not.toHaveProperty("rows");
  });

  it("lists a repeated report once, every other report of the mail, and broken parts as problems", async () => {
    const copies = [
      { name: "a.gz", content: gzipSync(sampleReport()) },
      { name: "a.xml", content: Buffer.from(sampleReport().replaceAll("\n", "\r\n")) },
      { name: "b.gz", content: gzipSync(sampleReport({ reportId: "id-2" })) },
      { name: "c.gz", content: gzipSync(sampleReport({ reportId: "id-3" })).subarray(0, 200) },
    ];
    const { code, stdout } = await runCommand(["parse", "--json", await makeFile("copies.eml", sampleMail(copies))]);
    const [summary] = lines(stdout);
    expect(code).toBe(0);
    expect(summary?.outcome).toBe("accepted");
    expect(summary?.reports).toMatchObject([SUMMARY, { ...SUMMARY, reportId: "id-2" }]);
    expect(summary?.problems).toMatchObject([{ part: "c.gz", code: expect.any(String), message: expect.any(String) }]);
  });

  it("rejects files without a report with exit code 2, and reads the rest", async () => {
    const truncated = await makeFile("truncated.xml", sampleReport().slice(0, -200));
    const empty = await makeFile("empty.xml", "");
    const good = await makeFile("good.xml", sampleReport());
    const { code, stdout } = await runCommand(["parse", "--json", truncated, empty, good]);
    expect(code).toBe(2);
    expect(lines(stdout)).toMatchObject([
      { outcome: "rejected", reports: [], problems: [{ code: "truncated", part: "" }] },
      { outcome: "rejected", reports: [], problems: [{ code: "empty" }] },
      { outcome: "accepted" },
    ]);
  });

  it("continues after a file it cannot open, with exit code 1", async () => {
    const good = await makeFile("good.xml", sampleReport());
    const missing = join(folder, "missing.xml");
    const { code, stdout, stderr } = await runCommand(["parse", "--json", missing, good]);
    expect(code).toBe(1);
    expect(lines(stdout)).toMatchObject([{ file: good, outcome: "accepted" }]);
    expect(stderr).toBe(`dmarc: ${missing} can't be read: there is no such file or folder.\n`);
  });

  it("reads every file in a folder, in order, without hidden files", async () => {
    const names = ["folder/a.xml", "folder/sub/b.xml", "folder/z.xml"];
    await mkdir(join(folder, "folder/sub"), { recursive: true });
    for (const name of [...names, "folder/.hidden.xml"]) await makeFile(name, sampleReport());
    const { code, stdout, stderr } = await runCommand(["parse", "--json", join(folder, "folder")]);
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject(names.map((name) => ({ file: join(folder, name), outcome: "accepted" })));
    expect(stderr).toContain(".hidden.xml: passed over");
  });

  it("sums up a TLS report", async () => {
    const { stdout } = await runCommand(["parse", "--json", await makeFile("tls", TLS)]);
    expect(lines(stdout)[0]?.reports).toMatchObject([
      {
        kind: "tls",
        orgName: "Reporter",
        reportId: "tls-1",
        begin: 1_704_067_200,
        end: 1_704_153_599,
        policies: [{ policyType: "sts", policyDomain: "acme.example", successfulSessions: 10, failedSessions: 3 }],
        sessions: 13,
        failedSessions: 3,
      },
    ]);
  });

  it("prints the rows when asked", async () => {
    const { stdout } = await runCommand(["parse", "--json", "--records", await makeFile("rows.xml", sampleReport())]);
    expect(lines(stdout)[0]?.reports).toMatchObject([
      {
        rows: [
          { sourceIp: "192.0.2.1", count: 5, dkim: "pass" },
          { sourceIp: "192.0.2.1", count: 2, dkim: "fail" },
          { sourceIp: "2001:db8::1", count: 1, dkim: "pass" },
        ],
      },
    ]);
  });
});

describe("a large report", () => {
  it("needs no more memory for more records, even from different sources", async () => {
    const records = Array.from({ length: 120_000 }, (_, i) => ({
      sourceIp: [0, Math.floor(i / 10_000), Math.floor(i / 100) % 100, i % 100].map((n) => n + 100).join("."),
      count: 1,
      pass: true,
    }));
    const file = await makeFile("large.xml.gz", gzipSync(sampleReport({ records })));
    // Measured: 32 MB are enough however many records there are; a text cut out of another keeps the whole alive.
    const { code, stdout } = await runCommand(["parse", "--json", file], { NODE_OPTIONS: "--max-old-space-size=48" });
    expect(code).toBe(0);
    expect(lines(stdout)[0]?.reports).toMatchObject([{ records: 120_000, messages: 120_000, sources: 120_000 }]);
  });
});

describe("parse without --json", () => {
  it("summarizes the report", async () => {
    const { code, stdout } = await runCommand(["parse", "--records", await makeFile("people.xml", sampleReport())]);
    expect(code).toBe(0);
    expect(stdout).toContain("acme.example, by Reporter");
    expect(stdout).toContain("8 in 3 records from 2 sources, 6 passed (75 %)");
    expect(stdout).toContain("2001:db8::1");
  });

  it("counts one record as one", async () => {
    const one = sampleReport({ records: [{ sourceIp: "192.0.2.1", count: 40, pass: true }] });
    const { stdout } = await runCommand(["parse", await makeFile("one.xml", one)]);
    expect(stdout).toContain("40 in 1 record from 1 source, 40 passed (100 %)");
  });

  it("prints no control characters from a report", async () => {
    // C1 controls and direction marks are legal in XML; C0 ones come with character references that a reader may take.
    const orgName = "Evil\u009b2J\u202egnol &#27;[31m";
    const { stdout } = await runCommand(["parse", "--records", await makeFile("evil.xml", sampleReport({ orgName }))]);
    expect(stdout).toContain("Evil");
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });
});

describe("the command itself", () => {
  it.each([
    [],
    ["parse"],
    ["rua"],
    ["send"],
    ["status"],
    ["stats"],
    ["query"],
    ["dead-letters"],
    ["dead-letters", "list"],
    ["rua", "add"],
  ])("has help with examples: %s %s", async (...args) => {
    const { code, stdout } = await runCommand([...args, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}dmarc /);
  });

  it("says in a sentence that its output could not be written", () => {
    const { code, stderr } = runWithoutOutput(["parse", "docs/example-report.xml"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^dmarc: The output couldn't be written: .*\.\n$/);
  });

  it.each([["parse"], ["bogus"], ["parse", "--bogus", "x"], ["send"], ["query"], ["rua", "add"]])(
    "exits with 1 on wrong use: %s %s %s",
    async (...args) => {
      const { code, stdout, stderr } = await runCommand(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^dmarc: [A-Z][^\n]*\.\n/);
      expect(stderr).not.toContain("error:");
    },
  );
});
