/** `dmarc import` against all Workers: files, folders and mailboxes, interrupted and run again. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { zipOf } from "../../local/zip.ts";
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

let pipeline: Pipeline;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  pipeline = await startPipeline();
  folder = await mkdtemp(join(tmpdir(), "dmarc-import-"));
  environment = { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN };
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme", domains: ["acme.example"] });
  await pipeline.ask("/registry/rua@other.example", "PUT", {
    account: "other",
    domains: ["other.example", "shared.example"],
  });
  await pipeline.ask("/registry/second@acme.example", "PUT", { account: "acme", domains: ["shared.example"] });
});

afterAll(async () => {
  await pipeline?.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(["import", ...args], environment);
}

async function runJson(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run("--json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

async function makeFolder(name: string, files: Record<string, string | Uint8Array>): Promise<string> {
  const path = join(folder, name);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(resolve(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), content);
  }
  return path;
}

function report(reportId: string, domain = "acme.example"): string {
  return sampleReport({ reportId, domain });
}

function mail(reportId: string, domain = "acme.example"): string {
  return sampleMail([{ name: `${reportId}.xml`, content: Buffer.from(report(reportId, domain)) }]).toString();
}

async function reportIds(prefix: string): Promise<string[]> {
  const rows = await pipeline.rows<{ report_id: string }>(
    `SELECT report_id FROM reports WHERE report_id LIKE '${prefix}%' ORDER BY report_id`,
  );
  return rows.map(({ report_id }) => report_id);
}

const TLS = JSON.stringify({
  "organization-name": "Reporter",
  "date-range": { "start-datetime": "2023-11-14T00:00:00Z", "end-datetime": "2023-11-14T23:59:59Z" },
  "contact-info": "tls@reporter.example",
  "report-id": "kinds-tls",
  policies: [
    {
      policy: { "policy-type": "no-policy-found", "policy-domain": "acme.example" },
      summary: { "total-successful-session-count": 3, "total-failure-session-count": 0 },
    },
  ],
});

describe("imported files", () => {
  it("count for the account of their domain; files without a report are not sent", async () => {
    const path = await makeFolder("kinds", {
      "a.xml": report("kinds-a"),
      "b.xml.gz": gzipSync(report("kinds-b")),
      "c.zip": zipOf("c.xml", Buffer.from(report("kinds-c", "other.example"))),
      "d.json.gz": gzipSync(TLS),
      "e.eml": mail("kinds-e"),
      "box.mbox": `From a@b Tue Nov 14 10:00:00 2023\n${mail("kinds-f")}\n\nFrom a@b Tue Nov 14 11:00:00 2023\n${mail("kinds-g")}\n`,
      "Maildir/cur/1700000000.M1.host:2,S": mail("kinds-h"),
      "Maildir/new/1700000001.M2.host": mail("kinds-i"),
      "Maildir/tmp/1700000002.M3.host": mail("kinds-unfinished"),
      "Maildir/.Sub/cur/1700000003.M4.host:2,": mail("kinds-j"),
      "Maildir/.Sub/new/1700000004.M5.host": "Subject: a letter\nFrom: a@b.example\n\nSee you.\n",
      "Maildir/dovecot-uidlist": "3 V1\n",
      "notes/README.txt": "Not a report.\n",
      ".hidden.xml": report("kinds-hidden"),
    });
    await symlink(join(path, "a.xml"), join(path, "link.xml"));
    const dry = await runJson("--dry-run", path);
    expect(dry).toMatchObject({ files: 12, selected: 10, taken: 0, noReport: 2, hiddenFiles: 2, serverFiles: 2 });
    expect(await pipeline.rows("SELECT 1 FROM imports")).toEqual([]);
    const counts = await runJson("--wait", path);
    expect(counts).toMatchObject({
      taken: 10,
      noReport: 2,
      addresses: { "rua@acme.example": 9, "rua@other.example": 1 },
      outcomes: { accepted: 10 },
    });
    expect(await reportIds("kinds-")).toEqual([..."abcefghij"].map((id) => `kinds-${id}`).concat("kinds-tls"));
    // Again, with one more.
    await writeFile(join(path, "k.xml"), report("kinds-k"));
    expect(await runJson("--wait", path)).toMatchObject({ taken: 1, known: 10, outcomes: { accepted: 11 } });
  });

  it("show on the report's page who imported them and from where", async () => {
    const path = await makeFolder("page", { "r.xml": report("page-r") });
    await runJson("--wait", path);
    const [row] = await pipeline.rows<{ uid: string; day: number }>(
      "SELECT lower(hex(uid)) AS uid, day FROM reports WHERE report_id = 'page-r'",
    );
    const day = new Date((row?.day ?? 0) * 86_400_000).toISOString().slice(0, 10);
    const { status, text } = await pipeline.page(`/reports/acme/acme.example/${day}/${row?.uid}`);
    expect(status).toBe(200);
    expect(text).toContain("Imported by");
    expect(text).toContain(`${path}/r.xml`);
  });

  it("are streamed whole when they are large", async () => {
    const noise = Array.from({ length: 9000 }, (_, i) => ({
      sourceIp: `192.0.${i >> 8}.${i & 255}`,
      count: 1,
      pass: true,
    }));
    const large = sampleReport({ reportId: "large", records: noise });
    expect(large.length).toBeGreaterThan(8 * IMPORT_LIMITS.maxSharedFileBytes);
    const path = await makeFolder("large", { "large.xml": large });
    expect(await runJson("--wait", path)).toMatchObject({ taken: 1, outcomes: { accepted: 1 } });
    const [row] = await pipeline.rows<{ total: number }>("SELECT total FROM reports WHERE report_id = 'large'");
    expect(row?.total).toBe(9000);
    expect(await runJson(path)).toMatchObject({ taken: 0, known: 1 });
  });

  it("become dead letters when broken; ordinary mail with a broken attachment is left out", async () => {
    const broken = gzipSync(report("broken")).subarray(0, 200);
    const path = await makeFolder("broken", {
      "cut.xml.gz": broken,
      "letter.eml": sampleMail([{ name: "photos.zip", content: Buffer.from("PK\u0003\u0004 broken") }]),
    });
    const counts = await runJson("--wait", "--account", "other", path);
    expect(counts).toMatchObject({ taken: 1, noReport: 1, outcomes: { dead_letter: 1 } });
    const { stdout } = await run("--wait", "--account", "other", path);
    expect(stdout).toMatch(/now dead letter +1\nWhy, and what to do: {2}dmarc dead-letters reasons\n$/);
  });
});

describe("copies of one file", () => {
  it("without a report, or without an account, are counted as such, and not waited for", async () => {
    const path = await makeFolder("copies", {
      "a/notes.txt": "Not a report.\n",
      "b/notes.txt": "Not a report.\n",
      "a/foreign.xml": report("copies-foreign", "foreign.example"),
      "b/foreign.xml": report("copies-foreign", "foreign.example"),
      "a/good.xml": report("copies-good"),
      "b/good.xml": report("copies-good"),
    });
    const { code, stdout, stderr } = await run("--json", "--wait", path);
    expect(JSON.parse(stdout)).toMatchObject({
      files: 6,
      taken: 1,
      known: 1,
      noReport: 2,
      noOwner: 2,
      outcomes: { accepted: 1 },
    });
    expect(code).toBe(2);
    expect(stderr.match(/No registered address takes reports about foreign.example/g)).toHaveLength(2);
  });
});

describe("the account of a file", () => {
  it("comes from --account or --rua if several accounts take its domain; otherwise the file is named and not sent", async () => {
    const path = await makeFolder("shared", { "s.xml": report("shared-s", "shared.example") });
    const unclear = await run("--json", path);
    expect(unclear.code).toBe(2);
    expect(JSON.parse(unclear.stdout)).toMatchObject({ taken: 0, noOwner: 1 });
    expect(unclear.stderr).toContain("several accounts (acme, other; it is about shared.example)");
    expect(await runJson("--account", "other", path)).toMatchObject({ addresses: { "rua@other.example": 1 } });
    expect(await runJson("--rua", "second@acme.example", path)).toMatchObject({
      addresses: { "second@acme.example": 1 },
    });
  });

  it("comes from the recipient of its mail", async () => {
    const to = mail("recipient", "shared.example").replace("To: dmarc@acme.example", "To: <second@acme.example>");
    const path = await makeFolder("recipient", { "m.eml": to });
    expect(await runJson(path)).toMatchObject({ addresses: { "second@acme.example": 1 } });
  });

  it("is none if no address takes its domain", async () => {
    const path = await makeFolder("foreign", { "f.xml": report("foreign", "foreign.example") });
    const { code, stderr } = await run(path);
    expect(code).toBe(2);
    expect(stderr).toContain("No registered address takes reports about foreign.example");
  });

  it.each([
    [["--account", "nobody"], "There is no account 'nobody' with a registered address; there are acme, other."],
    [["--rua", "x@acme.example"], "The address 'x@acme.example' is not registered"],
    [["--rua", "rua@acme.example", "--account", "other"], "is not registered for the account 'other'"],
  ])("%j is refused if it does not exist", async (options, sentence) => {
    const path = await makeFolder("options", { "o.xml": report("options") });
    const { code, stderr } = await run(...options, path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
  });
});

describe("an error", () => {
  it("is one sentence for a missing path", async () => {
    const { code, stderr } = await run(join(folder, "nowhere"));
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^dmarc: There is no file or folder '.*nowhere'\.\n$/),
    });
  });

  it("is one sentence for something that is not a file; other files are imported", async () => {
    const path = await makeFolder("others", { "a.xml": report("others-a") });
    const { code, stdout, stderr } = await run("--json", "/dev/null", path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "dmarc import: /dev/null: it is not a regular file\n" });
    expect(JSON.parse(stdout)).toMatchObject({ taken: 1, unreadable: 1 });
  });
});

it("an import that is killed and run again duplicates nothing and loses nothing", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`${String(i).padStart(3, "0")}.xml.gz`, gzipSync(report(`kill-${i}`))]),
  );
  const path = await makeFolder("kill", files);
  const taken = async (): Promise<number> => {
    const [row] = await pipeline.rows<{ taken: number }>(
      `SELECT count(*) AS taken FROM imports WHERE origin LIKE '${path}%'`,
    );
    return row?.taken ?? 0;
  };
  const child = spawn(process.execPath, [resolve(import.meta.dirname, "../../cli/dmarc.ts"), "import", path], {
    env: { ...process.env, ...environment },
    stdio: "ignore",
  });
  await vi.waitUntil(async () => (await taken()) > 0, { timeout: 120_000, interval: 5 });
  child.kill("SIGKILL");
  const before = await taken();
  expect(before).toBeLessThan(500);
  const counts = await runJson("--wait", path);
  expect(counts).toMatchObject({ files: 500, failed: 0, noOwner: 0, outcomes: { accepted: 500 } });
  expect(Number(counts.taken) + Number(counts.known)).toBe(500);
  expect(await taken()).toBe(500);
  expect(await reportIds("kill-")).toHaveLength(500);
  const [sum] = await pipeline.rows<{ total: number }>(
    "SELECT sum(total) AS total FROM reports WHERE report_id LIKE 'kill-%'",
  );
  expect(sum?.total).toBe(500 * 8);
}, 180_000);

it("an import without the operator's token is refused by the API", async () => {
  const path = await makeFolder("token", { "t.xml": report("token") });
  const { code, stderr } = await runAgain(["import", path], { ...environment, DMARC_TOKEN: "wrong" });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("neither the secret") });
});
