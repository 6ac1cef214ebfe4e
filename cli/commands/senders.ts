/** `dmarc senders`: who sends in a domain's name, those to decide about, and the decisions. */

import { Argument, type Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { messagesText } from "../../shared/watch/words.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { requireKnown } from "../known-names.ts";
import { readDay } from "../option-values.ts";
import { printJson, printOut, safeText } from "../terminal.ts";
import { addFind } from "./find-sender.ts";

interface ListOptions extends ConnectionOptions {
  undecided?: true;
  from?: string;
  to?: string;
  json?: true;
}

interface DecideOptions extends ConnectionOptions {
  account?: string;
  note?: string;
  json?: true;
}

type Sender = Outputs["senders"]["items"][number];

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 500;

/** As typed → as the API names them. */
const DECISIONS = { mine: "mine", "not-mine": "notMine", forwarder: "forwarder", undecided: "undecided" } as const;
type TypedDecision = keyof typeof DECISIONS;

const EXAMPLES = `
Examples:
  dmarc senders example.com                                  everybody who sent in the last 30 days
  dmarc senders list example.com --json                      the same for programs
  dmarc senders example.com --undecided                      those the verdict waits for, with suggestions
  dmarc senders find 192.0.2.7                               in whose names it sends, over all domains; for operators
  dmarc senders decide example.com helpdesk.example mine     a domain that signs or bounces the mail
  dmarc senders decide example.com 192.0.2.0/24 not-mine     an address, or a prefix of up to 65,536 addresses (IPv6: /32)
  dmarc senders decide example.com "service:Twilio SendGrid" mine --note "newsletter"
  dmarc senders undo example.com 192.0.2.0/24                the decision before holds again

Of several decisions about a sender the most specific holds: address, prefix, domain, service.
With --json one object a line: source, kind, service, role (own, forwarder, foreign, undecided), reason, messages, passed, hit,
firstSeen, lastSeen, decision, suggestion (source, decision, code, sentence; null: none).`;

/** Adds the command with its subcommands. */
export function addSenders(program: Command): void {
  const senders = program
    .command("senders")
    .description("Who sends in a domain's name, and your decisions about them")
    .addHelpText("after", EXAMPLES);
  const list = senders
    .command("list", { isDefault: true })
    .description("Senders of a domain, the largest first")
    .argument("<domain>", "policy domain", readDomain)
    .option("--undecided", "only those to decide about")
    .option("--from <day>", "first day of the period, YYYY-MM-DD (default: 30 days ago)", readDay)
    .option("--to <day>", "last day of the period, YYYY-MM-DD", readDay)
    .option("--json", "one JSON object a line");
  addConnectionOptions(list).addHelpText("after", EXAMPLES).action(printSenders);
  addFind(senders, EXAMPLES);
  const decide = subcommand(senders, "decide", "Decide whether a sender is yours")
    .addArgument(new Argument("<decision>", "whose it is").choices(Object.keys(DECISIONS)))
    .option("--note <text>", "why; kept with the decision");
  decide.action(decideOne);
  subcommand(senders, "undo", "Undo the last decision about a sender").action(undoOne);
}

function subcommand(senders: Command, name: string, description: string): Command {
  const command = senders
    .command(name)
    .description(description)
    .argument("<domain>", "policy domain", readDomain)
    .argument("<sender>", "address, prefix, domain, or service:NAME")
    .option("--account <name>", "account of the domain (default: the account with reports about it)")
    .option("--json", "the decision as one JSON object");
  return addConnectionOptions(command).addHelpText("after", EXAMPLES);
}

async function printSenders(domain: string, options: ListOptions): Promise<void> {
  const { from, to, undecided } = options;
  const client = connect(options);
  const { items, isComplete } = await client.ask("senders", { domain, from, to, undecided });
  if (items.length === 0) await requireKnown(client, { domain });
  if (options.json) {
    for (const sender of items) printJson(sender);
    return;
  }
  if (items.length === 0) printOut(undecided ? "No sender waits for a decision." : "No senders in this period.");
  for (const sender of items) printOut(renderSender(domain, sender));
  if (!isComplete) printOut("There are more: choose a shorter period with --from and --to.");
}

function renderSender(domain: string, sender: Sender): string {
  const { source, service, role, reason, messages, hit, firstSeen, decision, suggestion } = sender;
  const name = service === "" ? source : `${service} (${source})`;
  const count = (number: number): string => number.toLocaleString("en-US");
  const lines = [
    `${safeText(name, MAX_CHARS)}: ${role}`,
    `  ${messagesText(messages)} since ${firstSeen}, ${count(hit)} of them would be hit`,
    `  ${safeText(reason.sentence, MAX_CHARS)}`,
  ];
  if (decision !== null)
    lines.push(`  decided: ${safeText(decision.source, MAX_CHARS)} is ${typed(decision.decision)}`);
  if (suggestion !== null) {
    lines.push(`  ${safeText(suggestion.sentence, MAX_CHARS)}`);
    const source = quoted(safeText(suggestion.source, MAX_CHARS));
    lines.push(`  suggested: dmarc senders decide ${domain} ${source} ${typed(suggestion.decision)}`);
  }
  return lines.join("\n");
}

function typed(decision: string): string {
  return decision === "notMine" ? "not-mine" : decision;
}

function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `"${text}"`;
}

async function decideOne(
  domain: string,
  source: string,
  decision: TypedDecision,
  options: DecideOptions,
): Promise<void> {
  const client = connect(options);
  const account = await accountOf(client, domain, options);
  const { note } = options;
  printDecided(
    await client.ask("decideSender", { account, domain, source, decision: DECISIONS[decision], note }),
    options,
  );
}

async function undoOne(domain: string, source: string, options: DecideOptions): Promise<void> {
  const client = connect(options);
  const account = await accountOf(client, domain, options);
  printDecided(await client.ask("undoSenderDecision", { account, domain, source }), options);
}

async function accountOf(client: ApiClient, domain: string, { account }: DecideOptions): Promise<string> {
  if (account !== undefined) return account;
  const found = (await client.ask("senders", { domain, undecided: true })).account;
  if (found === null) throw new CommandError(`There are no reports about ${domain}: name its account with --account.`);
  return found;
}

function printDecided(decided: Outputs["decideSender"], { json }: DecideOptions): void {
  if (json) printJson(decided);
  else printOut(`${safeText(decided.source, MAX_CHARS)}: ${typed(decided.decision)} for ${decided.domain}`);
}
