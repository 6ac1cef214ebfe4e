/** `dmarc import`: takes reports that came elsewhere or earlier, from files and folders. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { findFiles, measure } from "../import/find-files.ts";
import type { FileResult, ImportSettings } from "../import/import-page.ts";
import { type OutcomeCounts, waitForOutcomes } from "../import/outcomes.ts";
import { chosenAddresses } from "../import/owner.ts";
import { count, type ImportCounts, noCounts, runImport } from "../import/run-import.ts";
import { startProgress } from "../progress.ts";
import { printError, printJson, printOut, renderPairs, safeText } from "../terminal.ts";
import { WAIT_BOUNDS } from "../wait.ts";

/** The options of every kind of import. */
export interface ImportOptions extends ConnectionOptions {
  rua?: string;
  account?: string;
  authservId?: string;
  dryRun?: true;
  wait?: true;
  json?: true;
}

const FORMAT = "{bar} {percentage}%  {files} files, {taken} new, {eta_formatted} left";
const WAIT_FORMAT = "{bar} {value}/{total} processed, {eta_formatted} left";

const EXAMPLES = `
Examples:
  dmarc import reports/ archive.mbox Maildir/              files, folders, mailboxes
  dmarc import --dry-run reports/                          what would be taken, and for which address; sends nothing
  dmarc import --account acme --wait reports/              for an account, until all of it is processed
  dmarc import imap --host imap.example.com --user me      a mailbox; also gmail and graph
  dmarc import reports/ --json | jq .failed

A file may be a report (XML or JSON), an archive, a mail or a mailbox (mbox); a folder may be a Maildir. Each is read here
first, and what holds no report is not sent. It goes to the registered address that takes its domain, or that its mail was
sent to; --rua or --account say which where several do. What is sent is stored and queued as mail is, and counts once
however it came. Interrupted, it continues when it is run again: what was imported is known by its content.
Exit code: 0 all done, 1 something could not be read or sent, 2 for some files no account can be told.`;

/** Adds the command with its subcommands. */
export function addImport(program: Command): void {
  const command = program
    .command("import")
    .description("Import reports from files, folders and mailboxes")
    .addHelpText("after", EXAMPLES);
  const files = command
    .command("files", { isDefault: true })
    .description("Import files, folders, mbox files and Maildirs")
    .argument("<path...>", "reports, archives, mails, mailboxes, or folders of them");
  addImportOptions(files)
    .addHelpText("after", EXAMPLES)
    .action(async (paths: string[], options: ImportOptions) => {
      process.exitCode = await importPaths(paths, options);
    });
}

/** Adds the options of every kind of import. */
export function addImportOptions(command: Command): Command {
  command
    .option("--rua <address>", "registered address to import for")
    .option("--account <name>", "account to import for, where it cannot be told from a report")
    .option("--authserv-id <id>", "receiver whose Authentication-Results, on top of a mail, are believed")
    .option("--dry-run", "read everything and say what would be taken; send nothing")
    .option("--wait", "wait until all of it is processed, and say what became of it")
    .option("--json", "the counts as one JSON object");
  return addConnectionOptions(command);
}

/** The settings of an import. @throws CommandError when an address or account does not exist */
export async function settingsOf(options: ImportOptions): Promise<ImportSettings> {
  const client = connect(options);
  const { items } = await client.ask("listRegistrations", {});
  const chosen = chosenAddresses(items, options);
  if (!chosen.ok) throw new CommandError(chosen.error);
  return {
    client,
    chosen: chosen.value,
    authservId: options.authservId ?? "",
    isDryRun: options.dryRun === true,
    nowSeconds: Date.now() / 1000,
  };
}

async function importPaths(paths: string[], options: ImportOptions): Promise<number> {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new CommandError(`There is no file or folder '${safeText(missing, 500)}'.`);
  const settings = await settingsOf(options);
  const told = new ImportReport(options);
  const total = await measure(paths);
  const progress = startProgress(FORMAT, { silent: options.json === true || total.files < 2 });
  const onInterrupt = interruptible(() => progress.stop());
  let bytes = 0;
  const show = (): void => {
    const { files, taken, selected } = told.counts;
    progress.update(bytes, total.bytes, { files, taken: taken + selected });
  };
  try {
    const listener = {
      onPassedOver: (path: string) => told.passOver(path),
      onUnreadable: (path: string, reason: string) => told.unreadable(path, reason),
    };
    const files = findFiles(paths, listener, (read) => {
      bytes += read;
      show();
    });
    await runImport(files, settings, (results) => {
      for (const one of results) told.add(one);
      show();
    });
  } finally {
    progress.stop();
    onInterrupt.remove();
  }
  return told.end(settings, options);
}

