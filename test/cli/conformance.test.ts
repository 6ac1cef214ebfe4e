import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AggregateSummary, FileSummary } from "../../cli/parse-file.ts";
import { compareFile, type ExpectedFile, readExpected } from "../../scripts/conformance-rule.ts";
import { sampleReport } from "../support/sample-report.ts";

/** What the sample report says, in a corpus's words. */
const REPORT = {
  kind: "aggregate",
  usable: true,
  incomplete: [],
  org_name: "Reporter",
  report_id: "id-1",
  domain: "acme.example",
  begin: 1_700_000_000,
  end: 1_700_086_399,
  records: 3,
  count_sum: 8,
  pass_sum: 6,
  distinct_source_ip: 2,
  records_bad_count: 0,
  records_without_row: 0,
};
const PROBLEM = { code: "truncated", message: "It ends early.", part: "", advice: "" } as const;

function accepted(changes: Partial<AggregateSummary> = {}): FileSummary {
  const policy = {
    domain: "acme.example",
    p: "none",
    sp: "none",
    np: "none",
    adkim: "r",
    aspf: "r",
    pct: 100,
    fo: "",
    testing: false,
    discoveryMethod: "",
  } as const;
  const report: AggregateSummary = {
    kind: "aggregate",
    orgName: "Reporter",
    reportId: "id-1",
    domain: "acme.example",
    begin: 1_700_000_000,
    end: 1_700_086_399,
    policy,
    records: 3,
    skippedRecords: 0,
    messages: 8,
    passed: 6,
    sources: 2,
    dispositions: {},
    warnings: [],
    ...changes,
  };
  return { file: "f", outcome: "accepted", reports: [report], problems: [], passedOver: [] };
}

function rejected(): FileSummary {
  return { file: "f", outcome: "rejected", reports: [], problems: [PROBLEM], passedOver: [] };
}

function expected(verdict: ExpectedFile["verdict"], changes: object = {}): ExpectedFile {
  return { class: "aggregate", verdict, problems: [], reports: [{ ...REPORT, ...changes }] };
}

