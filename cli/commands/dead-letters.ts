/** `dmarc dead-letters`: what could not become data, and why. */
import type { Command } from "commander";
import type { DeadLetter } from "../../shared/storage.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printJson, printOut, renderPairs } from "../terminal.ts";

interface ListOptions extends ConnectionOptions {
  json?: true;
}

const EXAMPLES = `
Examples:
  dmarc dead-letters list
  dmarc dead-letters list --json | jq 'group_by(.reason.code) | map({(.[0].reason.code): length}) | add'`;

/** Adds the command with its subcommands. */
export function addDeadLetters(program: Command): void {
  const group = program.command("dead-letters").description("What could not be read or processed, and why");
  group.addHelpText("after", EXAMPLES);
  const list = group.command("list").description("All of them, newest day first").option("--json", "JSON for programs");
  addConnectionOptions(list).addHelpText("after", EXAMPLES).action(listDeadLetters);
}

async function listDeadLetters(options: ListOptions): Promise<void> {
  const letters: DeadLetter[] = [];
  for await (const letter of connect(options).listDeadLetters()) letters.push(letter);
  if (options.json) return printJson(letters);
  if (letters.length === 0) return printOut("There are no dead letters.");
  printOut(letters.map(renderLetter).join("\n\n"));
}

// Not a table: keys are long and have to be copied whole.
function renderLetter({ id, reason, rawKey, part, at }: DeadLetter): string {
  const pairs: [string, unknown][] = [
    ["time", at],
    ["code", reason.code],
    ["reason", reason.message],
    ["raw key", rawKey],
  ];
  if (part) pairs.push(["part", part]);
  return renderPairs([...pairs, ["id", id]]);
}
