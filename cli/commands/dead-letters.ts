/** `dmarc dead-letters`: what could not become data, why, and what to do about it. */
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Command } from "commander";
import type { DeadLetter, DeadLetterDetails, DeadLetterResult } from "../../shared/contract/shapes.ts";
import type { DeadLetterFilter } from "../../shared/operations.ts";
import { type ApiClient, changeDeadLetters, type DeadLetterSelection } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { printError, printJson, printOut, renderPairs } from "../terminal.ts";

interface CommonOptions extends ConnectionOptions {
  json?: true;
}
type ListOptions = CommonOptions & DeadLetterFilter;
interface ShowOptions extends CommonOptions {
  save?: string;
}
interface ChangeOptions extends ListOptions {
  all?: true;
  dryRun?: true;
  yes?: true;
}

const FILTER_FIELDS = ["code", "domain", "account", "since", "until"] as const;

const EXAMPLES = `
Examples:
  dmarc dead-letters list --since 2026-11-01 --code foreign_domain
  dmarc dead-letters list --json | jq 'group_by(.reason.code) | map({(.[0].reason.code): length}) | add'
  dmarc dead-letters show 20261121-0123456789abcdef01234567 --save report.xml.gz
  dmarc dead-letters requeue 20261121-0123456789abcdef01234567
  dmarc dead-letters requeue --code retries_exhausted --dry-run
  dmarc dead-letters discard --code empty --until 2026-10-31 --yes

A letter that is sent again stays until its message succeeds. Discarding removes the letter; the mail's file stays in R2.
Exit code: 0 done, 1 wrong use or failure, 2 some letters were refused.`;

/** Adds the command with its subcommands. */
export function addDeadLetters(program: Command): void {
  const group = program.command("dead-letters").description("What could not be read or processed, and why");
  group.addHelpText("after", EXAMPLES);
  finish(addFilter(add(group, "list", "The letters, oldest day first"))).action(printDeadLetters);
  finish(
    add(group, "show <id>", "One letter: reason, message, and the file it is about").option(
      "--save <file>",
      "write the file as it came to this path",
    ),
  ).action(showDeadLetter);
  finish(addSelection(add(group, "requeue [id...]", "Send the letters' messages again"))).action(
    requeueFromCommandLine,
  );
  finish(addSelection(add(group, "discard [id...]", "Remove the letters")).option("--yes", "do not ask")).action(
    discardFromCommandLine,
  );
}

function add(group: Command, nameAndArguments: string, description: string): Command {
  return group.command(nameAndArguments).description(description).option("--json", "JSON for programs");
}

// What all commands have stands last.
function finish(command: Command): Command {
  return addConnectionOptions(command).addHelpText("after", EXAMPLES);
}

function addFilter(command: Command): Command {
  return command
    .option("--code <code>", "only with this reason")
    .option("--domain <domain>", "only about this policy domain", readDomain)
    .option("--account <name>", "only of this account")
    .option("--since <day>", "only of mail that arrived on this day or later (YYYY-MM-DD, UTC)")
    .option("--until <day>", "only of mail that arrived on this day or earlier");
}

function addSelection(command: Command): Command {
  return addFilter(command)
    .option("--all", "all letters")
    .option("--dry-run", "tell what would be done, and do nothing");
}

async function printDeadLetters(options: ListOptions): Promise<void> {
  const letters: DeadLetter[] = [];
  for await (const letter of connect(options).each("listDeadLetters", filterOf(options))) letters.push(letter);
  if (options.json) return printJson(letters);
  if (letters.length === 0) return printOut("There are no dead letters.");
  printOut(letters.map((letter) => renderPairs(deadLetterPairs(letter))).join("\n\n"));
}

async function showDeadLetter(id: string, options: ShowOptions): Promise<void> {
  const client = connect(options);
  const details = await client.ask("getDeadLetter", { id });
  if (options.save !== undefined) await saveRaw(client, details, options.save);
  if (options.json) return printJson(details);
  printOut(renderDetails(details));
  if (options.save !== undefined) printOut(`\nsaved to ${options.save}`);
}

