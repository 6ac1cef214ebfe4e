/** `dmarc send`: sends files to the running stack as mails, by SMTP. */
import type { Command } from "commander";
import type { Transporter } from "nodemailer";
import { CommandError } from "../command-error.ts";
import { addLocalOptions, type ConnectionOptions, smtpPort } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { isOfFileSystem, reasonOf } from "../file-errors.ts";
import { interruptible } from "../interrupt.ts";
import { buildMail, passedParts, walkFiles } from "../mail-files.ts";
import { readAddress } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { printError, printJson, printOut, renderPairs } from "../terminal.ts";

interface SendOptions extends ConnectionOptions {
  rua: string;
  json?: true;
}

/** The results of sending. */
interface SendCounts {
  delivered: number;
  /** Refused permanently: 550. */
  rejected: number;
  failed: number;
  /** Evidently not reports: files left out of folders, and parts of mails by kind. */
  passedOver: { files: number; parts: Record<string, number> };
}

/** Concurrent SMTP connections. */
const CONNECTIONS = 4;

const FORMAT = "{bar} {value}/{total} mails, {eta_formatted} left";

const EXAMPLES = `
Examples:
  dmarc send report.xml.gz                           one report, to dmarc@example.com
  dmarc send --rua reports@acme.example mails/       every file in a folder
  dmarc send --json mails/ | jq .delivered

A file that is a mail is sent as it is; anything else is attached to a mail.
Exit code: 0 all delivered, 1 some failed, 2 some were rejected (550).`;

/** Adds the command. */
export function addSend(program: Command): void {
  const command = program
    .command("send")
    .description("Send files to the running stack as mails")
    .argument("<path...>", "mails, reports, archives, or folders of them")
    .option("--rua <address>", "envelope recipient", readAddress, "dmarc@example.com")
    .option("--json", "one JSON document");
  addLocalOptions(command)
    .addHelpText("after", EXAMPLES)
    .action(async (paths: string[], options: SendOptions) => {
      const goOn = "Run the same command again: what arrived already counts once.";
      process.exitCode = await interruptible(goOn, () => sendPaths(paths, options));
    });
}

async function sendPaths(paths: string[], options: SendOptions): Promise<number> {
  const { files, leftOut } = await listFiles(paths);
  const port = smtpPort(options);
  const passedOver: SendCounts["passedOver"] = { files: leftOut.length, parts: {} };
  const counts: SendCounts = { delivered: 0, rejected: 0, failed: 0, passedOver };
  printLeftOut(leftOut);
  const progress = startProgress(FORMAT, { silent: options.json === true || files.length < 2 });
  let sent = 0;
  const transport = await openTransport(port);
  try {
    await checkServer(transport, port);
    const queue = files.values();
    const printed = new Set<string>();
    const sendAll = async (): Promise<void> => {
      for (const file of queue) {
        const { outcome, reply, passed } = await sendFile(transport, file, options.rua);
        for (const kind of passed) passedOver.parts[kind] = (passedOver.parts[kind] ?? 0) + 1;
        counts[outcome]++;
        // A rejection is usually about the address, and so the same for every file.
        if (reply !== "" && (outcome === "failed" || !printed.has(reply))) printError(`dmarc send: ${file}: ${reply}`);
        printed.add(reply);
        progress.update(++sent, files.length);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
  } finally {
    transport.close();
    progress.stop();
  }
  const { delivered, rejected, failed } = counts;
  if (options.json) printJson(counts);
  else printOut(renderPairs([...Object.entries({ delivered, rejected, failed }), ...passedPairs(passedOver)]));
  if (failed > 0) return exitCodes.failure;
  return rejected > 0 ? exitCodes.rejected : exitCodes.done;
}

/** Ours: names listed individually. */
const MAX_LISTED = 10;

function printLeftOut(leftOut: string[]): void {
  for (const path of leftOut.slice(0, MAX_LISTED))
    printError(`dmarc send: ${path}: passed over, a hidden file or a link`);
  if (leftOut.length > MAX_LISTED) printError(`dmarc send: ${leftOut.length - MAX_LISTED} more are passed over`);
}

function passedPairs({ files, parts }: SendCounts["passedOver"]): [string, unknown][] {
  const kinds = Object.entries(parts).map(([kind, count]) => `${kind.replaceAll("_", " ")} ${count}`);
  const all = [...(files > 0 ? [`hidden files and links ${files}`] : []), ...kinds];
  return all.length === 0 ? [] : [["passed over", all.join(", ")]];
}

async function listFiles(paths: string[]): Promise<{ files: string[]; leftOut: string[] }> {
  try {
    const files: string[] = [];
    const leftOut: string[] = [];
    for await (const file of walkFiles(paths, (path) => leftOut.push(path))) files.push(file);
    return { files, leftOut };
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    throw new CommandError(`${error.path ?? "A file"} can't be read: ${reasonOf(error)}.`);
  }
}

// Imported lazily, because it takes longer to load than everything else in the command.
async function openTransport(port: number): Promise<Transporter> {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    host: "127.0.0.1",
    port,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
    ignoreTLS: true,
  });
}

async function checkServer(transport: Transporter, port: number): Promise<void> {
  try {
    await transport.verify();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`No mail server answers on port ${port}: ${reason}. Is the stack running (npm start)?`);
  }
}

interface Sent {
  outcome: "delivered" | "rejected" | "failed";
  /** Kinds of parts that the stack passes over. */
  passed: string[];
  /** The server's reply or the error; "" when delivered. */
  reply: string;
}

async function sendFile(transport: Transporter, file: string, rua: string): Promise<Sent> {
  try {
    const mail = await buildMail(file, rua);
    await transport.sendMail(mail);
    return { outcome: "delivered", reply: "", passed: await passedParts(mail) };
  } catch (error) {
    const isRefused = error instanceof Error && "responseCode" in error && error.responseCode === 550;
    const reply = error instanceof Error ? error.message : String(error);
    return { outcome: isRefused ? "rejected" : "failed", reply, passed: [] };
  }
}
