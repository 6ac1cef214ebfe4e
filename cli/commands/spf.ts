/** `dmarc spf`: what adding a source does to a domain's SPF record, asked of DNS now. It needs no stack. */
import type { Command } from "commander";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { serviceGuide } from "../../shared/guidance/known-services.ts";
import { adviseSpf, type SpfAdvice } from "../../shared/guidance/spf-advice.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { DEFAULT_RESOLVER, readResolverUrl } from "../dns-option.ts";
import { readDomain, readDomains } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { readDnsUrl } from "../option-values.ts";
import { readSpfSender } from "../spf-sender.ts";
import { printJson, printOut, safeText } from "../terminal.ts";

interface SpfOptions {
  add: string[];
  returnPath?: string[];
  dns?: string;
  json?: true;
}

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 1000;

const EXAMPLES = `
Examples:
  dmarc spf example.com --add 192.0.2.1 192.0.2.2          servers of your own
  dmarc spf example.com --add 198.51.100.0/28              a network
  dmarc spf example.com --add "Google Workspace"           a known service, by its name or a domain of it
  dmarc spf example.com --add 192.0.2.1 --return-path bounce.example.com

DNS is asked over HTTPS: at --dns, else at DMARC_DNS, else at ${DEFAULT_RESOLVER}.
Nothing is changed anywhere: the record is yours to publish.
Exit code: 0 the record can be used as shown or lets the source in already, 1 wrong use, 2 it can't, SPF can't help, or unknown.`;

/** Adds the command. */
export function addSpf(program: Command): void {
  program
    .command("spf")
    .description("What adding a source does to a domain's SPF record")
    .argument("<domain>", "domain", readDomain)
    .requiredOption("--add <source...>", "addresses, networks, or one known service")
    .option("--return-path <domain...>", "domains of the return path (default: the domain itself)", readDomains)
    .option("--dns <url>", "DNS server to ask, by DNS over HTTPS (or DMARC_DNS)", readDnsUrl)
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(runSpf);
}

async function runSpf(domain: string, options: SpfOptions): Promise<void> {
  const resolver = httpsResolver(readResolverUrl(options.dns), fetch);
  const advice = await adviseSpf(domain, readSpfSender(options.add, options.returnPath), resolver);
  if (options.json) printJson(advice);
  else printOut(render(advice));
  process.exitCode = advice.code === "add" || advice.code === "listed" ? exitCodes.done : exitCodes.rejected;
}

function render({ domain, state, sentence, before, after, choices, source }: SpfAdvice): string {
  const lines = [`${safeText(domain, MAX_CHARS)}  ${state}`, `  ${safeText(sentence, MAX_CHARS)}`];
  if (before !== undefined) lines.push(`  before  ${shown(before.text)}  (${countOf(before.lookups)})`);
  if (after !== undefined) lines.push(`  after   ${shown(after.text)}  (${countOf(after.lookups)})`);
  for (const { term, lookups } of choices.slice(1))
    lines.push(`  or      ${safeText(term, MAX_CHARS)}  (${countOf(lookups)})`);
  const guide = serviceGuide(source);
  if (guide !== undefined) lines.push(`  guide   ${guide.setting}: ${guide.url}`);
  return lines.join("\n");
}

function shown(text: string): string {
  return text === "" ? "no record" : quotedTxt(safeText(text, MAX_CHARS));
}

function countOf(lookups: number): string {
  return `${lookups} ${lookups === 1 ? "lookup" : "lookups"}`;
}