function renderDetails({ letter, raw }: DeadLetterDetails): string {
  const { stage, attempts, account, rua, generation, receivedSeconds, lastError, message } = letter;
  const pairs: [string, unknown][] = [
    ...deadLetterPairs(letter),
    ["stage", `${stage}, attempt ${attempts}, generation ${generation}`],
    ["received", new Date(receivedSeconds * 1000).toISOString()],
  ];
  if (account) pairs.push(["account", account]);
  if (rua) pairs.push(["address", rua]);
  if (lastError !== undefined) pairs.push(["last error", lastError]);
  if (raw === undefined) pairs.push(["file", "not in R2"]);
  else {
    const { fileName, mimeType, sender } = raw.metadata;
    pairs.push(["file", fileName], ["labelled", mimeType], ["bytes", raw.sizeBytes], ["stored", raw.storedAt]);
    pairs.push(["mail from", sender]);
  }
  return renderPairs([...pairs, ["message", message]]);
}

// wx: what is there already is never overwritten.
async function saveRaw(client: ApiClient, { raw, letter }: DeadLetterDetails, path: string): Promise<void> {
  if (raw === undefined) throw new CommandError(`The file of dead letter ${letter.id} is not in R2.`);
  const { body } = await client.ask("readRawObject", { key: raw.key });
  try {
    await pipeline(
      body === null ? [] : Readable.fromWeb(body as ReadableStream<Uint8Array>),
      createWriteStream(path, { flags: "wx" }),
    );
  } catch (error) {
    throw new CommandError(`${path} was not written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function requeueFromCommandLine(ids: string[], options: ChangeOptions): Promise<void> {
  const selection = selectionOf(ids, options);
  await report(changeDeadLetters(connect(options), "requeueDeadLetters", selection), options);
}

async function discardFromCommandLine(ids: string[], options: ChangeOptions): Promise<void> {
  const client = connect(options);
  const selection = selectionOf(ids, options);
  if (!options.dryRun && !options.yes) await confirmDiscard(client, selection);
  await report(changeDeadLetters(client, "discardDeadLetters", selection), options);
}

/** Asks the person at the terminal. @throws CommandError when there is nobody to ask, or the answer is no */
async function confirmDiscard(client: ApiClient, selection: DeadLetterSelection): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CommandError("Discarding cannot be undone: add --yes (or see with --dry-run what would go).");
  }
  let count = selection.ids?.length ?? 0;
  if (selection.ids === undefined) {
    for await (const _ of changeDeadLetters(client, "discardDeadLetters", { ...selection, dryRun: true })) count++;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Discard ${count} dead ${count === 1 ? "letter" : "letters"}? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError("Nothing was discarded.");
}

// Nothing given must not mean everything.
function selectionOf(ids: string[], options: ChangeOptions): DeadLetterSelection {
  const filter = filterOf(options);
  const isFiltered = Object.keys(filter).length > 0;
  const ways = [ids.length > 0, isFiltered, options.all === true].filter(Boolean).length;
  if (ways === 0) throw new CommandError("Name letters by id, by a filter such as --code, or with --all.");
  if (ways > 1) throw new CommandError("Name letters either by id, by a filter, or with --all.");
  const dryRun = options.dryRun === true;
  return ids.length > 0 ? { ids, dryRun } : { filter, dryRun };
}

function filterOf(options: DeadLetterFilter): DeadLetterFilter {
  const given = FILTER_FIELDS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

async function report(results: AsyncIterable<DeadLetterResult>, { json }: CommonOptions): Promise<void> {
  const all: DeadLetterResult[] = [];
  const counts: Record<string, number> = {};
  for await (const each of results) {
    all.push(each);
    counts[each.result] = (counts[each.result] ?? 0) + 1;
    if (!json && each.result === "refused") printError(`dmarc: ${each.id}: ${each.reason ?? "refused"}`);
  }
  if (counts.refused !== undefined) process.exitCode = exitCodes.rejected;
  if (json) return printJson(all);
  printOut(all.length === 0 ? "No dead letter matches." : renderPairs(Object.entries(counts)));
}

// Not a table: keys are long and have to be copied whole.
function deadLetterPairs({ id, reason, rawKey, part, at, domain }: DeadLetter): [string, unknown][] {
  const pairs: [string, unknown][] = [
    ["time", at],
    ["code", reason.code],
    ["reason", reason.message],
    ["raw key", rawKey],
  ];
  if (part) pairs.push(["part", part]);
  if (domain) pairs.push(["domain", domain]);
  return [...pairs, ["id", id]];
}
