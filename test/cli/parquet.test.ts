/** Parquet files of the export, read by the reader of another project (ClickHouse): empty, of several row groups, and with odd values. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "chdb";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parquetWriter } from "../../cli/export/parquet.ts";
import { RECORD_COLUMNS, type RecordInReport } from "../../shared/export/record-columns.ts";
import { EXPORT_LIMITS } from "../../shared/limits.ts";

let folder: string;
let clickhouse: Session;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parquet-"));
  clickhouse = new Session();
});
afterEach(async () => {
  clickhouse.cleanup();
  await rm(folder, { recursive: true });
});

function recordOf(ordinal: number, changes: Partial<RecordInReport["record"]> = {}): RecordInReport {
  return {
    ordinal,
    report: {
      type: "report",
      account: "acme",
      domain: "acme.example",
      day: "2026-11-20",
      uid: "0123456789abcdef0123456789abcdef",
      generation: 1,
      reporter: 'Bücher "GmbH", \u0000\n=1',
      reporterEmail: "",
      reportId: "id-1",
      beginSeconds: 0,
      endSeconds: 253_402_300_799,
      receivedSeconds: 1_763_600_000,
      senderState: "verified",
      senderDomain: "reporter.example",
      policy: { p: "none", sp: "none", np: "none", adkim: "r", aspf: "r", pct: 100, testing: false },
      rua: "rua@acme.example",
      rawKey: "raw/1",
      part: "report.xml",
      records: 1,
      messages: 1,
      passed: 1,
    },
    record: {
      sourceIp: "2001:db8::1",
      count: 1,
      disposition: "none",
      rawDisposition: "none",
      dkim: "pass",
      spf: "fail",
      headerFrom: "acme.example",
      envelopeFrom: "",
      envelopeTo: "",
      reasons: [],
      dkimResults: [],
      spfResults: [],
      ...changes,
    },
  };
}

async function written(records: readonly RecordInReport[]): Promise<string> {
  const path = join(folder, "records.parquet");
  const writer = await parquetWriter(path);
  for (let at = 0; at < records.length; at += 7000) await writer.write(records.slice(at, at + 7000));
  await writer.finish();
  return path;
}

function ask(sql: string): Record<string, unknown>[] {
  const { data } = JSON.parse(clickhouse.query(sql, "JSON"));
  return data;
}

it("an export without records has its columns and no row", async () => {
  const path = await written([]);
  expect(ask(`SELECT count() AS rows FROM file('${path}', Parquet)`)).toEqual([{ rows: expect.anything() }]);
  expect(Number(ask(`SELECT count() AS rows FROM file('${path}', Parquet)`)[0]?.rows)).toBe(0);
  const columns = ask(`DESCRIBE TABLE file('${path}', Parquet)`).map(({ name }) => name);
  expect(columns).toEqual(RECORD_COLUMNS.map(({ name }) => name));
});

it("several row groups have every record once, in order", async () => {
  const count = 2 * EXPORT_LIMITS.parquetRows + 1;
  const path = await written(Array.from({ length: count }, (_, ordinal) => recordOf(ordinal, { count: ordinal + 1 })));
  expect((await parquetMetadataAsync(await asyncBufferFromFile(path))).row_groups).toHaveLength(3);
  const [sums] = ask(
    `SELECT toString(count()) AS rows, toString(uniqExact(ordinal)) AS ordinals, toString(sum(messages)) AS total,
      toString(countIf(messages = ordinal + 1)) AS right FROM file('${path}', Parquet)`,
  );
  const total = String((count * (count + 1)) / 2);
  expect(sums).toEqual({ rows: String(count), ordinals: String(count), total, right: String(count) });
});

it("odd values arrive as they are: the largest counts, the end of time, texts with every sign", async () => {
  const largest = recordOf(0, {
    count: Number.MAX_SAFE_INTEGER,
    headerFrom: "a\u0000b",
  });
  const path = await written([largest]);
  const [row] = ask(
    `SELECT toString(messages) AS messages, hex(reporter) AS reporter, toString(toUnixTimestamp64Milli(endTime)) AS endTime,
      toString(toUnixTimestamp64Milli(beginTime)) AS beginTime, isPass FROM file('${path}', Parquet)`,
  );
  expect(row).toMatchObject({
    messages: String(Number.MAX_SAFE_INTEGER),
    reporter: Buffer.from(largest.report.reporter).toString("hex").toUpperCase(),
    endTime: "253402300799000",
    beginTime: "0",
    isPass: true,
  });
});
