/** Reads the pages of an export from the API: lines of JSON as they arrive. It writes nothing. */
import type { Inputs } from "../../shared/contract/operations.ts";
import { type ExportEnd, type ExportLine, parseExportLine } from "../../shared/export/lines.ts";
import type { ApiClient } from "../client.ts";
import { CommandError, UnavailableError } from "../command-error.ts";

/**
 * The lines of one page, the end excepted.
 *
 * @returns the end
 * @throws CommandError when the page breaks off or is none
 */
export async function* readPage(
  client: ApiClient,
  input: Inputs["exportRecords"],
): AsyncGenerator<Exclude<ExportLine, ExportEnd>, ExportEnd> {
  const { body } = await client.ask("exportRecords", input);
  for await (const text of body === null ? [] : linesOf(body)) {
    const line = readLine(text);
    if (line.type === "end") return line;
    yield line;
  }
  throw new UnavailableError("The dashboard's answer ended in the middle.", { isThere: true });
}

function readLine(text: string): ExportLine {
  try {
    return parseExportLine(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`This version does not understand the dashboard's answer: ${reason}.`);
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(`The dashboard's answer ended in the middle: ${reason}.`, { isThere: true });
  }
  if (rest !== "") yield rest;
}
