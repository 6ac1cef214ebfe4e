/** Lists of accounts, domains and RUA addresses: the lines of a CSV file, and the possible results of a line. Pure. */
import * as v from "valibot";
import { readCsv } from "./csv.ts";
import { ACCOUNT_LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

/** A line as given; what it names is checked where it is imported. */
export const importLine = v.strictObject({
  /** In the file, from 1. */
  line: v.pipe(v.number(), v.integer(), v.minValue(1)),
  account: v.pipe(v.string(), v.maxLength(1000)),
  /** What the account is called; "" = nothing said. */
  name: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  domain: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  /** The address its reports go to; "" = one is made, or found. */
  rua: v.optional(v.pipe(v.string(), v.maxLength(1000))),
});

export type ImportLine = v.InferOutput<typeof importLine>;

/** new: it is made, or would be; exists: all of it is there; error: nothing of the line is done. */
export const IMPORT_RESULTS = ["new", "exists", "error"] as const;

const COLUMNS = ["account", "name", "domain", "rua"] as const;

/**
 * Reads a CSV file: its first line names the columns, in any order, of which only `account` has to be there.
 *
 * @returns the lines that are not empty, or what is wrong with the file
 */
export function readImportFile(text: string): Result<ImportLine[], string> {
  const [head, ...rows] = readCsv(text);
  if (head === undefined) return fail("The file is empty.");
  const names = head.fields.map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !(COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined || !names.includes("account")) {
    const found = unknown === undefined ? "" : ` '${unknown}' is none of them.`;
    return fail(`The first line has to name the columns: account, and any of name, domain and rua.${found}`);
  }
  const said = rows.filter(({ fields }) => fields.some((field) => field.trim() !== ""));
  if (said.length > ACCOUNT_LIMITS.importedLines) {
    return fail(`The file has ${said.length} lines; at most ${ACCOUNT_LIMITS.importedLines} are imported at once.`);
  }
  return ok(said.map(({ line, fields }) => lineOf(line, names, fields)));
}

function lineOf(line: number, names: readonly string[], fields: readonly string[]): ImportLine {
  const field = (name: string): string => fields[names.indexOf(name)]?.trim().slice(0, 1000) ?? "";
  return { line, account: field("account"), name: field("name"), domain: field("domain"), rua: field("rua") };
}

/** The parts of a list that one call takes. */
export function importChunks(lines: readonly ImportLine[]): ImportLine[][] {
  const { importedAtOnce } = ACCOUNT_LIMITS;
  return Array.from({ length: Math.ceil(lines.length / importedAtOnce) }, (_, i) =>
    lines.slice(i * importedAtOnce, (i + 1) * importedAtOnce),
  );
}