/** Says on Ctrl-C that nothing is lost, and ends. */
export function interruptible(stop: () => void): { remove(): void } {
  const onInterrupt = (): void => {
    stop();
    printError("Interrupted. Run the same command again: it continues, and nothing counts twice.");
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  return { remove: () => void process.off("SIGINT", onInterrupt) };
}

/** Ours: files named individually, of each kind. */
const MAX_NAMED = 20;

/** Gathers and tells what became of the files of one import. */
export class ImportReport {
  readonly counts: ImportCounts = noCounts();
  #unreadable = 0;
  #passedOver = 0;
  readonly #named = new Map<string, number>();
  readonly #sha256s: string[] = [];
  readonly #isWaiting: boolean;

  constructor({ wait, dryRun }: ImportOptions) {
    this.#isWaiting = wait === true && dryRun !== true;
  }

  add(one: FileResult): void {
    count(this.counts, one);
    if (this.#isWaiting && (one.result === "taken" || one.result === "known")) this.#sha256s.push(one.sha256);
    if (one.result === "no_owner" || one.result === "failed") this.#name(one.result, one.file.origin, one.reason);
  }

  passOver(_path: string): void {
    this.#passedOver++;
  }

  unreadable(path: string, reason: string): void {
    this.#unreadable++;
    this.#name("unreadable", path, reason);
  }

  // Thousands of files usually have one reason.
  #name(kind: string, path: string, reason: string): void {
    const named = (this.#named.get(kind) ?? 0) + 1;
    this.#named.set(kind, named);
    if (named <= MAX_NAMED) printError(`dmarc import: ${path}: ${reason}`);
    else if (named === MAX_NAMED + 1) printError("dmarc import: further files of this kind are only counted");
  }

  /** Waits if asked to, prints the counts. @returns the exit code */
  async end(settings: ImportSettings, options: ImportOptions): Promise<number> {
    const outcomes = this.#isWaiting ? await this.#wait(settings, options) : undefined;
    const { counts } = this;
    const unreadable = this.#unreadable;
    const hiddenFiles = this.#passedOver;
    if (options.json)
      printJson({ ...counts, unreadable, hiddenFiles, ...(outcomes === undefined ? {} : { outcomes }) });
    else printOut(renderPairs(this.#pairs(settings, outcomes)));
    if (counts.failed > 0 || unreadable > 0) return exitCodes.failure;
    return counts.noOwner > 0 ? exitCodes.rejected : exitCodes.done;
  }

  async #wait({ client }: ImportSettings, options: ImportOptions): Promise<OutcomeCounts> {
    const sha256s = [...new Set(this.#sha256s)];
    const progress = startProgress(WAIT_FORMAT, { silent: options.json === true });
    try {
      const { stillSeconds } = WAIT_BOUNDS;
      const onDone = (done: number): void => progress.update(done, sha256s.length);
      return await waitForOutcomes(sha256s, client, { stillSeconds, onDone });
    } finally {
      progress.stop();
    }
  }

  #pairs({ isDryRun }: ImportSettings, outcomes: OutcomeCounts | undefined): [string, unknown][] {
    const { files, taken, selected, known, noReport, noOwner, failed, addresses } = this.counts;
    const all: [string, number][] = [
      ["imported before", known],
      ["without a report", noReport],
      ["no account found", noOwner],
      ["failed", failed],
      ["unreadable", this.#unreadable],
      ["hidden files and links", this.#passedOver],
    ];
    return [
      ["files", files],
      [isDryRun ? "would be taken" : "taken", taken + selected],
      ...Object.entries(addresses).map(([rua, number]): [string, unknown] => [`  for ${safeText(rua)}`, number]),
      ...all.filter(([, number]) => number > 0),
      ...Object.entries(outcomes ?? {}).map(([name, number]): [string, unknown] => [
        `now ${name.replaceAll("_", " ")}`,
        number,
      ]),
    ];
  }
}
