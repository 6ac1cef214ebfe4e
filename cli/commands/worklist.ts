/** `dmarc worklist`: what to do next over all domains. */
import type { Command } from "commander";
import { Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { WORK_LIMITS } from "../../shared/limits.ts";
import { WORK_CODES, type WorkCode } from "../../shared/watch/work.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { requireKnown } from "../known-names.ts";
import { noteLimit, printJson, printOut, safeText } from "../terminal.ts";

interface WorklistOptions extends ConnectionOptions {
  account?: string;
  code?: WorkCode;
  subject?: string;
  json?: true;
}

type Line = Outputs["worklist"]["items"][number];
type WorkDomain = Outputs["worklistDomains"]["items"][number];

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 300;
/** Ours: what a person reads; --json has all. */
const SHOWN_DOMAINS = 3;

const EXAMPLES = `
Examples:
  dmarc worklist                                     what to do next, what puts the most mail at risk first
  dmarc worklist --account acme
  dmarc worklist --code service --subject "Twilio SendGrid"   every domain that one line is about
  dmarc worklist --json | jq -r 'select(.refused > 0) | .title'

Codes: ${WORK_CODES.join(", ")}.
With --json one object a line: code, subject, title, action, domains, messages and refused a week, weight, link, unfolded
(the domains it matters most for); with --code one domain a line.`;

/** Adds the command. */
export function addWorklist(program: Command): void {
  const command = program
    .command("worklist")
    .description("What to do next across all domains: the same cause over many is one line")
    .option("--account <name>", "of this account only")
    .addOption(new Option("--code <code>", "the domains of one line").choices(WORK_CODES))
    .option("--subject <text>", "with --code: the line's subject, such as a service")
    .option("--json", "one JSON object a line");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printWorklist);
}

async function printWorklist({ account, code, subject, json, ...connection }: WorklistOptions): Promise<void> {
  const client = connect(connection);
  if (code === undefined) {
    const { items } = await client.ask("worklist", { account });
    noteLimit(items, WORK_LIMITS.lines, "those that matter most");
    for (const line of items) json ? printJson(line) : printOut(renderLine(line));
    if (items.length === 0) await requireKnown(client, { account });
    if (items.length === 0 && !json) printOut("Nothing to do.");
    return;
  }
  let matching = 0;
  for (let offset = 0; offset <= matching; ) {
    const page = await client.ask("worklistDomains", { account, code, subject, offset });
    for (const one of page.items) json ? printJson(one) : printOut(renderDomain(one));
    if (page.items.length === 0) break;
    matching = page.matching;
    offset += page.items.length;
  }
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function renderLine({ title, action, domains, messages, refused, unfolded }: Line): string {
  const mail =
    messages === 0
      ? ""
      : `, ${count(messages)} failing a week${refused === 0 ? "" : `, ${count(refused)} of them refused`}`;
  const names = unfolded.slice(0, SHOWN_DOMAINS).map(({ domain }) => safeText(domain, MAX_CHARS));
  const more = domains > names.length ? `, and ${count(domains - names.length)} more` : "";
  return `${safeText(title, MAX_CHARS)}: ${domains === 1 ? "1 domain" : `${count(domains)} domains`}${mail}
  ${safeText(action, MAX_CHARS)}
  ${names.join(", ")}${more}`;
}

function renderDomain({ domain, account, messages, refused, link }: WorkDomain): string {
  return [domain, account, `${count(messages)} failing a week`, `${count(refused)} refused`, link]
    .map((text) => safeText(text, MAX_CHARS))
    .join("  ");
}
