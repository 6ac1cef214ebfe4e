/** Parquet: typed columns, a row group at a time. The only importer of hyparquet-writer. */

import { type FileHandle, open } from "node:fs/promises";
import { ByteWriter, ParquetWriter, type SchemaElement, type Writer } from "hyparquet-writer";
import {
  RECORD_COLUMNS,
  RECORD_SCHEMA_VERSION,
  type RecordColumn,
  type RecordInReport,
} from "../../shared/export/record-columns.ts";
import { EXPORT_LIMITS } from "../../shared/limits.ts";
import type { RecordWriter } from "./record-writer.ts";

/** @throws what the file system throws: the file must not be there */
export async function parquetWriter(path: string): Promise<RecordWriter> {
  const file = await open(path, "wx");
  const bytes: ByteWriter & Writer = new ByteWriter();
  bytes.flush = () => writeTo(file, bytes);
  // The end of the file is written by `finish`, after which its last bytes are.
  bytes.finish = () => undefined;
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: SCHEMA,
    kvMetadata: [{ key: "dmarc.schemaVersion", value: String(RECORD_SCHEMA_VERSION) }],
    createdBy: "DMARC pipeline",
  });
  let rows: RecordInReport[] = [];
  const writeGroup = async (): Promise<void> => {
    if (rows.length === 0) return;
    await parquet.write({ columnData: columnsOf(rows), rowGroupSize: rows.length });
    rows = [];
  };
  return {
    async write(records) {
      for (const record of records) {
        rows.push(record);
        if (rows.length === EXPORT_LIMITS.parquetRows) await writeGroup();
      }
    },
    // Without its end the file cannot be read, so it cannot be continued either.
    flush: async () => bytes.offset,
    async finish() {
      await writeGroup();
      await parquet.finish();
      await writeTo(file, bytes);
      await file.close();
    },
  };
}

async function writeTo(file: FileHandle, bytes: ByteWriter): Promise<void> {
  await file.writeFile(new Uint8Array(bytes.buffer, 0, bytes.index));
  bytes.index = 0;
}

const SCHEMA: SchemaElement[] = [
  { name: "records", num_children: RECORD_COLUMNS.length },
  ...RECORD_COLUMNS.map(elementOf),
];

function elementOf({ name, type }: RecordColumn): SchemaElement {
  const column = { name, repetition_type: "REQUIRED" as const };
  switch (type) {
    case "int32":
      return { ...column, type: "INT32" };
    case "int64":
      return { ...column, type: "INT64" };
    case "boolean":
      return { ...column, type: "BOOLEAN" };
    case "timestamp":
      return {
        ...column,
        type: "INT64",
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      };
    case "json":
      return { ...column, type: "BYTE_ARRAY", converted_type: "JSON", logical_type: { type: "JSON" } };
    case "string":
      return { ...column, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
  }
}

function columnsOf(rows: readonly RecordInReport[]): { name: string; data: unknown[] }[] {
  return RECORD_COLUMNS.map((column) => ({ name: column.name, data: rows.map((row) => parquetValue(column, row)) }));
}

function parquetValue(column: RecordColumn, from: RecordInReport): unknown {
  switch (column.type) {
    case "int64":
      return BigInt(column.value(from));
    case "timestamp":
      return BigInt(column.value(from)) * 1000n;
    default:
      return column.value(from);
  }
}
