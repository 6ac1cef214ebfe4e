/** `dmarc verdict`: whether p=reject is safe for a domain, which mail it would hit, and what to publish next. */
import { Argument, type Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { listedReasons, unknownText } from "../../shared/guidance/verdict-words.ts";
import { parseDay, SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { isoDate } from "../../shared/storage.ts";
import { countText, messagesText } from "../../shared/watch/words.ts";
import type { ApiClient } from "../client.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomains } from "../domain-option.ts";
import { requireKnown } from "../known-names.ts";
import { readDay } from "../option-values.ts";
import { printJson, printOut, safeText } from "../terminal.ts";

interface VerdictOptions extends ConnectionOptions {
  json?: true;
  from?: string;
  to?: string;
}

type Verdict = Outputs["verdict"];

/** Ours: the default period of the pages. */
const DEFAULT_DAYS = 30;
/** Ours: how far back the newest report is looked for. A period has ten years at most. */
const LONG_SECONDS = 9 * 365 * SECONDS_PER_DAY;
const MAX_CHARS = 500;
const SHOWN_REASONS = 5;

const EXAMPLES = `
Examples:
  dmarc verdict                                      every domain with reports in the last 30 days
  dmarc verdict example.com                          one domain
  dmarc verdict example.com --from 2026-09-01 --to 2026-11-30
  dmarc verdict --json | jq -r 'select(.state == "beingRejected") | .domain'

States: beingRejected, notYet, ready, protected, tooEarly, silent (no reports), notInUse (sends nothing). Ready covers receivers
that send reports, not the others.
With --json one object a line: domain, state, reasons, days, messages, wouldHit by step and by whose mail it is, nextRecord
(the text to publish at _dmarc.DOMAIN, null = keep the present one), missing, sources.`;

/** Adds the command. */
export function addVerdict(program: Command): void {
  const command = program
    .command("verdict")
    .description("Whether p=reject is safe for a domain, and what to publish next")
    .addArgument(new Argument("[domain...]", "policy domains").argParser(readDomains).default([], "all with reports"))
    .option("--from <day>", "first day of the period, YYYY-MM-DD (by default 30 days ago)", readDay)
    .option("--to <day>", "last day of the period, YYYY-MM-DD", readDay)
    .option("--json", "one JSON object a line");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printVerdicts);
}

async function printVerdicts(domains: string[], options: VerdictOptions): Promise<void> {
  const client = connect(options);
  const { from, to } = options;
  const names = domains.length > 0 ? domains : await domainsWithReports(client, options);
  if (names.length === 0 && !options.json) printOut("No domain has reports in this period.");
  for (const domain of names) {
    const verdict = await client.ask("verdict", { domain, from, to });
    if (verdict.days === 0) await requireKnown(client, { domain });
    if (options.json) printJson(verdict);
    else printOut(renderVerdict(verdict));
    if (verdict.days === 0 && !options.json) await printNewest(client, domain);
  }
}

/** Says where the figures are, if there are any: imported reports may all be older than the period. */
async function printNewest(client: ApiClient, domain: string): Promise<void> {
  const from = isoDate(Date.now() / 1000 - LONG_SECONDS);
  const [newest] = (await client.ask("listReports", { domain, from, limit: 1 })).items;
  if (newest === undefined) return;
  const firstDay = (parseDay(newest.day) ?? 0) - DEFAULT_DAYS + 1;
  printOut(
    `  The newest report is for ${newest.day}: dmarc verdict ${domain} --from ${isoDate(firstDay * SECONDS_PER_DAY)} --to ${newest.day}`,
  );
}

/** Domains with aggregate reports in a period, by name. */
async function domainsWithReports(client: ApiClient, { from, to }: VerdictOptions): Promise<string[]> {
  const today = Math.floor(Date.now() / 1000 / SECONDS_PER_DAY);
  const lastDay = to === undefined ? today : (parseDay(to) ?? today);
  const firstDay = from === undefined ? lastDay - DEFAULT_DAYS + 1 : (parseDay(from) ?? lastDay);
  const found = new Set<string>();
  const asked = {
    kind: "aggregate",
    from: isoDate(firstDay * SECONDS_PER_DAY),
    to: isoDate(lastDay * SECONDS_PER_DAY),
  } as const;
  for await (const { domain } of client.each("domainDays", asked)) found.add(domain);
  return [...found].sort();
}

function renderVerdict(verdict: Verdict): string {
  const { domain, state, headline, nextStep, nextRecord, days, messages } = verdict;
  const line = (text: string): string => `  ${safeText(text, MAX_CHARS)}`;
  const lines = [`${safeText(domain, MAX_CHARS)}: ${safeText(headline, MAX_CHARS)}`, line(nextStep)];
  if (nextRecord !== null) lines.push(line(`_dmarc.${domain} TXT ${quotedTxt(nextRecord)}`));
  const shown = listedReasons(verdict);
  lines.push(...shown.slice(0, SHOWN_REASONS).map(({ sentence }) => line(`- ${sentence}`)));
  if (shown.length > SHOWN_REASONS) lines.push(line(`- and ${shown.length - SHOWN_REASONS} more (--json has all)`));
  const basis = `Based on ${countText(days, "day")} with reports and ${messagesText(messages)}.`;
  const unknown = unknownText(state);
  lines.push(line(unknown === undefined ? basis : `${basis} ${unknown}`));
  return lines.join("\n");
}
