/** `dmarc forward`: where accepted reports are forwarded to, and what waits (docs/forwarding.md). */
import { Argument, type Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { TARGET_KINDS, type TargetKind } from "../../shared/forward/target.ts";
import { shownTarget } from "../../shared/notify/channel.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { readGivenFile } from "../given-file.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderMinute, renderPairs, renderTable } from "../terminal.ts";

interface ForwardOptions extends ConnectionOptions {
  json?: true;
}
interface AddOptions extends ForwardOptions {
  account?: string;
  name?: string;
  records?: true;
  secretFile?: string;
  accessKeyId?: string;
  region: string;
}

const EXAMPLES = `
Examples:
  dmarc forward add http https://siem.example.com/dmarc --records      prints the key it signs with; it is not shown again
  DMARC_FORWARD_SECRET=token dmarc forward add splunk https://http-inputs-acme.splunkcloud.com --account acme
  dmarc forward add s3 https://ACCOUNT.r2.cloudflarestorage.com/lake/dmarc --access-key-id KEY --secret-file key.txt --records
  dmarc forward test 3f2a9c11d0e4b7a6
  dmarc forward list                                                   what was sent, what waits and why
  dmarc forward retry 3f2a9c11d0e4b7a6                                 what was given up, again
  dmarc forward remove 3f2a9c11d0e4b7a6

Each report is sent once it is accepted, within a minute or two, at least once and with a stable id. Secrets are taken from
DMARC_FORWARD_SECRET or a file, and never shown again.
Exit code: 0 done, 1 wrong use or failure, 2 the test was not accepted.`;

/** Adds the command with its subcommands. */
export function addForward(program: Command): void {
  const forward = program.command("forward").description("Where accepted reports are forwarded to");
  forward.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(forward, EXAMPLES);
  subcommand("list", "Targets, and what is waiting for each").action(list);
  subcommand("add", "Add a target")
    .addArgument(new Argument("<kind>", "kind of target").choices(TARGET_KINDS))
    .argument("<url>", "https URL: endpoint, HTTP Event Collector, or bucket with a prefix")
    .option("--account <name>", "only this account's reports; all accounts' unless given")
    .option("--name <name>", "its name; by default its host")
    .option("--records", "also the records of each report; only the reports unless given")
    .option("--secret-file <file>", "file with Splunk's token or S3's secret access key (or DMARC_FORWARD_SECRET)")
    .option("--access-key-id <id>", "S3: access key id")
    .option("--region <name>", "S3: region", "auto")
    .action(add);
  subcommand("test <id>", "Send a test now").action(test);
  subcommand("retry <id>", "Send again what was given up, and what is waiting").action(retry);
  subcommand("remove <id>", "Remove a target and what is waiting for it").action(remove);
}

type Target = Outputs["listForwards"]["items"][number];

async function list(options: ForwardOptions): Promise<void> {
  const { items } = await connect(options).ask("listForwards", {});
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut("No targets; add one with `dmarc forward add KIND URL`.");
  const rows = items.map((one) => [
    one.id,
    one.kind,
    one.name,
    one.account === "" ? "all" : one.account,
    one.withRecords ? "yes" : "no",
    one.sent,
    one.waiting,
    one.failed,
    stateOf(one),
  ]);
  printOut(renderTable(["id", "kind", "name", "account", "records", "sent", "waiting", "failed", "last"], rows));
}

function stateOf({ result, problem, failures, nextSeconds }: Target): string {
  if (failures > 0) return `${result} Next try ${renderMinute(nextSeconds)}.`;
  return problem === "" ? result : problem;
}

async function add(kind: TargetKind, url: string, options: AddOptions): Promise<void> {
  const { account = "", name = shownTarget({ kind: "webhook", target: url }), records, accessKeyId = "" } = options;
  const added = await connect(options).ask("addForward", {
    account,
    kind,
    name: name.slice(0, 80),
    url,
    secret: kind === "http" ? "" : await readSecret(options),
    accessKeyId,
    region: kind === "s3" ? options.region : "",
    withRecords: records === true,
  });
  if (options.json) return printJson(added);
  const secretPair: [string, string][] = added.secret === "" ? [] : [["secret", added.secret]];
  printOut(
    renderPairs([
      ["id", added.id],
      ["kind", added.kind],
      ["name", added.name],
      ["target", added.target],
      ["account", added.account === "" ? "all" : added.account],
      ["records", added.withRecords ? "yes" : "no"],
      ...secretPair,
    ]),
  );
  if (added.secret !== "") printOut("The secret is not shown again: requests are signed with it (docs/forwarding.md).");
}

async function readSecret({ secretFile }: AddOptions): Promise<string> {
  if (secretFile === undefined) return process.env.DMARC_FORWARD_SECRET ?? "";
  return (await readGivenFile(secretFile)).toString("utf8").trim();
}

async function test(id: string, options: ForwardOptions): Promise<void> {
  const tested = await connect(options).ask("testForward", { id });
  if (options.json) printJson(tested);
  else
    printOut(
      tested.isTaken ? `The test was accepted: ${tested.result}` : `The test was not accepted: ${tested.result}`,
    );
  if (!tested.isTaken) process.exitCode = exitCodes.rejected;
}

async function retry(id: string, options: ForwardOptions): Promise<void> {
  const retried = await connect(options).ask("retryForward", { id });
  if (options.json) printJson(retried);
  else printOut("Reports that were given up are waiting again; `dmarc forward list` shows the progress.");
}

async function remove(id: string, options: ForwardOptions): Promise<void> {
  await connect(options).ask("removeForward", { id });
  if (options.json) printJson({ removed: id });
  else printOut(`Target ${id} is removed.`);
}
