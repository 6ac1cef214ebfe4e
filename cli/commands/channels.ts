/** `dmarc channels`: where notices and digests are sent, and the outcome of each. */
import { Argument, type Command, Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { NOTIFY_LIMITS } from "../../shared/limits.ts";
import {
  CHANNEL_KINDS,
  type ChannelKind,
  DIGEST_INTERVALS,
  type DigestInterval,
  shownTarget,
} from "../../shared/notify/channel.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { accountOfChannel, onlyAccount } from "../domain-account.ts";
import { requireKnown } from "../known-names.ts";
import { readTimeZone } from "../option-values.ts";
import { JSON_DOCUMENT, subcommandsOf } from "../subcommands.ts";
import { noteLimit, printJson, printOut, renderMinute, renderPairs, renderTable, safeText } from "../terminal.ts";

interface ChannelOptions extends ConnectionOptions {
  account?: string;
  json?: true;
}
interface AddOptions extends ChannelOptions {
  name?: string;
  notices: boolean;
  digest: DigestInterval;
  timeZone: string;
}

const EXAMPLES = `
Examples:
  dmarc channels add email ann@example.com --digest weekly --time-zone Europe/Berlin
  dmarc channels add webhook https://alerts.example.com/dmarc                 prints the key it signs with; it is not shown again
  dmarc channels add slack https://hooks.slack.com/services/... --no-notices --digest daily
  dmarc channels list --account acme
  dmarc channels test 3f2a9c11d0e4b7a6
  dmarc channels confirm 3f2a9c11d0e4b7a6                                     for somebody who can't open the link
  dmarc channels remove 3f2a9c11d0e4b7a6
  dmarc channels deliveries                                                   what was sent, what failed and why

Notices are sent as they are made, at most one a domain and day; the rest is in the digest. --account "" is the pipeline itself.
Exit code: 0 done, 1 wrong use or failure.`;

/** Adds the command with its subcommands. */
export function addChannels(program: Command): void {
  const channels = program.command("channels").description("Where notices and digests are sent");
  channels.addHelpText("after", EXAMPLES);
  const account = new Option(
    "--account <name>",
    "whose (default: all, or the one that has the channel, or the only one)",
  );
  const subcommand = subcommandsOf(channels, EXAMPLES, [account, JSON_DOCUMENT]);
  subcommand("list", "Channels").action(list);
  subcommand("add", "Add a channel")
    .addArgument(new Argument("<kind>", "kind of channel").choices(CHANNEL_KINDS))
    .argument("<target>", "mail address or URL")
    .option("--name <name>", "its name; by default its address or host")
    .option("--no-notices", "only digests are sent")
    .addOption(
      new Option("--digest <interval>", "how often a digest is sent").choices(DIGEST_INTERVALS).default("none"),
    )
    .option("--time-zone <name>", "digests are sent at 8 in the morning in this zone", readTimeZone, "UTC")
    .action(add);
  subcommand("remove <id>", "Remove a channel and the list of its deliveries").action(remove);
  subcommand("test <id>", "Send a test").action(test);
  subcommand("confirm <id>", "Confirm a mail address on its owner's behalf").action(confirm);
  subcommand("deliveries", "The newest deliveries").action(deliveries);
}

async function list(options: ChannelOptions): Promise<void> {
  const { account } = options;
  const client = connect(options);
  const { items } = await client.ask("listChannels", { account });
  if (items.length === 0) await requireKnown(client, { account });
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut("No channels; add one with `dmarc channels add KIND TARGET`.");
  const rows = items.map((one) => [
    one.id,
    nameOf(one.account),
    one.kind,
    one.name,
    one.target,
    one.sendsNotices ? "yes" : "no",
    one.digest,
    one.confirmedSeconds === 0 ? "waiting for confirmation" : one.silentUntilSeconds > 0 ? "does not answer" : "in use",
  ]);
  printOut(renderTable(["id", "account", "kind", "name", "target", "notices", "digest", "state"], rows));
}

async function add(kind: ChannelKind, target: string, options: AddOptions): Promise<void> {
  const { name = shownTarget({ kind, target }), notices, digest, timeZone } = options;
  const client = connect(options);
  const account = await onlyAccount(client, options.account);
  const settings = { account, kind, name: name.slice(0, 80), target, sendsNotices: notices, digest, timeZone };
  const added = await client.ask("addChannel", settings);
  if (options.json) return printJson(added);
  printOut(renderPairs(pairsOf(added)));
  if (added.confirmedSeconds === 0) {
    printOut(`Nothing else is sent until its owner opens the link in the mail to ${safeText(added.target)}.`);
  }
  if (added.secret !== "")
    printOut("The secret is not shown again: deliveries are signed with it (docs/notifications.md).");
}

function pairsOf(added: Outputs["addChannel"]): [string, string][] {
  const { id, account, kind, name, target, sendsNotices, digest, timeZone, secret } = added;
  const secretPair: [string, string][] = secret === "" ? [] : [["secret", secret]];
  return [
    ["id", id],
    ["account", nameOf(account)],
    ["kind", kind],
    ["name", name],
    ["target", target],
    ["notices", sendsNotices ? "yes" : "no"],
    ["digest", digest === "none" ? "none" : `${digest}, at 8:00 ${timeZone}`],
    ...secretPair,
  ];
}

/** As on the page: "" is the pipeline itself. */
function nameOf(account: string): string {
  return account === "" ? "(pipeline)" : account;
}

async function askAbout<Name extends "removeChannel" | "testChannel" | "confirmChannel">(
  options: ChannelOptions,
  operation: Name,
  id: string,
): Promise<Outputs[Name]> {
  const client = connect(options);
  return client.ask(operation, { account: await accountOfChannel(client, id, options.account), id });
}

async function remove(id: string, options: ChannelOptions): Promise<void> {
  await askAbout(options, "removeChannel", id);
  if (options.json) printJson({ removed: id });
  else printOut(`Channel ${id} is removed.`);
}

async function test(id: string, options: ChannelOptions): Promise<void> {
  const sent = await askAbout(options, "testChannel", id);
  if (options.json) printJson(sent);
  else printOut("A test was sent; `dmarc channels deliveries` has its result.");
}

async function confirm(id: string, options: ChannelOptions): Promise<void> {
  const confirmed = await askAbout(options, "confirmChannel", id);
  if (options.json) printJson(confirmed);
  else printOut(`${confirmed.name} is confirmed.`);
}

async function deliveries(options: ChannelOptions): Promise<void> {
  const { account } = options;
  const client = connect(options);
  const { items } = await client.ask("listDeliveries", { account });
  noteLimit(items, NOTIFY_LIMITS.deliveriesShown, "the newest");
  if (items.length === 0) await requireKnown(client, { account });
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut("Nothing has been delivered yet.");
  const rows = items.map(({ createdSeconds, account, channel, kind, subject, state, attempts, result }) => [
    renderMinute(createdSeconds),
    nameOf(account),
    channel,
    kind,
    kind === "digest" ? subject : "",
    state,
    attempts,
    result,
  ]);
  printOut(renderTable(["created", "account", "channel", "kind", "day", "state", "attempts", "result"], rows));
}
