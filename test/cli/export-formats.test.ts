/** Random records as NDJSON, CSV and Parquet: each format, read by a reader of its own, has every record with every value. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parquetWriter } from "../../cli/export/parquet.ts";
import { csvWriter, fileOutput, ndjsonWriter, type RecordWriter } from "../../cli/export/record-writer.ts";
import { readCsv } from "../../shared/csv.ts";
import { RECORD_COLUMNS, type RecordInReport, recordObject } from "../../shared/export/record-columns.ts";
import fc from "../support/properties.ts";
import { reportModel } from "../support/report-model.ts";

let folder: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "export-formats-"));
});
afterAll(() => rm(folder, { recursive: true }));

// A reader of text takes a byte order mark at its begin for none of it.
const text = fc
  .oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("", "=1+1", "\t", "a;\r\n-1", '"', "'", "\u0000", "\u2028", "x\ufeff", "null", "1e5", "\u{1f600}"),
  )
  .map((one) => one.replace(/^\ufeff/, ""));
const records: fc.Arbitrary<RecordInReport[]> = fc
  .array(
    fc.record({
      model: reportModel(),
      said: fc.record({ reporter: text, reporterEmail: text, reportId: text, part: text }),
      count: fc.constantFrom(0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER),
      seconds: fc.constantFrom(0, 1_700_000_000, 253_402_300_799),
      senderState: fc.constantFrom("verified" as const, "unchecked" as const, "contradicted" as const),
    }),
    { maxLength: 4 },
  )
  .map((given) =>
    given.flatMap(({ model, said, count, seconds, senderState }, i) =>
      model.records.map(
        (record, ordinal): RecordInReport => ({
          ordinal,
          report: {
            type: "report",
            account: "acme",
            domain: model.policy.domain,
            day: "2026-11-20",
            uid: i.toString(16).padStart(32, "0"),
            generation: 1,
            ...said,
            beginSeconds: seconds,
            endSeconds: seconds,
            receivedSeconds: 1_763_600_000,
            senderState,
            senderDomain: "reporter.example",
            policy: model.policy,
            rua: "rua@acme.example",
            rawKey: `raw/${i}`,
            records: 1,
            messages: 1,
            passed: 1,
          },
          record: { ...record, count },
        }),
      ),
    ),
  );

async function written(kind: "ndjson" | "csv" | "parquet", given: readonly RecordInReport[]): Promise<string> {
  const path = join(folder, `${files++}.${kind}`);
  let writer: RecordWriter;
  if (kind === "parquet") writer = await parquetWriter(path);
  else {
    const output = await fileOutput(path, undefined);
    writer = kind === "csv" ? csvWriter(output, { isContinued: false }) : ndjsonWriter(output);
  }
  const half = Math.ceil(given.length / 2);
  await writer.write(given.slice(0, half));
  await writer.write(given.slice(half));
  await writer.finish();
  return path;
}

/** Values as NDJSON has them, as far as another format writes them in its own way. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Date ? value.toISOString().replace(".000Z", "Z") : value;
}

it("NDJSON, CSV and Parquet have the same", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(records, async (given) => {
      const expected: unknown[] = given.map((record) => JSON.parse(JSON.stringify(recordObject(record))));
      const lines = (await readFile(await written("ndjson", given), "utf8")).split("\n").slice(0, -1);
      expect(lines.map((line) => JSON.parse(line))).toEqual(expected);

      const [head, ...rows] = readCsv(await readFile(await written("csv", given), "utf8"));
      expect(head?.fields).toEqual(RECORD_COLUMNS.map(({ name }) => name));
      // What guards a formula is added; nothing else is changed.
      const unguarded = (one: unknown): string => String(one).replaceAll("'", "");
      const cells = given.map((record) => {
        const values = new Map<string, unknown>(Object.entries(JSON.parse(JSON.stringify(recordObject(record)))));
        return RECORD_COLUMNS.map(({ name, type }) => {
          const value = values.get(name);
          return unguarded(type === "json" ? JSON.stringify(value) : value);
        });
      });
      expect(rows.map(({ fields }) => fields.map(unguarded))).toEqual(cells);

      const file = await asyncBufferFromFile(await written("parquet", given));
      const read = (await parquetReadObjects({ file })).map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
      );
      expect(read).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});
