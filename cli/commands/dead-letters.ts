/** `dmarc dead-letters`: files and messages that could not be processed, why, and what to do. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { type Command, Option } from "commander";
import type { DeadLetter, DeadLetterDetails, DeadLetterResult } from "../../shared/contract/incoming-shapes.ts";
import { decodedWords } from "../../shared/mail/encoded-words.ts";
import type { DeadLetterFilter } from "../../shared/operations.ts";
import { adviceOnDeadLetter } from "../../shared/problem-advice.ts";
import { PROBLEM_MEANINGS } from "../../shared/report/problems.ts";
import { type ApiClient, changeDeadLetters, type DeadLetterSelection } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { isAsking, isConfirmed } from "../confirm.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { reasonOfAny } from "../file-errors.ts";
import { interruptible } from "../interrupt.ts";
import { requireKnown } from "../known-names.ts";
import { readDay } from "../option-values.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printError, printJson, printOut, renderPairs, renderTable } from "../terminal.ts";

interface CommonOptions extends ConnectionOptions {
  json?: true;
}
type ListOptions = CommonOptions & DeadLetterFilter & { discarded?: true };
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
  dmarc dead-letters reasons             where to begin if there are many
  dmarc dead-letters list --since 2026-11-01 --code foreign_domain
  dmarc dead-letters show 20261121-0123456789abcdef01234567 --save report.xml.gz
  dmarc dead-letters requeue 20261121-0123456789abcdef01234567
  dmarc dead-letters requeue --code retries_exhausted --dry-run
  dmarc dead-letters discard --code empty --until 2026-10-31 --yes
  dmarc dead-letters list --discarded
  dmarc dead-letters restore 20261121-0123456789abcdef01234567

A dead letter queued for retry leaves the list once it succeeds. A discarded one is kept under --discarded: reprocessing
does not bring it back, restore reopens it, and its file stays in R2.
Exit code: 0 done, 1 wrong use or failure, 2 some couldn't be changed.`;

/** Adds the command with its subcommands. */
export function addDeadLetters(program: Command): void {
  const group = program.command("dead-letters").description("Reports that couldn't be processed, and why");
  group.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(group, EXAMPLES);
  addFilter(subcommand("list", "Open dead letters, oldest day first"))
    .option("--discarded", "discarded ones instead")
    .action(printDeadLetters);
  addScope(subcommand("reasons", "How many there are for each reason, and what to do about it"))
    .option("--discarded", "discarded ones instead")
    .action(printReasons);
  subcommand("show <id>", "One dead letter: reason, what to do, its mail and its file")
    .option("--save <file>", "save the file, as received, to this path")
    .action(showDeadLetter);
  addSelection(subcommand("requeue [id...]", "Retry them")).action(requeueFromCommandLine);
  addSelection(subcommand("restore [id...]", "Reopen discarded ones")).action(restoreFromCommandLine);
  addSelection(subcommand("discard [id...]", "Discard them"))
    .option("--yes", "do not ask")
    .action(discardFromCommandLine);
}

async function restoreFromCommandLine(ids: string[], options: ChangeOptions): Promise<void> {
  const selection = selectionOf(ids, options);
  await report(changeDeadLetters(connect(options), "restoreDeadLetters", selection), options);
}

// Common options come last.
function addFilter(command: Command): Command {
  return addScope(
    command.addOption(new Option("--code <code>", "only with this reason").choices(Object.keys(PROBLEM_MEANINGS))),
  );
}

function addScope(command: Command): Command {
  return command
    .option("--domain <domain>", "only about this policy domain", readDomain)
    .option("--account <name>", "only of this account")
    .option("--since <day>", "only from mail that arrived on this day or later (YYYY-MM-DD, UTC)", readDay)
    .option("--until <day>", "only from mail that arrived on this day or earlier", readDay);
}

function addSelection(command: Command): Command {
  return addFilter(command).option("--all", "all of them").option("--dry-run", "only show what would be done");
}

async function printDeadLetters(options: ListOptions): Promise<void> {
  const letters: DeadLetter[] = [];
  const filter = filterOf(options);
  const isDiscarded = options.discarded === true;
  const client = connect(options);
  for await (const letter of client.each("listDeadLetters", { ...filter, isDiscarded })) letters.push(letter);
  if (letters.length === 0) await requireKnown(client, options);
  if (options.json) return printJson(letters);
  if (letters.length === 0) return printOut(noneOf(options));
  printOut(letters.map((letter) => renderPairs(deadLetterPairs(letter))).join("\n\n"));
}

function noneOf(options: ListOptions): string {
  const name = options.discarded === true ? "discarded" : "open";
  return Object.keys(filterOf(options)).length > 0 ? `No ${name} dead letter matches.` : `No ${name} dead letters.`;
}

