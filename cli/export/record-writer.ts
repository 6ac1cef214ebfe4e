/** Writers of exported records, one a format, and the file or pipe they write to. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { stat, truncate } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { csvLine } from "../../shared/csv.ts";
import {
  isoTime,
  RECORD_COLUMNS,
  type RecordColumn,
  type RecordInReport,
  recordObject,
} from "../../shared/export/record-columns.ts";

/** Writes records in their order. Every method waits until what it wrote has been taken. */
export interface RecordWriter {
  write(records: readonly RecordInReport[]): Promise<void>;
  /** Everything so far is written. @returns bytes of the file, where it can be continued after them */
  flush(): Promise<number>;
  /** Nothing more comes. */
  finish(): Promise<void>;
}

/** Where text goes. */
export interface TextOutput {
  write(text: string): Promise<void>;
  flush(): Promise<number>;
  end(): Promise<void>;
}

/** Standard output. */
export function standardOutput(): TextOutput {
  let bytes = 0;
  return {
    async write(text) {
      bytes += Buffer.byteLength(text);
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
    },
    flush: async () => bytes,
    end: async () => undefined,
  };
}

/**
 * A file.
 *
 * @param keptBytes what is kept of a file that is there; undefined = there must be none
 * @throws what the file system throws, such as EEXIST
 */
export async function fileOutput(path: string, keptBytes: number | undefined): Promise<TextOutput> {
  if (keptBytes !== undefined) await cutOff(path, keptBytes);
  const stream = createWriteStream(path, { flags: keptBytes === undefined ? "wx" : "a" });
  await once(stream, "open");
  const before = keptBytes ?? 0;
  return {
    write: (text) => new Promise((done, fail) => stream.write(text, (error) => (error ? fail(error) : done()))),
    // Each write has waited for its end.
    flush: async () => before + stream.bytesWritten,
    async end() {
      stream.end();
      await finished(stream);
    },
  };
}

/** @throws Error where it is shorter: what was lost would become bytes of zero */
async function cutOff(path: string, keptBytes: number): Promise<void> {
  const { size } = await stat(path);
  if (size < keptBytes) throw new Error(`it has ${size} bytes, and ${keptBytes} had been written`);
  await truncate(path, keptBytes);
}

/** NDJSON: an object a line. */
export function ndjsonWriter(output: TextOutput): RecordWriter {
  return textWriter(output, (record) => `${JSON.stringify(recordObject(record))}\n`);
}

/** CSV (RFC 4180) with a line of column names, lists as JSON; a spreadsheet executes nothing of it (shared/csv.ts). */
export function csvWriter(output: TextOutput, { isContinued }: { isContinued: boolean }): RecordWriter {
  let head = isContinued ? "" : csvLine(RECORD_COLUMNS.map(({ name }) => name));
  const writer = textWriter(output, (record) => csvLine(RECORD_COLUMNS.map((column) => csvValue(column, record))));
  const writeHead = async (): Promise<void> => {
    if (head !== "") await output.write(head);
    head = "";
  };
  return {
    async write(records) {
      await writeHead();
      await writer.write(records);
    },
    flush: writer.flush,
    async finish() {
      await writeHead();
      await writer.finish();
    },
  };
}

function csvValue(column: RecordColumn, from: RecordInReport): string | number {
  switch (column.type) {
    case "timestamp":
      return isoTime(column.value(from));
    case "boolean":
      return column.value(from) ? "true" : "false";
    case "json":
      return JSON.stringify(column.value(from));
    default:
      return column.value(from);
  }
}

function textWriter(output: TextOutput, lineOf: (record: RecordInReport) => string): RecordWriter {
  return {
    write: (records) => output.write(records.map(lineOf).join("")),
    flush: () => output.flush(),
    finish: () => output.end(),
  };
}
