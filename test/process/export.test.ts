/** Exports of records on the simulated platform: every record once, sums as the ledger's, and what is missing is said. */
import { describe, expect, it } from "vitest";
import { type ExportLine, parseExportLine } from "../../shared/export/lines.ts";
import { ask } from "../../shared/ledger/database.ts";
import { removeOldDetails } from "../../shared/ledger/retention.ts";
import { statsQuery } from "../../shared/ledger/stats.ts";
import { EXPORT_LIMITS } from "../../shared/limits.ts";
import { exportRecords } from "../../workers/process/operations/export-records.ts";
import { takeBackReport } from "../../workers/process/operations/take-back.ts";
import { sampleReport } from "../support/sample-report.ts";
import { mailOf, records, registerAll, reportMail, smallMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const SINCE = "2023-11-01";

async function simulationWith(mails = smallMail().mails, simulation = new Simulation()): Promise<Simulation> {
  registerAll(simulation);
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
  return simulation;
}

interface Page {
  lines: ExportLine[];
  cursor: string | undefined;
}

async function page(simulation: Simulation, input: object = {}): Promise<Page> {
  const answer = await exportRecords({ since: SINCE, ...input }, simulation.invocation());
  if (!answer.ok) throw new Error(answer.error.message);
  const text = await answer.value.text();
  const lines = text.trimEnd().split("\n").map(parseExportLine);
  const last = lines.at(-1);
  if (last?.type !== "end") throw new Error("The answer has no end.");
  return { lines, cursor: last.cursor };
}

async function all(simulation: Simulation, input: object = {}): Promise<{ lines: ExportLine[]; pages: number }> {
  const lines: ExportLine[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const next = await page(simulation, { ...input, ...(cursor !== undefined && { cursor }) });
    lines.push(...next.lines);
    cursor = next.cursor;
    pages++;
  } while (cursor !== undefined);
  return { lines, pages };
}

const problemsOf = (lines: ExportLine[]): string[] =>
  lines.flatMap((line) => (line.type === "problem" ? [`${line.code} ${line.message}`] : []));

function sumsOf(lines: ExportLine[]) {
  const read = lines.flatMap((line) => (line.type === "records" ? line.records : []));
  return {
    reports: lines.filter(({ type }) => type === "report").length,
    records: read.length,
    messages: read.reduce((sum, { count }) => sum + count, 0),
    passed: read.reduce((sum, { count, dkim, spf }) => sum + (dkim === "pass" || spf === "pass" ? count : 0), 0),
  };
}

async function ledgerSums(simulation: Simulation, accounts = ["acme", "other"]) {
  let sums = { reports: 0, records: 0, messages: 0, passed: 0 };
  for (const ledger of simulation.ledgers) {
    const [stats] = await ask(ledger, statsQuery({ accounts }));
    if (stats === undefined) throw new Error("Stats always have a row.");
    const { reports, records: count, messages, passed } = stats;
    sums = {
      reports: sums.reports + reports,
      records: sums.records + count,
      messages: sums.messages + messages,
      passed: sums.passed + passed,
    };
  }
  return sums;
}

describe("exported records", () => {
  it("add up to the ledger's sums across accounts, databases and pages", async () => {
    const many = Array.from({ length: EXPORT_LIMITS.reportsPerPage + 5 }, (_, i) =>
      reportMail(`many-${i}`, records(2, i + 1), i % 2 === 0 ? undefined : "rua@other.example"),
    );
    const simulation = await simulationWith([...smallMail().mails, ...many], new Simulation({ shards: 2 }));
    const { lines, pages } = await all(simulation);
    const sums = sumsOf(lines);
    expect(sums).toEqual(await ledgerSums(simulation));
    expect(sums.reports).toBeGreaterThan(EXPORT_LIMITS.reportsPerPage);
    expect(pages).toBe(2);
    expect(problemsOf(lines)).toEqual([]);
    const uids = lines.flatMap((line) => (line.type === "report" ? [line.uid] : []));
    expect(new Set(uids).size).toBe(uids.length);
    expect(sumsOf((await all(simulation, { account: "other" })).lines)).toEqual(
      await ledgerSums(simulation, ["other"]),
    );
  });

  it("of a large report are streamed in order", async () => {
    const count = EXPORT_LIMITS.heldRecords * 2;
    const simulation = await simulationWith([reportMail("large", records(count))]);
    const { lines } = await all(simulation);
    const counts = lines.flatMap((line) => (line.type === "records" ? line.records.map((record) => record.count) : []));
    expect(counts).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  it("belong to the first day of their report, each once", async () => {
    const at = (text: string): number => Date.parse(`${text}Z`) / 1000;
    const period: [number, number] = [at("2026-11-10T00:00:00"), at("2026-11-12T23:59:59")];
    const content = Buffer.from(sampleReport({ reportId: "spread", period, records: records(3) }));
    const simulation = await simulationWith([mailOf([{ name: "spread.xml", content }])]);
    expect(sumsOf((await all(simulation, { since: "2026-11-01" })).lines)).toMatchObject({
      reports: 1,
      records: 3,
      messages: 6,
    });
    expect(sumsOf((await all(simulation, { since: "2026-11-10", until: "2026-11-10" })).lines).reports).toBe(1);
    expect(sumsOf((await all(simulation, { since: "2026-11-11" })).lines).reports).toBe(0);
  });

  it("come from accepted reports only", async () => {
    const simulation = await simulationWith([reportMail("kept", records(2)), reportMail("taken back", records(3))]);
    const before = await all(simulation);
    const report = before.lines.find((line) => line.type === "report" && line.reportId === "taken back");
    if (report?.type !== "report") throw new Error("There is no such report.");
    const { account, domain, day, uid } = report;
    const reference = { account, kind: "aggregate" as const, domain, day: Date.parse(day) / 86_400_000, uid };
    await takeBackReport(reference, { by: "a test", reason: "a test" }, simulation.invocation());
    const { lines } = await all(simulation);
    expect(sumsOf(lines)).toMatchObject({ reports: 1, records: 2 });
    expect(sumsOf(lines)).toEqual(await ledgerSums(simulation));
  });

  it("are reported if they can no longer be read", async () => {
    const simulation = await simulationWith([reportMail("kept", records(2)), reportMail("gone", records(3))]);
    const [gone] = simulation.rows<{ raw_key: string }>("SELECT raw_key FROM reports WHERE report_id = 'gone'");
    await simulation.bucket.delete(gone?.raw_key ?? "");
    const { lines } = await all(simulation);
    expect(problemsOf(lines)).toEqual([`gone ${gone?.raw_key} is no longer in R2.`]);
    expect(sumsOf(lines)).toMatchObject({ reports: 2, records: 2 });
  });

  it("are reported if they do not add up to the ledger", async () => {
    const simulation = await simulationWith([reportMail("other", records(2))]);
    simulation.ledger.sqlite.prepare("UPDATE reports SET total = total + 1").run();
    expect(problemsOf((await all(simulation)).lines)).toEqual([
      "differs 2 records with 3 messages were read; the ledger has 2 with 4.",
    ]);
  });

  it("are counted for days without details", async () => {
    const simulation = await simulationWith([reportMail("one", records(2)), reportMail("two", records(2))]);
    await removeOldDetails(simulation.ledger, { beforeDay: 30_000, limit: 10, atOnce: 10 });
    const { lines } = await all(simulation);
    expect(problemsOf(lines)).toEqual([
      "not_kept 2 reports of account acme are older than details are kept: only sums are left.",
    ]);
  });
});

it("an export refuses an invalid day or cursor", async () => {
  const simulation = await simulationWith([]);
  const ask = (input: object) => exportRecords({ since: SINCE, ...input }, simulation.invocation());
  expect(await ask({ until: "2026-02-30" })).toMatchObject({ ok: false, error: { code: "bad_request" } });
  expect(await ask({ cursor: "[1]" })).toMatchObject({ ok: false, error: { code: "bad_request" } });
});
