/** `dmarc check`: checks the records a domain publishes, by querying DNS now. Needs no stack. */
import type { Command } from "commander";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { boundedResolver, type Resolver } from "../../shared/dns/resolver.ts";
import { CHECK_TITLES, type CheckState, type Finding } from "../../shared/guidance/check.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { policyFetcher } from "../../shared/guidance/fetch-policy.ts";
import { type StoredCheck, storedCheckOf } from "../../shared/guidance/stored-check.ts";
import { zoneData } from "../../shared/guidance/txt-strings.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { DEFAULT_RESOLVER, readResolverUrl } from "../dns-option.ts";
import { readDomains } from "../domain-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { readAddress, readDnsUrl } from "../option-values.ts";
import { printError, printJson, printOut, safeText } from "../terminal.ts";

interface CheckOptions {
  json?: true;
  all?: true;
  selector?: string[];
  rua?: string;
  dns?: string;
}

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 1000;

const EXAMPLES = `
Examples:
  dmarc check example.com
  dmarc check example.com --selector s1 --selector google     and these DKIM keys
  dmarc check example.com --rua k7f3@rua.example              records to publish name this address
  dmarc check example.com example.net --json                  one JSON line a domain, for programs

DNS is asked over HTTPS: at --dns, else at DMARC_DNS, else at ${DEFAULT_RESOLVER}.
Nothing is changed anywhere. What is good is shown with --all.
Exit code: 0 nothing is broken, 1 wrong use, 2 something is broken or couldn't be found out.`;

/** Adds the command. */
export function addCheck(program: Command): void {
  program
    .command("check")
    .description("Check what a domain publishes: DMARC, SPF, DKIM, MTA-STS and more")
    .argument("<domain...>", "domains", readDomains)
    .option("--selector <name...>", "DKIM selectors to check")
    .option("--rua <address>", "where reports should go, for the records to publish", readAddress)
    .option("--all", "also what is good")
    .option("--dns <url>", "DNS server to ask, by DNS over HTTPS (or DMARC_DNS)", readDnsUrl)
    .option("--json", "one JSON object a line, in the order of the domains")
    .addHelpText("after", EXAMPLES)
    .action(runCheck);
}

async function runCheck(domains: string[], options: CheckOptions): Promise<void> {
  const url = readResolverUrl(options.dns);
  const patient = givingUp(httpsResolver(url, fetch));
  const rua = options.rua === undefined ? {} : { ruaAddress: options.rua };
  const fetchPolicy = policyFetcher(fetch);
  const states: CheckState[] = [];
  for (const name of domains) {
    const selectors = (options.selector ?? []).map((selector) => ({ selector, domain: name }));
    // Several checks of a domain ask the same questions.
    const resolver = boundedResolver(patient.resolver, GUIDANCE_LIMITS.maxQuestionsPerDomain);
    const found = storedCheckOf(await checkDomain(name, { resolver, fetchPolicy, selectors, ...rua }));
    states.push(found.state);
    if (options.json) printJson(found);
    else printOut(renderCheck(found, options.all === true));
  }
  if (patient.isSilent()) {
    printError(
      `No answer from the DNS server ${url}: nothing is known of these domains. See whether it can be reached, or name another one by --dns.`,
    );
  }
  const isFine = states.every((state) => state === "good" || state === "attention");
  process.exitCode = isFine ? exitCodes.done : exitCodes.rejected;
}

/** Unanswered questions after which a server that never answered is not asked again. */
const MOST_UNANSWERED = 8;

/** A resolver that stops asking a server that has never answered. */
function givingUp({ lookup }: Resolver): { resolver: Resolver; isSilent: () => boolean } {
  let hasAnswered = false;
  let unanswered = 0;
  const resolver: Resolver = {
    async lookup(name, type) {
      if (!hasAnswered && unanswered >= MOST_UNANSWERED) return { status: "timeout" };
      const answer = await lookup(name, type);
      if (answer.status === "timeout" || answer.status === "unknown") unanswered += 1;
      else hasAnswered = true;
      return answer;
    },
  };
  return { resolver, isSilent: () => !hasAnswered };
}

function renderCheck(found: StoredCheck, showsAll: boolean): string {
  const lines = [safeText(found.domain, MAX_CHARS)];
  for (const { kind, state, summary, findings } of found.checks) {
    lines.push(`  ${CHECK_TITLES[kind].padEnd(12)} ${state.padEnd(10)} ${safeText(summary, MAX_CHARS)}`);
    for (const finding of findings) {
      if (showsAll || finding.state !== "good") lines.push(...renderFinding(finding));
    }
  }
  return lines.join("\n");
}

function renderFinding({ state, sentence, rule, publish }: Finding): string[] {
  const lines = [`      ${state}: ${safeText(sentence, MAX_CHARS)} (${rule})`];
  if (publish !== undefined) {
    const data = zoneData({ ...publish, value: safeText(publish.value, MAX_CHARS) });
    lines.push(`        ${safeText(publish.name, MAX_CHARS)} ${publish.type} ${data}`);
  }
  return lines;
}