describe("the rule", () => {
  it.each([
    ["accepted with the same figures", expected("accept"), accepted(), true],
    ["an upper-case domain", expected("accept", { domain: "ACME.example" }), accepted(), true],
    ["no reporter name wanted", expected("accept", { org_name: " " }), accepted({ orgName: "mail.example" }), true],
    ["another reporter name", expected("accept"), accepted({ orgName: "Other" }), false],
    ["another report id", expected("accept"), accepted({ reportId: "id-2" }), false],
    ["other messages", expected("accept"), accepted({ messages: 9 }), false],
    ["other passed", expected("accept"), accepted({ passed: 5 }), false],
    ["other sources", expected("accept"), accepted({ sources: 3 }), false],
    ["sources that cannot be known", expected("accept", { records_bad_count: 1 }), accepted({ sources: 3 }), true],
    ["a record lost", expected("accept"), accepted({ records: 2 }), false],
    ["a record skipped", expected("accept"), accepted({ records: 2, skippedRecords: 1 }), true],
    [
      "a doubtful record skipped with its figures",
      expected("recovered"),
      accepted({ records: 2, skippedRecords: 1, messages: 7 }),
      true,
    ],
    ["a good file rejected", expected("accept"), rejected(), false],
    ["an incomplete file rejected", expected("accept", { incomplete: ["begin"] }), rejected(), true],
    ["an incomplete file accepted", expected("accept", { incomplete: ["begin"] }), accepted({ begin: 0 }), true],
    ["a doubtful file rejected", expected("recovered"), rejected(), true],
    ["a doubtful file accepted with other figures", expected("recovered"), accepted({ messages: 9 }), false],
    ["a bad file rejected", expected("reject"), rejected(), true],
    ["a bad file rejected without a reason", expected("reject"), { ...rejected(), problems: [] }, false],
    ["a bad file accepted", expected("reject"), accepted(), false],
    ["junk accepted", expected("junk"), accepted(), false],
    ["a report unusable by itself", expected("accept", { usable: false }), accepted(), false],
    ["a report of another kind", expected("accept", { kind: "tls" }), accepted(), false],
  ])("%s", (_, want, got, agrees) => {
    expect(compareFile(want, got).agrees).toBe(agrees);
  });

  it("compares a failure report by its facts", () => {
    const failure = { source_ip: "192.0.2.1", reported_domain: ["Acme.example"], auth_failure: "dmarc" };
    const { f } = readExpected({ f: { class: "failure", verdict: "accept", reports: [], failure } });
    if (f === undefined) expect.unreachable();
    const facts = {
      kind: "failure",
      reportedDomain: "acme.example",
      sourceIp: "192.0.2.1",
      authFailure: "dmarc",
    } as const;
    const read = (changes: object): FileSummary => ({
      ...accepted(),
      reports: [{ ...facts, arrivalDate: "", deliveryResult: "", warnings: [], ...changes }],
    });
    expect(compareFile(f, read({}))).toEqual({ agrees: true, rejectedDoubtful: false });
    expect(compareFile(f, read({ sourceIp: "192.0.2.2" })).agrees).toBe(false);
    expect(compareFile(f, accepted()).agrees).toBe(false);
  });

  it("uses the class of a generated file as the kind of its reports", () => {
    const read = readExpected({
      files: { t: { class: "tls", reports: [{ org_name: "x" }] }, f: { class: "failure" } },
    });
    expect(read).toMatchObject({ t: { reports: [{ kind: "tls" }] }, f: { reports: [{ kind: "failure" }] } });
  });

  it("reads a generator's form", () => {
    const { kind: _, ...plain } = REPORT;
    const files = {
      a: plain,
      b: { expect: "either", why: "odd", reports: [plain] },
      c: { expect: "reject", why: "bomb" },
    };
    const read = readExpected({ files });
    expect(read).toMatchObject({
      a: { verdict: "accept", reports: [{ kind: "aggregate", report_id: "id-1" }] },
      b: { verdict: "recovered", problems: ["odd"], reports: [{ report_id: "id-1" }] },
      c: { verdict: "reject", reports: [] },
    });
    expect(() => readExpected({ file: 1 })).toThrow();
  });
});

describe("the script", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dmarc-conformance-"));
    await writeFile(join(folder, "good.xml"), sampleReport());
    await writeFile(join(folder, "bad.xml"), sampleReport().slice(0, 300));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function run(folderOrNothing: string[]): Promise<{ code: number | null; stdout: string }> {
    const script = resolve(import.meta.dirname, "../../scripts/conformance.ts");
    const child = spawn(process.execPath, [script, ...folderOrNothing], { stdio: ["ignore", "pipe", "ignore"] });
    const code = new Promise<number | null>((done) => child.once("close", done));
    return { stdout: await text(child.stdout), code: await code };
  }

  it("passes, or prints every difference and fails", async () => {
    const bad = { verdict: "reject", problems: ["truncated"], reports: [] };
    const good = { verdict: "accept", reports: [REPORT] };
    await writeFile(join(folder, "expected.json"), JSON.stringify({ "good.xml": good, "bad.xml": bad }));
    expect(await run([folder])).toEqual({ code: 0, stdout: "2 of 2 files agree (100 %), 0 doubtful files rejected\n" });
    const wrong = { verdict: "accept", reports: [{ ...REPORT, count_sum: 9 }] };
    await writeFile(join(folder, "expected.json"), JSON.stringify({ "good.xml": wrong, "bad.xml": bad }));
    expect(await run([folder])).toEqual({
      code: 1,
      stdout: "good.xml: messages: expected 9, read 8\n1 of 2 files agree (50 %), 0 doubtful files rejected\n",
    });
  });

  it("fails without a folder or without its expected.json", async () => {
    expect((await run([])).code).toBe(1);
    expect((await run([join(folder, "missing")])).code).toBe(1);
  });
});
