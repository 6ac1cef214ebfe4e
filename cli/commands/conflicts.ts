/** `dmarc conflicts`: reports received again with different content, for a person to decide. */

import type { Command } from "commander";
import type { Conflict, ConflictVersion } from "../../shared/contract/incoming-shapes.ts";
import type { Inputs } from "../../shared/contract/operations.ts";
import { decodedWords } from "../../shared/mail/encoded-words.ts";
import { countText, messagesText } from "../../shared/watch/words.ts";
import { CommandError } from "../command-error.ts";
import { groupConflicts, groupRow } from "../conflict-groups.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderMinute, renderPairs, renderTable } from "../terminal.ts";

type Decision = Inputs["decideConflict"]["decision"];

interface ConflictOptions extends ConnectionOptions {
  json?: true;
}
interface ListOptions extends ConflictOptions {
  all?: true;
}
interface DecideOptions extends ConflictOptions {
  reason?: string;
}

/** The choices on the command line. */
const DECISIONS: Record<string, Decision> = { keep: "keep", replace: "replace", "count-both": "count_both" };

const EXAMPLES = `
Examples:
  dmarc conflicts list                                                   one line per reporter and domain
  dmarc conflicts list --all                                             each in full
  dmarc conflicts show 20261121-0123456789abcdef01234567                 one of them, and who sent each version
  dmarc conflicts decide 20261121-0123456789abcdef01234567 keep          the version accepted first stays
  dmarc conflicts decide 20261121-0123456789abcdef01234567 replace       the other version counts from now on
  dmarc conflicts decide 20261121-0123456789abcdef01234567 count-both    they are two reports, and both count
  dmarc conflicts accept 20261121-0123456789abcdef01234567               as replace
  dmarc conflicts discard 20261121-0123456789abcdef01234567              as keep

Until a conflict is decided the version accepted first counts. What is to count is read again, by a queue message. accept and
discard are the earlier words for replace and keep, for several conflicts at once.`;

/** Adds the command with its subcommands. */
export function addConflicts(program: Command): void {
  const group = program.command("conflicts").description("Reports that arrived again with different content");
  group.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(group, EXAMPLES);
  subcommand("list", "Undecided conflicts, oldest day first, one line per reporter and domain")
    .option("--all", "each conflict in full")
    .action(listConflicts);
  subcommand("show <id>", "One of them, with who sent each version").action(showConflict);
  subcommand("decide <id> <decision>", "keep, replace or count-both")
    .option("--reason <text>", "why; kept with the decision")
    .action((id: string, decision: string, options: DecideOptions) => decide([id], options, decision));
  subcommand("accept <id...>", "Use the later version instead of the one accepted first").action(
    (ids: string[], options: ConflictOptions) => decide(ids, options, "replace"),
  );
  subcommand("discard <id...>", "Keep the version accepted first").action((ids: string[], options: ConflictOptions) =>
    decide(ids, options, "keep"),
  );
}

async function listConflicts(options: ListOptions): Promise<void> {
  const conflicts: Conflict[] = [];
  for await (const conflict of connect(options).each("listConflicts", {})) conflicts.push(conflict);
  if (options.json) return printJson(conflicts);
  if (conflicts.length === 0) return printOut("There are no conflicts.");
  if (options.all) return printOut(conflicts.map(renderConflict).join("\n\n"));
  const groups = groupConflicts(conflicts);
  printOut(
    renderTable(["conflicts", "reporter", "about", "account", "first filed", "last filed", "id"], groups.map(groupRow)),
  );
  if (groups.length < conflicts.length) printOut("\nEach of them, with its id: dmarc conflicts list --all");
}

async function showConflict(id: string, options: ConflictOptions): Promise<void> {
  const conflict = await connect(options).ask("getConflict", { id });
  return options.json ? printJson(conflict) : printOut(renderConflict(conflict));
}

async function decide(ids: string[], options: DecideOptions, word: string): Promise<void> {
  const decision = Object.hasOwn(DECISIONS, word) ? DECISIONS[word] : undefined;
  if (decision === undefined) throw new CommandError(`'${word}' is not a decision; it is keep, replace or count-both.`);
  const client = connect(options);
  const decided: Conflict[] = [];
  for (const id of ids) {
    decided.push(await client.ask("decideConflict", { id, decision, reason: options.reason }));
    if (!options.json) printOut(decision === "keep" ? `${id}: discarded` : `${id}: enqueued`);
  }
  if (options.json) printJson(decided);
}

// Not a table: keys are long and have to be copied whole.
function renderConflict({ id, at, domain, reporter, reportId, account, accepted, other }: Conflict): string {
  return renderPairs([
    ["time", at],
    ["domain", domain],
    ["reporter", reporter],
    ["report id", reportId],
    ["account", account],
    ["accepted", renderVersion(accepted)],
    ...renderMail(accepted),
    ["other", renderVersion(other)],
    ...renderMail(other),
    ["id", id],
  ]);
}

function renderVersion({ records, messages, receivedSeconds, rawKey }: ConflictVersion): string {
  const received = renderMinute(receivedSeconds);
  return `${countText(records, "record")}, ${messagesText(messages)}, received ${received}, ${rawKey}`;
}

// According to the mail: a forger can write any From header, and the envelope sender, too, unless SPF was checked.
function renderMail({ mail }: ConflictVersion): [string, string][] {
  if (mail === undefined) return [["  mail", "not known: its file is no longer stored, or came before this was kept"]];
  const { sender, from, subject, messageId } = mail;
  return [
    ["  envelope sender", sender || "none"],
    ["  from", decodedWords(from) || "none"],
    ["  subject", decodedWords(subject) || "none"],
    ["  message id", messageId || "none"],
  ];
}
