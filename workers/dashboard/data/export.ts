/** Rows as CSV and JSON, a piece at a time: an answer is sent while the rest of it is still to be written. Pure. */
import { csvLine } from "../../../shared/csv.ts";
import type { TableColumn } from "./table.ts";

/** CSV with a line of column keys, a line a piece. */
export function* csvPieces<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[]): Generator<string> {
  yield csvLine(columns.map(({ key }) => key));
  for (const row of rows) yield csvLine(columns.map(({ value }) => value(row)));
}

/** JSON: a list of objects by column key, an object a piece. */
export function* jsonPieces<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[]): Generator<string> {
  yield "[";
  let separator = "\n";
  for (const row of rows) {
    const item = Object.fromEntries(columns.map(({ key, value }) => [key, value(row)]));
    yield separator + JSON.stringify([item], null, 2).slice("[\n".length, -"\n]".length);
    separator = ",\n";
  }
  yield rows.length === 0 ? "]\n" : "\n]\n";
}

/** Ours: characters of one piece of an answer. */
const PIECE_CHARS = 64 * 1024;

/** Pieces of text as the body of an answer: written as it is read, a few lines in memory at a time. */
export function streamOf(pieces: Iterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      let text = "";
      let next = iterator.next();
      while (!next.done) {
        text += next.value;
        if (text.length >= PIECE_CHARS) break;
        next = iterator.next();
      }
      if (text !== "") controller.enqueue(encoder.encode(text));
      if (next.done) controller.close();
    },
  });
}
