/** `dmarc import imap|gmail|graph`: takes reports out of a mailbox on a server. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDay, SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { CommandError } from "../command-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { GMAIL } from "../import/gmail.ts";
import { GRAPH } from "../import/graph.ts";
import { listedMailbox, type MailServiceCommand } from "../import/listed-mailbox.ts";
import { importMailbox, type Mailbox } from "../import/mailbox.ts";
import { IMPORT_CONTINUES, type ImportOptions, ImportReport, settingsOf } from "../import/report.ts";
import { askSecret } from "../import/secret.ts";
import { noWatermark, openWatermark } from "../import/watermark.ts";
import { onInterrupt } from "../interrupt.ts";
import { numberBetween } from "../option-values.ts";
import { startProgress } from "../progress.ts";

/** Adds the options that every kind of import has. */
type AddOptions = (command: Command) => Command;

interface MailboxOptions extends ImportOptions {
  moveTo?: string;
  /** Seconds since 1970 UTC. */
  since?: number;
  all?: true;
}

interface ImapOptions extends MailboxOptions {
  host: string;
  port?: number;
  user: string;
  mailbox: string;
  security: "tls" | "starttls" | "none";
}

const FORMAT = "{bar} {value}/{total} mails, {taken} new, {eta_formatted} left";

const IMAP_EXAMPLES = `
Examples:
  dmarc import imap --host imap.example.com --user reports@example.com           asks for the password
  dmarc import imap --host imap.example.com --user me --mailbox DMARC --since 2026-01-01
  dmarc import imap --host imap.example.com --user me --move-to Imported         moves what the ledger has

The password is asked for, or taken from DMARC_IMAP_PASSWORD; an OAuth 2 access token from DMARC_IMAP_TOKEN. The mailbox is
opened read-only and nothing is marked as seen, unless --move-to is given. The next run continues behind the last mail.`;

/** Adds the subcommands. */
export function addImportMailbox(command: Command, addOptions: AddOptions): void {
  const imap = command
    .command("imap")
    .description("Import the mails of a mailbox by IMAP")
    .requiredOption("--host <name>", "IMAP server")
    .option("--port <number>", "its port (993, or 143 without TLS from the start)", numberBetween(1, 65_535))
    .requiredOption("--user <name>", "user name")
    .option("--mailbox <name>", "mailbox to read", "INBOX")
    .addOption(
      new Option("--security <kind>", "none: only for a server on this machine")
        .choices(["tls", "starttls", "none"])
        .default("tls"),
    );
  addMailboxOptions(imap, addOptions)
    .addHelpText("after", IMAP_EXAMPLES)
    .action((options: ImapOptions) => run(options, () => imapMailbox(options)));
  addService(command, GMAIL, addOptions);
  addService(command, GRAPH, addOptions);
}

function addService<Options extends object>(
  command: Command,
  { name, description, examples, addOptions, service }: MailServiceCommand<Options>,
  addCommonOptions: AddOptions,
): void {
  const subcommand = addOptions(command.command(name).description(description));
  addMailboxOptions(subcommand, addCommonOptions)
    .addHelpText("after", examples)
    .action((options: MailboxOptions & Options) =>
      run(options, async () => listedMailbox(service(options), options.since)),
    );
}

function addMailboxOptions(command: Command, addOptions: AddOptions): Command {
  command
    .option("--since <day>", "only mails that arrived on this day or later, YYYY-MM-DD", readSince)
    .option("--move-to <folder>", "move mails there once the ledger has what is in them")
    .option("--all", "read all mails again, not only those since the last run");
  return addOptions(command);
}

async function run(options: MailboxOptions, open: () => Promise<Mailbox>): Promise<void> {
  if (options.moveTo !== undefined && options.dryRun)
    throw new CommandError("A dry run moves nothing: leave out --move-to.");
  const settings = await settingsOf(options);
  const mailbox = await open();
  const summary = new ImportReport(options);
  const progress = startProgress(FORMAT, { silent: options.json === true });
  const interrupt = onInterrupt(IMPORT_CONTINUES);
  try {
    const addresses = settings.chosen.map(({ rua }) => rua);
    const identity = [mailbox.key, settings.client.url, String(options.since ?? ""), ...addresses];
    const kept = openWatermark(identity);
    await importMailbox(mailbox, settings, {
      moveTo: options.moveTo,
      watermark: options.all ? { ...noWatermark(), write: kept.write } : kept,
      onResults(results) {
        for (const one of results) summary.add(one);
        progress.update(summary.counts.files, mailbox.total, { taken: summary.counts.taken + summary.counts.selected });
      },
      onUnreadable: (origin, reason) => summary.unreadable(origin, reason),
    });
  } finally {
    progress.stop();
    interrupt.remove();
    await mailbox.close();
  }
  process.exitCode = (await summary.end(settings, options)) ?? exitCodes.done;
}

async function imapMailbox({ host, port, user, mailbox, security, since, moveTo }: ImapOptions): Promise<Mailbox> {
  if (security === "none" && !["localhost", "127.0.0.1", "::1"].includes(host)) {
    throw new CommandError(
      "Without TLS, others could read the password: --security none is for a server on this machine.",
    );
  }
  const accessToken = process.env.DMARC_IMAP_TOKEN;
  const password = process.env.DMARC_IMAP_PASSWORD;
  const secret = accessToken
    ? { accessToken }
    : { password: password || (await askSecret(`Password of ${user} at ${host}`, "DMARC_IMAP_PASSWORD")) };
  // Loaded late: of all commands only this one needs it.
  const { openImap } = await import("../import/imap.ts");
  return openImap({
    host,
    port: port ?? (security === "tls" ? 993 : 143),
    security,
    user,
    ...secret,
    mailbox,
    since: since === undefined ? undefined : new Date(since * 1000),
    isChanging: moveTo !== undefined,
  });
}

function readSince(text: string): number {
  const day = parseDay(text);
  if (day !== undefined) return day * SECONDS_PER_DAY;
  throw new InvalidArgumentError(`'${text}' is not a day: write it as YYYY-MM-DD.`);
}
