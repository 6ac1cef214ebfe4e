/** The sample reports are what a reporter could have sent: the pipeline's own reader takes every one. */
import { describe, expect, test } from "vitest";
import { buildSamples, SAMPLE_RUA } from "../../local/samples.ts";
import { readReports } from "../../shared/report/read.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { AggregateRecord, AggregateReport } from "../../shared/report/vocabulary.ts";

const NOW = 1_795_300_000;
const DAY = 86_400;

async function readSample(raw: Buffer): Promise<{ report: AggregateReport; records: AggregateRecord[] }> {
  const records: AggregateRecord[] = [];
  for await (const event of readReports(bytesSource(new Uint8Array(raw)))) {
    if (event.type === "records") records.push(...event.records);
    else if (event.type === "report" && event.report.kind === "aggregate") return { report: event.report, records };
    else throw new Error(`unexpected ${JSON.stringify(event)}`);
  }
  throw new Error("no report");
}

async function readAll(): Promise<{ report: AggregateReport; records: AggregateRecord[] }[]> {
  const samples = await buildSamples(NOW);
  return await Promise.all(samples.map(({ raw }) => readSample(raw)));
}

describe("sample reports", () => {
  test("the same day gives the same mails, the next day others", async () => {
    const [first, again, next] = await Promise.all([
      buildSamples(NOW),
      buildSamples(NOW + 60),
      buildSamples(NOW + DAY),
    ]);
    expect(again).toEqual(first);
    expect(next[0]?.raw.equals(first[0]?.raw ?? Buffer.alloc(0))).toBe(false);
  });

  test("are read without a warning, each about one of the last ten days", async () => {
    const read = await readAll();
    expect(read).toHaveLength(14);
    for (const { report } of read) {
      expect(report.warnings).toEqual([]);
      expect(report.policy).toMatchObject({ domain: "example.com", p: "quarantine" });
      expect(report.metadata.beginSeconds).toBeGreaterThanOrEqual(NOW - 11 * DAY);
      expect(report.metadata.endSeconds).toBeLessThan(NOW);
    }
    expect(new Set(read.map(({ report }) => report.metadata.reportId)).size).toBe(14);
    expect(new Set(read.map(({ report }) => report.metadata.format))).toEqual(new Set(["rfc7489", "rfc9990"]));
  });

  test("show what a dashboard has to show: good mail, a forwarder, a list, an unknown source", async () => {
    const records = (await readAll()).flatMap(({ records: some }) => some);
    const messages = (wanted: (record: AggregateRecord) => boolean): number =>
      records.filter(wanted).reduce((sum, { count }) => sum + count, 0);
    const total = messages(() => true);
    const passed = messages(({ dkim, spf }) => dkim === "pass" || spf === "pass");
    expect(passed / total).toBeGreaterThan(0.8);
    expect(passed / total).toBeLessThan(0.99);
    for (const type of ["forwarded", "mailing_list"]) {
      expect(messages(({ reasons }) => reasons.some((reason) => reason.type === type))).toBeGreaterThan(0);
    }
    expect(messages(({ disposition }) => disposition === "quarantine")).toBeGreaterThan(0);
    expect(records.some(({ sourceIp }) => sourceIp.includes(":"))).toBe(true);
    expect(records.some(({ headerFrom }) => headerFrom === "news.example.com")).toBe(true);
  });

  test("go from each reporter to the demo address, in all three containers", async () => {
    const samples = await buildSamples(NOW);
    expect(new Set(samples.map(({ to }) => to))).toEqual(new Set([SAMPLE_RUA]));
    expect(new Set(samples.map(({ from }) => from)).size).toBe(6);
    const names = samples.map(({ raw }) => /filename=.*?\.(zip|xml\.gz|xml)"?\r\n/s.exec(raw.toString())?.[1]);
    expect(new Set(names)).toEqual(new Set(["zip", "xml.gz", "xml"]));
  });
});