async function printReasons(options: ListOptions): Promise<void> {
  const client = connect(options);
  const isDiscarded = options.discarded === true;
  const { items } = await client.ask("deadLetterReasons", { ...filterOf(options), isDiscarded });
  if (items.length === 0) await requireKnown(client, options);
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut(noneOf(options));
  const rows = items.map(({ code, deadLetters }) => [code, deadLetters, adviceOnDeadLetter(code)]);
  printOut(renderTable(["reason", "dead letters", "what to do"], rows));
  if (!isDiscarded) printOut("Once the cause is gone: dmarc dead-letters requeue --code REASON, or discard.");
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
  const { stage, generation, receivedSeconds, lastError, message } = letter;
  const pairs: [string, unknown][] = [
    ...deadLetterPairs(letter),
    ["failed while", `${stage === "read" ? "reading it" : "waiting in the queue"}, generation ${generation}`],
    ["received", new Date(receivedSeconds * 1000).toISOString()],
  ];
  if (lastError !== undefined) pairs.push(["last error", lastError]);
  pairs.push(["stored", raw === undefined ? "not in R2" : `${raw.storedAt}, ${raw.sizeBytes} bytes`]);
  return renderPairs([...pairs, ["message", message]]);
}

// wx: never overwrite an existing file.
async function saveRaw(client: ApiClient, { raw, letter }: DeadLetterDetails, path: string): Promise<void> {
  if (raw === undefined) throw new CommandError(`The file of dead letter ${letter.id} is not in R2.`);
  const { body } = await client.ask("readRawObject", { key: raw.key });
  try {
    await pipeline(
      body === null ? [] : Readable.fromWeb(body as ReadableStream<Uint8Array>),
      createWriteStream(path, { flags: "wx" }),
    );
  } catch (error) {
    throw new CommandError(`${path} was not written: ${reasonOfAny(error)}.`);
  }
}

async function requeueFromCommandLine(ids: string[], options: ChangeOptions): Promise<void> {
  const selection = selectionOf(ids, options);
  await reportAll(changeDeadLetters(connect(options), "requeueDeadLetters", selection), options);
}

async function discardFromCommandLine(ids: string[], options: ChangeOptions): Promise<void> {
  const client = connect(options);
  const selection = selectionOf(ids, options);
  if (!options.dryRun && !options.yes) await confirmDiscard(client, selection);
  await reportAll(changeDeadLetters(client, "discardDeadLetters", selection), options);
}

/** Asks the person at the terminal. @throws CommandError when there is nobody to ask, or the answer is no */
async function confirmDiscard(client: ApiClient, selection: DeadLetterSelection): Promise<void> {
  if (!isAsking()) {
    throw new CommandError("Add --yes to discard without being asked (or see with --dry-run what would go).");
  }
  let count = selection.ids?.length ?? 0;
  if (selection.ids === undefined) {
    for await (const _ of changeDeadLetters(client, "discardDeadLetters", { ...selection, dryRun: true })) count++;
  }
  const question = `Discard ${count} dead ${count === 1 ? "letter" : "letters"}?`;
  if (!(await isConfirmed(question))) throw new CommandError("Nothing was discarded.");
}

// No filter must not mean everything.
function selectionOf(ids: string[], options: ChangeOptions): DeadLetterSelection {
  const filter = filterOf(options);
  const isFiltered = Object.keys(filter).length > 0;
  const ways = [ids.length > 0, isFiltered, options.all === true].filter(Boolean).length;
  if (ways === 0) throw new CommandError("Choose dead letters by id, by a filter such as --code, or with --all.");
  if (ways > 1) throw new CommandError("Choose dead letters by id, or by a filter, or with --all.");
  const dryRun = options.dryRun === true;
  return ids.length > 0 ? { ids, dryRun } : { filter, dryRun };
}

function filterOf(options: DeadLetterFilter): DeadLetterFilter {
  const given = FILTER_FIELDS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function reportAll(results: AsyncIterable<DeadLetterResult>, options: CommonOptions): Promise<void> {
  return interruptible("Run the same command again for the rest.", () => report(results, options));
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
function deadLetterPairs(letter: DeadLetter): [string, unknown][] {
  const { id, reason, advice, rawKey, part, at, domain, isDomainGuessed, discarded } = letter;
  const pairs: [string, unknown][] = [
    ["failed at", at],
    ["code", reason.code],
    ["reason", reason.message],
    ["what to do", advice],
  ];
  if (discarded !== undefined) pairs.push(["discarded", `${discarded.at} by ${discarded.by}`]);
  pairs.push(["raw key", rawKey], ...factsOf(letter));
  if (part) pairs.push(["part", part]);
  if (domain) pairs.push(["domain", isDomainGuessed ? `${domain} (from its file name)` : domain]);
  return [...pairs, ["attempts", letter.attempts], ["id", id]];
}

/** The recipient, the sender and the file. */
function factsOf({ account, rua, mail, file }: DeadLetter): [string, unknown][] {
  const facts: [string, unknown][] = [];
  if (rua) facts.push(["RUA address", rua]);
  if (account) facts.push(["account", account]);
  if (mail !== undefined) {
    facts.push(["envelope sender", mail.sender], ["from", decodedWords(mail.from)]);
    facts.push(["subject", decodedWords(mail.subject)]);
    facts.push(["message-id", mail.messageId]);
  }
  if (file === undefined) return facts;
  facts.push(["file", file.name], ["declared as", file.mimeType]);
  if (file.format !== undefined) facts.push(["recognized as", file.format]);
  if (file.sizeBytes !== undefined) facts.push(["bytes", file.sizeBytes]);
  return facts;
}
