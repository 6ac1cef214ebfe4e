/** `dmarc watch`: incidents of the domains, the round that finds them, and what is muted. */

import type { Command } from "commander";
import { Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { RULE_CODES, type RuleCode } from "../../shared/watch/finding.ts";
import { countText } from "../../shared/watch/words.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { accountOfDomain } from "../domain-account.ts";
import { readDomain } from "../domain-option.ts";
import { interruptible } from "../interrupt.ts";
import { requireKnown } from "../known-names.ts";
import { numberBetween } from "../option-values.ts";
import { JSON_LINES, subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderMinute, safeText } from "../terminal.ts";

interface WatchOptions extends ConnectionOptions {
  json?: true;
}

interface ListOptions extends WatchOptions {
  account?: string;
  domain?: string;
  resolved?: true;
  notices?: true;
  mutes?: true;
}

interface MuteOptions extends WatchOptions {
  account?: string;
  domain?: string;
  rule?: RuleCode;
  subject?: string;
  days?: number;
  note?: string;
}

type Incident = Outputs["listIncidents"]["items"][number];
type Notice = Outputs["listNotices"]["items"][number];
type Mute = Outputs["listMutes"]["items"][number];

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 500;
/** Ours: runs of one command; each does as much as a minute of cron. */
const MAX_RUNS = 1000;

const EXAMPLES = `
Examples:
  dmarc watch run                                    looks at every domain now
  dmarc watch list                                   open incidents, the most severe first
  dmarc watch list --domain example.com --resolved   those of one domain that are over
  dmarc watch list --notices --json                  what was told, one JSON object a line
  dmarc watch mute --rule spoofingRises              no more about spoofing, in the whole account
  dmarc watch mute --domain example.com --subject sendgrid.net --days 14 --note "being fixed"
  dmarc watch list --mutes
  dmarc watch unmute --rule spoofingRises

Rules: ${RULE_CODES.join(", ")}.`;

/** Adds the command with its subcommands. */
export function addWatch(program: Command): void {
  const watch = program.command("watch").description("Incidents of domains: find them, list them, mute them");
  watch.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(watch, EXAMPLES, [JSON_LINES]);
  subcommand("run", "Check every domain now").action(runAll);
  subcommand("list", "Incidents, notices or mutes")
    .option("--account <name>", "of this account only")
    .option("--domain <domain>", "of this domain only", readDomain)
    .option("--resolved", "resolved ones")
    .option("--notices", "their notices")
    .option("--mutes", "what is muted")
    .action(list);
  named(subcommand("mute", "Mute a rule, a domain, a sender, or a combination of them"))
    .option("--days <days>", "for this many days (default: for good)", numberBetween(1, 3650))
    .option("--note <text>", "why")
    .action(mute);
  named(subcommand("unmute", "Remove a mute")).action(unmute);
}

function named(command: Command): Command {
  return command
    .option("--account <name>", "whose (default: the account that has the domain, or default)")
    .option("--domain <domain>", "default: all domains", readDomain)
    .addOption(new Option("--rule <rule>", "default: all rules").choices(RULE_CODES))
    .option("--subject <text>", "a sender, a reporter or another subject of incidents");
}

function runAll(options: WatchOptions): Promise<void> {
  return interruptible("What was found is kept. Run it again for the rest, or leave that to cron.", () =>
    runEach(options),
  );
}

async function runEach({ json, ...connection }: WatchOptions): Promise<void> {
  const client = connect(connection);
  const total = { domains: 0, computed: 0, skipped: 0 };
  let database: number | undefined;
  let isDone = false;
  for (let i = 0; i < MAX_RUNS && !isDone; i++) {
    const done = await client.ask("runWatch", { database });
    total.domains += done.domains;
    total.computed += done.computed;
    total.skipped += done.skipped;
    database = done.next ?? database;
    isDone = done.isDone && done.next === undefined;
  }
  if (json) printJson(total);
  else printOut(`${countText(total.domains, "domain")} checked; ${total.computed} had something new.`);
  if (!isDone) throw new CommandError(`More are left after ${MAX_RUNS} runs; cron goes on with them every minute.`);
}

async function list(options: ListOptions): Promise<void> {
  const { account, domain, resolved, notices, mutes, json } = options;
  const client = connect(options);
  const print = async <T>(items: readonly T[], render: (item: T) => string, none: string): Promise<void> => {
    for (const item of items) {
      if (json) printJson(item);
      else printOut(render(item));
    }
    if (items.length === 0) await requireKnown(client, { account, domain });
    if (items.length === 0 && !json) printOut(none);
  };
  if (mutes) {
    await print((await client.ask("listMutes", { account })).items, renderMute, "Nothing is muted.");
  } else if (notices) {
    const notices = await Array.fromAsync(client.each("listNotices", { account }));
    const wanted = notices.filter((notice) => domain === undefined || notice.domain === domain);
    await print(wanted, renderNotice, "There are no notices yet.");
  } else {
    const state = resolved ? "resolved" : "open";
    await print(
      await Array.fromAsync(client.each("listIncidents", { account, domain, state })),
      renderIncident,
      `No ${state} incidents.`,
    );
  }
}

async function mute({ json, domain, rule, subject, days, note, ...options }: MuteOptions): Promise<void> {
  const client = connect(options);
  const account = await accountOfMute(client, domain, options.account);
  await requireKnown(client, { account, domain });
  const kept = await client.ask("mute", { account, domain, rule, subject, days, note });
  if (json) printJson(kept);
  else printOut(renderMute(kept));
}

async function unmute({ json, domain, rule, subject, ...options }: MuteOptions): Promise<void> {
  const client = connect(options);
  const account = await accountOfMute(client, domain, options.account);
  await client.ask("unmute", { account, domain, rule, subject });
  if (json) printJson({ unmuted: { account, domain, rule, subject } });
  else printOut("No longer muted.");
}

/** A mute in an account that does not have the domain would silence nothing. */
async function accountOfMute(
  client: ApiClient,
  domain: string | undefined,
  account: string | undefined,
): Promise<string> {
  return domain === undefined ? (account ?? "default") : await accountOfDomain(client, domain, account);
}

function renderIncident({ severity, title, evidence, causes, openedSeconds, resolvedSeconds, rule }: Incident): string {
  const until = resolvedSeconds > 0 ? `, over since ${renderMinute(resolvedSeconds)}` : "";
  const below = [...evidence, ...causes.slice(0, 1).map(({ sentence }) => sentence)];
  return [
    safeText(`${severity}: ${title} (${rule}, since ${renderMinute(openedSeconds)}${until})`, MAX_CHARS),
    ...below.map((sentence) => `  ${safeText(sentence, MAX_CHARS)}`),
  ].join("\n");
}

function renderNotice({ createdSeconds, step, severity, title, urgency }: Notice): string {
  return safeText(`${renderMinute(createdSeconds)} ${step} ${severity} ${urgency}: ${title}`, MAX_CHARS);
}

function renderMute({ account, domain, rule, subject, untilSeconds, mutedBy, note }: Mute): string {
  const what = [rule, domain, subject].filter((text) => text !== "").join(", ");
  const until = untilSeconds === 0 ? "for good" : `until ${renderMinute(untilSeconds)}`;
  const why = note === "" ? "" : `: ${note}`;
  return safeText(`${account}: ${what === "" ? "everything" : what}, ${until}, by ${mutedBy}${why}`, MAX_CHARS);
}
