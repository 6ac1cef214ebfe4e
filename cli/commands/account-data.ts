/** `dmarc accounts export` and `forget`: everything stored about an account, as files; and forgetting it. */
import type { Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { type Archive, openArchive } from "../archive.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { askLine, isAsking } from "../confirm.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { interruptible } from "../interrupt.ts";
import { startProgress } from "../progress.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderPairs } from "../terminal.ts";

interface ExportOptions extends ConnectionOptions {
  output: string;
  json?: true;
}
interface ForgetOptions extends ConnectionOptions {
  confirm?: string;
  json?: true;
}

const EXAMPLES = `
Examples:
  dmarc accounts export acme --output acme.zip
  dmarc accounts export acme --output acme/
  dmarc accounts forget acme
  dmarc accounts forget acme --confirm acme --json
  dmarc reprocess status                          how far it is

export writes the rows of every table (rows/TABLE.ndjson), each stored file as it came (raw/…) and an index; keys of
webhooks are left out. forget removes the account's addresses, stored files, figures, decisions, channels and people, and can't
be undone; the job searches everything once more after 20 minutes. Run again, it continues where it was. Analytics
Engine can't delete: it keeps points for three months. D1 can be restored to an earlier time for up to 30 days.`;

/** Adds both to `dmarc accounts`. */
export function addAccountData(accounts: Command): void {
  const subcommand = subcommandsOf(accounts, EXAMPLES);
  subcommand("export <account>", "Write all data of an account into a folder or a ZIP file")
    .requiredOption("--output <path>", "a new folder, or a file that ends in .zip")
    .action(exportAccount);
  subcommand("forget <account>", "Forget an account; can't be undone")
    .option("--confirm <account>", "repeat the account's name here instead of typing it when asked")
    .action(forgetAccount);
}

async function exportAccount(account: string, { output, json, ...options }: ExportOptions): Promise<void> {
  const client = connect(options);
  // Asked before anything is written, so that a wrong name leaves no files behind.
  const first = await client.ask("exportAccount", { account });
  const archive = openArchive(output);
  const goOn = `${output} is not complete: remove it, and run the command again.`;
  const written = await interruptible(goOn, () => writeParts(client, { account, first, archive }, json === true));
  archive.add("index.json", Buffer.from(`${JSON.stringify({ account, ...written }, null, 2)}\n`));
  archive.finish();
  if (json) return printJson({ account, output, ...written });
  printOut(
    renderPairs([
      ["account", account],
      ["written to", output],
      ["stored files", written.objects.length],
      ...Object.entries(written.rows).map(([table, count]): [string, unknown] => [`rows of ${table}`, count]),
    ]),
  );
}

type Part = Outputs["exportAccount"];

/** What an export has written. */
interface Written {
  /** Rows by table. */
  rows: Record<string, number>;
  objects: Part["objects"];
}

async function writeParts(
  client: ApiClient,
  { account, first, archive }: { account: string; first: Part; archive: Archive },
  silent: boolean,
): Promise<Written> {
  const progress = startProgress("{value} rows and files, {duration_formatted}", { silent });
  const files = new RowFiles(archive);
  const objects: Part["objects"] = [];
  const written: Written = { rows: {}, objects };
  try {
    for (let part: Part | undefined = first; part !== undefined; ) {
      for (const { table, row } of part.rows) {
        written.rows[table] = (written.rows[table] ?? 0) + 1;
        files.add(table, `${JSON.stringify(row)}\n`);
      }
      for (const object of part.objects) {
        archive.add(object.key, await readObject(client, object.key));
        objects.push(object);
      }
      const count = Object.values(written.rows).reduce((sum, rows) => sum + rows, objects.length);
      progress.update(count, count, {});
      part =
        part.cursor === undefined ? undefined : await client.ask("exportAccount", { account, cursor: part.cursor });
    }
  } finally {
    progress.stop();
  }
  files.flush();
  return written;
}

/** Ours: characters of rows held before they are written to a file. */
const MAX_FILE_CHARS = 16 * 1024 * 1024;

/** Rows of one table after the other, as files that are not too large to hold: TABLE.ndjson, TABLE-2.ndjson, … */
class RowFiles {
  readonly #archive: Archive;
  readonly #numbers = new Map<string, number>();
  #table = "";
  #lines: string[] = [];
  #chars = 0;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  add(table: string, line: string): void {
    if (table !== this.#table || this.#chars > MAX_FILE_CHARS) this.flush();
    this.#table = table;
    this.#lines.push(line);
    this.#chars += line.length;
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const number = (this.#numbers.get(this.#table) ?? 0) + 1;
    this.#numbers.set(this.#table, number);
    const suffix = number === 1 ? "" : `-${number}`;
    this.#archive.add(`rows/${this.#table}${suffix}.ndjson`, Buffer.from(this.#lines.join("")));
    this.#lines = [];
    this.#chars = 0;
  }
}

async function readObject(client: ApiClient, key: string): Promise<Uint8Array> {
  const found = await client.ask("readRawObject", { key });
  return new Uint8Array(await found.arrayBuffer());
}

async function forgetAccount(account: string, { confirm, json, ...options }: ForgetOptions): Promise<void> {
  const client = connect(options);
  const typed = confirm ?? (await askForName(client, account));
  if (typed !== account) throw new CommandError("That is not the account's name: nothing was forgotten.");
  const job = await client.ask("forgetAccount", { account, confirm: typed });
  if (json) return printJson(job);
  printOut(
    renderPairs([
      ["account", account],
      ["job", job.id],
      ["removed", job.removed],
    ]),
  );
  printOut(`
Its addresses no longer accept mail. The job removes all its data, and searches everything once more after 20 minutes.
Its progress: dmarc reprocess status ${job.id}
Analytics Engine keeps its points for three months and can't delete; backups of D1 (Time Travel) go back 30 days.`);
}

/** Says what is stored, and asks for the account's name. @throws CommandError when there is nobody to ask */
async function askForName(client: ApiClient, account: string): Promise<string> {
  if (!isAsking()) throw new CommandError("Forgetting can't be undone: add --confirm with the account's name.");
  const { items: addresses } = await client.ask("listRegistrations", {});
  const own = addresses.filter(({ entry }) => entry.account === account).length;
  const { reports } = await client.ask("stats", { account });
  const held = `${own.toLocaleString("en-US")} addresses and ${reports.toLocaleString("en-US")} aggregate reports`;
  const typed = await askLine(
    `The account ${account} has ${held}. All of it will be removed for good.\nType its name to continue: `,
  );
  return typed.trim();
}
