/**
 * The parts of docs/ that are derived from the code: columns, statements, limits, stored shapes, the CLI's help. Each is
 * the text between `<!-- generated: NAME -->` and `<!-- end -->`. Builds text; scripts/docs.ts writes it.
 */
import { readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import { buildProgram } from "../cli/program.ts";
import { DATASETS } from "../shared/analytics/columns.ts";
import {
  domainsOfAddress,
  failingSources,
  failuresByDay,
  grafanaMessages,
  grafanaOutcomes,
  messagesByDay,
  outcomesByStep,
  sessionsByDay,
} from "../shared/analytics/statements.ts";
import { RECORD_COLUMNS } from "../shared/export/record-columns.ts";
import { ACCOUNT_TABLES, type FoundBy, OTHER_TABLES } from "../shared/ledger/account-tables.ts";
import * as limits from "../shared/limits.ts";
import { DEAD_LETTER_ADVICE } from "../shared/problem-advice.ts";
import { PROBLEM_MEANINGS } from "../shared/report/problems.ts";
import { RULE_ADVICE } from "../shared/watch/rule-advice.ts";
import { readConstants, readInterface } from "./doc-comments.ts";
import { grafanaDashboard } from "./grafana-dashboard.ts";
import { TABLE_MEANINGS } from "./ledger-tables.ts";
import { openApiText } from "./openapi.ts";

/** What the statements in documents are about. */
const LATELY = { writtenInLastDays: 30 };
const ACME = { domain: "acme.example" };

/** Name of a block → its text, without the markers. */
export const BLOCKS: Record<string, () => string> = {
  columns: columnTables,
  "query-messages": () => sql(messagesByDay(LATELY, ACME).sql),
  "query-sources": () => sql(failingSources(LATELY, ACME)),
  "query-address": () => sql(domainsOfAddress(LATELY, "192.0.2.1").sql),
  "query-sessions": () => sql(sessionsByDay(LATELY, ACME).sql),
  "query-failures": () => sql(failuresByDay(LATELY, ACME).sql),
  "query-outcomes": () => sql(outcomesByStep(LATELY, "day").sql),
  "grafana-messages": () => sql(grafanaMessages(ACME)),
  "grafana-outcomes": () => sql(grafanaOutcomes()),
  limits: limitTables,
  "record-columns": () =>
    table(
      ["Column", "Type", "Says"],
      RECORD_COLUMNS.map(({ name, type, description }) => [`\`${name}\``, type, description]),
    ),
  "raw-metadata": () => shapeTable("shared/storage.ts", "RawMetadata"),
  tables: () =>
    table(
      ["Table", "Holds"],
      Object.entries(TABLE_MEANINGS).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  job: () => shapeTable("shared/ledger/jobs.ts", "Job"),
  "dead-letter": () => shapeTable("shared/ledger/dead-letters.ts", "DeadLetterRow"),
  conflict: () => shapeTable("shared/ledger/conflicts.ts", "ConflictRow"),
  help: helpTexts,
  "problem-remedies": () =>
    table(
      ["Code", "Meaning", "Remedy"],
      Object.entries(PROBLEM_MEANINGS).map(([code, meaning]) => [`\`${code}\``, meaning, adviceOf(code)]),
    ),
  "rule-remedies": () =>
    table(
      ["Alert", "First look", "Remedy"],
      Object.entries(RULE_ADVICE).map(([code, { look, remedy }]) => [`\`${code}\``, look, remedy]),
    ),
  forgotten: () =>
    table(
      ["Table", "Rows found by"],
      [
        ...ACCOUNT_TABLES.map(({ table: name, by }) => [`\`${name}\``, foundBy(by)]),
        ...Object.entries(OTHER_TABLES).map(([name, how]) => [`\`${name}\``, how]),
      ],
    ),
};

/** Files that are derived whole → their text. */
export const DERIVED_FILES: Record<string, () => string> = {
  "docs/grafana/dashboard.json": () => `${JSON.stringify(grafanaDashboard(), undefined, 2)}\n`,
  "docs/messages-per-day.sql": () => `${messagesByDay(LATELY).sql}\n`,
  "docs/openapi.json": openApiText,
};

const MARKED = /<!-- generated: ([a-z-]+) -->\n[\s\S]*?<!-- end -->/g;

/** A document with every block as the code says it now. @throws Error for a block of an unknown name */
export function renderDocument(text: string): string {
  return text.replace(MARKED, (_whole, name: string) => {
    const build = BLOCKS[name];
    if (build === undefined) throw new Error(`There is no block '${name}'; see scripts/doc-blocks.ts.`);
    return `<!-- generated: ${name} -->\n\n${build()}\n\n<!-- end -->`;
  });
}

/** The names of the blocks in a document. */
export function blockNames(text: string): string[] {
  return [...text.matchAll(MARKED)].map((match) => match[1] ?? "");
}

function adviceOf(code: string): string {
  const advice = Object.entries(DEAD_LETTER_ADVICE).find(([name]) => name === code)?.[1];
  if (advice === undefined) throw new Error(`shared/problem-advice.ts has no words for ${code}.`);
  return advice;
}

function foundBy(by: FoundBy): string {
  if (typeof by !== "string")
    return "text" in by ? "a text that names an address or domain" : "a domain of the account";
  const words = {
    account: "account",
    accountOrAddress: "account, or address",
    address: "address",
    reading: "its report",
  };
  return words[by];
}

function columnTables(): string {
  return Object.values(DATASETS)
    .map(({ name, index, schema, columns }) => {
      const rows = Object.entries(columns).map(([column, { slot, meaning }]) => [
        `\`${slot}\``,
        `\`${column}\``,
        meaning,
      ]);
      return `### ${name}\n\nSchema version ${schema}; \`index1\` holds \`${index}\`, cut to 96 bytes.\n\n${table(["Slot", "Column", "Meaning"], rows)}`;
    })
    .join("\n\n");
}

function limitTables(): string {
  const documented = readConstants(readFileSync("shared/limits.ts", "utf8"));
  const groups = new Map<string, Record<string, number>>(Object.entries(limits));
  if (groups.size !== documented.size) throw new Error("shared/limits.ts holds a constant that its table cannot show.");
  return [...documented]
    .map(([group, { comment, fields }]) => {
      const rows = Object.entries(groups.get(group) ?? {}).map(([name, value]) => [
        `\`${name}\``,
        value.toLocaleString("en-US"),
        fields.get(name) ?? "",
      ]);
      return `### ${group}\n\n${comment}\n\n${table(["Limit", "Value", "Source and reason"], rows)}`;
    })
    .join("\n\n");
}

function shapeTable(file: string, name: string): string {
  const fields = readInterface(readFileSync(file, "utf8"), name);
  return table(
    ["Field", "Type", "Meaning"],
    fields.map(({ name, type, comment }) => [`\`${name}\``, `\`${type}\``, comment]),
  );
}

function helpTexts(): string {
  const sections: string[] = [];
  const pending: string[][] = [[]];
  const shown = new Map<string, string>();
  for (let words = pending.shift(); words !== undefined; words = pending.shift()) {
    const help = readHelp(words);
    const title = ["dmarc", ...words].join(" ");
    shown.set(words.join(" "), help);
    const group = words.length < 2 ? "" : (shown.get(words.slice(0, -1).join(" ")) ?? "");
    sections.push(`## ${title}\n\n\`\`\`text\n${shortHelp(help, group).trimEnd()}\n\`\`\``);
    pending.push(...subcommands(help).map((name) => [...words, name]));
  }
  const [first = "", ...others] = sections;
  return [first, stackOptions(shown.get("status") ?? ""), ...others].join("\n\n");
}

/** Lines of an option that finds the stack, or of --help; a long description goes on below. */
const COMMON_OPTION = /^ {2}(?:-h, )?--(?:url|token|profile|http|smtp|sql|state|help)\b.*\n(?: {6,}\S.*\n)*/gm;

/** The options that every command which talks to a stack has, said once. @param help of such a command */
function stackOptions(help: string): string {
  const lines = (help.match(COMMON_OPTION) ?? []).join("").trimEnd();
  return `## Options that find the stack\n\nWhere \`[stack]\` stands below, these are meant; \`dmarc send\` talks to the local stack alone.\n\n\`\`\`text\n${lines}\n\`\`\``;
}

// Common options are listed once, and the examples of a group with the group.
function shortHelp(help: string, group: string): string {
  const examples = /\nExamples:\n[\s\S]*$/.exec(help)?.[0] ?? "";
  const own = examples !== "" && group.includes(examples) ? help.replace(examples, "") : help;
  let isSaid = !/^ {2}--(?:url|state)\b/m.test(own);
  const text = own.replaceAll(COMMON_OPTION, () => {
    if (isSaid) return "";
    isSaid = true;
    return "  [stack]\n";
  });
  return text.replace(/\nOptions:\n(?=\n|$)/, "");
}

/** What `dmarc … --help` prints into a file: without colours, 80 columns wide. */
function readHelp(words: string[]): string {
  const program = buildProgram();
  let help = "";
  const listen = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        help += text;
      },
      getOutHelpWidth: () => 80,
      getOutHasColors: () => false,
    });
    for (const inner of command.commands) listen(inner);
  };
  listen(program);
  try {
    program.parse([...words, "--help"], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError && error.code === "commander.helpDisplayed")) throw error;
  }
  return help;
}

function subcommands(help: string): string[] {
  const listed = /^Commands:\n((?: .*\n|\n(?= {2}))*)/m.exec(help)?.[1] ?? "";
  return [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? "").filter((name) => name !== "help");
}

function sql(statement: string): string {
  return `\`\`\`sql\n${statement}\n\`\`\``;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
