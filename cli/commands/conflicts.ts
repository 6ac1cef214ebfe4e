/** `dmarc conflicts`: reports that came again with other content, for a person to decide about. */
import type { Command } from "commander";
import type { Conflict, ReportVersion } from "../../shared/storage.ts";
import type { ApiClient } from "../client.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printJson, printOut, renderPairs } from "../terminal.ts";

interface ConflictOptions extends ConnectionOptions {
  json?: true;
}

const EXAMPLES = `
Examples:
  dmarc conflicts list
  dmarc conflicts accept 20261121-0123456789abcdef01234567     the later version counts from now on
  dmarc conflicts discard 20261121-0123456789abcdef01234567    the first version stays

Until a conflict is decided the version accepted first counts. Accepting goes through the queue.`;

/** Adds the command with its subcommands. */
export function addConflicts(program: Command): void {
  const group = program.command("conflicts").description("Reports that came again with other content");
  group.addHelpText("after", EXAMPLES);
  add(group, "list", "The undecided ones, oldest day first").action(listConflicts);
  add(group, "accept <id...>", "Take the later version instead of the one accepted first").action(
    (ids: string[], options: ConflictOptions) => decide(ids, options, "accept"),
  );
  add(group, "discard <id...>", "Keep the version accepted first").action((ids: string[], options: ConflictOptions) =>
    decide(ids, options, "discard"),
  );
}

function add(group: Command, nameAndArguments: string, description: string): Command {
  const command = group.command(nameAndArguments).description(description).option("--json", "JSON for programs");
  return addConnectionOptions(command).addHelpText("after", EXAMPLES);
}

async function listConflicts(options: ConflictOptions): Promise<void> {
  const conflicts: Conflict[] = [];
  for await (const conflict of connect(options).listConflicts()) conflicts.push(conflict);
  if (options.json) return printJson(conflicts);
  if (conflicts.length === 0) return printOut("There are no conflicts.");
  printOut(conflicts.map(renderConflict).join("\n\n"));
}

async function decide(ids: string[], options: ConflictOptions, decision: "accept" | "discard"): Promise<void> {
  const client: ApiClient = connect(options);
  const decided: Conflict[] = [];
  for (const id of ids) {
    decided.push(await (decision === "accept" ? client.acceptConflict(id) : client.discardConflict(id)));
    if (!options.json) printOut(decision === "accept" ? `${id}: enqueued` : `${id}: discarded`);
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
    ["other", renderVersion(other)],
    ["id", id],
  ]);
}

function renderVersion({ records, messages, receivedSeconds, rawKey }: ReportVersion): string {
  const received = new Date(receivedSeconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  return `${records} records, ${messages} messages, received ${received}, ${rawKey}`;
}
