/** `dmarc import`: takes reports that came elsewhere or earlier, from files and folders. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions } from "../connection.ts";
import { findFiles, type LeftOut, measure } from "../import/find-files.ts";
import { IMPORT_CONTINUES, type ImportOptions, ImportReport, settingsOf } from "../import/report.ts";
import { runImport } from "../import/run-import.ts";
import { onInterrupt } from "../interrupt.ts";
import { readAddress } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { safeText } from "../terminal.ts";
import { addImportMailbox } from "./import-mailbox.ts";

const FORMAT = "{bar} {percentage}%  {files} files, {taken} new, {eta_formatted} left";

const EXAMPLES = `
Examples:
  dmarc import files reports/ --json
  dmarc import reports/ archive.mbox Maildir/              files, folders, mailboxes
  dmarc import --dry-run reports/                          what would be taken, and for which address; sends nothing
  dmarc import --account acme --wait reports/              for an account, until all of it is processed
  dmarc import imap --host imap.example.com --user me      a mailbox; also gmail and graph
  dmarc import reports/ --json | jq .failed

A file may be a report (XML or JSON), an archive, a mail or a mailbox (mbox); a folder may be a Maildir. Each is read here
first, and what holds no report is not sent. It goes to the registered address that takes its domain, or that its mail was
sent to; --rua or --account say which where several do. What is sent is stored and queued as mail is, and counts once
however it came. Interrupted, it continues when it is run again: what was imported is known by its content.
Exit code: 0 all done, 1 something couldn't be read or sent, 2 the account of some files is unknown.`;

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
  addImportMailbox(command, addImportOptions);
}

/** Adds the options of every kind of import. */
function addImportOptions(command: Command): Command {
  command
    .option("--rua <address>", "registered address to import for", readAddress)
    .option("--account <name>", "account to import for, if a report does not show it")
    .option("--authserv-id <id>", "receiver whose Authentication-Results at the top of a mail are trusted")
    .option("--dry-run", "read everything and show what would be imported; send nothing")
    .option("--wait", "wait until everything is processed, and show the outcomes")
    .option("--json", "the counts as one JSON object");
  return addConnectionOptions(command);
}

async function importPaths(paths: string[], options: ImportOptions): Promise<number> {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new CommandError(`There is no file or folder '${safeText(missing, 500)}'.`);
  const settings = await settingsOf(options);
  const summary = new ImportReport(options);
  const total = await measure(paths);
  const progress = startProgress(FORMAT, { silent: options.json === true || total.files < 2 });
  const interrupt = onInterrupt(IMPORT_CONTINUES);
  let bytes = 0;
  const show = (): void => {
    const { files, taken, selected } = summary.counts;
    progress.update(bytes, total.bytes, { files, taken: taken + selected });
  };
  try {
    const listener = {
      onPassedOver: (path: string, why: LeftOut) => summary.passOver(path, why),
      onUnreadable: (path: string, reason: string) => summary.unreadable(path, reason),
    };
    const files = findFiles(paths, listener, (read) => {
      bytes += read;
      show();
    });
    await runImport(files, settings, (results) => {
      for (const one of results) summary.add(one);
      show();
    });
  } finally {
    progress.stop();
    interrupt.remove();
  }
  return summary.end(settings, options);
}
