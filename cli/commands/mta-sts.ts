/** `dmarc mta-sts`: the MTA-STS policy that the dashboard serves for a domain. */

import { Argument, type Command, Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { MTA_STS_MODES, type MtaStsMode } from "../../shared/guidance/mta-sts-policy.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { countText } from "../../shared/watch/words.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { accountOfDomain } from "../domain-account.ts";
import { readDomain } from "../domain-option.ts";
import { requireKnown } from "../known-names.ts";
import { numberBetween } from "../option-values.ts";
import { printJson, printOut, renderDay, safeText } from "../terminal.ts";

interface GivenOptions extends ConnectionOptions {
  account?: string;
  json?: true;
  mode?: MtaStsMode;
  mx?: string[];
  maxAge?: number;
  force?: true;
}

interface PolicyOptions extends GivenOptions {
  account: string;
}

type MtaStsState = Outputs["mtaSts"];

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 500;
/** Two weeks: RFC 8461 section 3.2 expects weeks or more. */
const DEFAULT_SECONDS = 14 * SECONDS_PER_DAY;

const EXAMPLES = `
Examples:
  dmarc mta-sts example.com                                        what is served, what the MX records say, what to do next
  dmarc mta-sts example.com set --mode testing --mx mx1.example.com '*.mail.example'
  dmarc mta-sts example.com set --mode enforce                     hosts and max_age stay as they are
  dmarc mta-sts example.com remove                                 served no longer

Nothing is changed in DNS: the record to publish is shown, and its id changes with the policy. How the host mta-sts.DOMAIN gets
to the dashboard: docs/guidance.md.
Exit code: 0 done, 1 wrong use or failure.`;

/** Adds the command. */
export function addMtaSts(program: Command): void {
  const command = program
    .command("mta-sts")
    .description("The MTA-STS policy that is served for a domain")
    .argument("<domain>", "domain", readDomain)
    .addArgument(new Argument("[action]", "what to do").choices(["show", "set", "remove"]).default("show"))
    .option("--account <name>", "whose domain it is (default: the account that has it)")
    .addOption(new Option("--mode <mode>", "set: how strict it is").choices(MTA_STS_MODES))
    .option("--mx <host...>", "set: mail hosts that it covers; *. matches one label")
    .option(
      "--max-age <seconds>",
      "set: how long senders remember it, a day to a year (default: two weeks)",
      numberBetween(GUIDANCE_LIMITS.minMtaStsSeconds, GUIDANCE_LIMITS.maxMtaStsSeconds),
    )
    .option("--force", "set: enforce it although the MX records name other hosts")
    .option("--json", "one JSON document");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(runMtaSts);
}

async function runMtaSts(domain: string, action: "show" | "set" | "remove", given: GivenOptions): Promise<void> {
  const options = { ...given, account: await accountOfDomain(connect(given), domain, given.account) };
  switch (action) {
    case "show":
      return show(domain, options);
    case "set":
      return set(domain, options);
    case "remove":
      return remove(domain, options);
  }
}

async function show(domain: string, options: PolicyOptions): Promise<void> {
  const { account } = options;
  const client = connect(options);
  const known = await client.ask("mtaSts", { account, domain });
  if (known.hosted === null && known.hosts === null) await requireKnown(client, { account, domain });
  if (options.json) printJson(known);
  else printOut(renderKnown(known));
}

// Options that are not given keep their value.
async function set(domain: string, options: PolicyOptions): Promise<void> {
  const client = connect(options);
  const { account, force } = options;
  const { hosted } = await client.ask("mtaSts", { account, domain });
  const mode = options.mode === undefined ? hosted?.policy.mode : options.mode;
  if (mode === undefined) throw new CommandError("Which mode? Begin with --mode testing.");
  const mx = options.mx ?? hosted?.policy.mx ?? [];
  const maxAgeSeconds =
    options.maxAge === undefined ? (hosted?.policy.maxAgeSeconds ?? DEFAULT_SECONDS) : options.maxAge;
  const asked = { account, domain, mode, mx, maxAgeSeconds, ...(force === undefined ? {} : { force }) };
  const kept = await client.ask("setMtaSts", asked);
  if (options.json) printJson(kept);
  else printOut(renderKnown(await client.ask("mtaSts", { account, domain })));
}

async function remove(domain: string, options: PolicyOptions): Promise<void> {
  const removed = await connect(options).ask("removeMtaSts", { account: options.account, domain });
  if (options.json) return printJson(removed);
  const days = Math.ceil(removed.rememberedSeconds / SECONDS_PER_DAY);
  const remembered =
    days === 0
      ? ""
      : ` Senders may remember it for ${countText(days, "day")}: until then, keep the mail hosts that it names.`;
  printOut(`A policy is no longer served for ${domain}. Remove the record _mta-sts.${domain}.${remembered}`);
}

function renderKnown({ domain, hosted, url, isServed, hosts, advice }: MtaStsState): string {
  const lines = [safeText(domain, MAX_CHARS)];
  if (hosted !== null) {
    const { policy, changedBy, changedSeconds, record } = hosted;
    const days = Math.round(policy.maxAgeSeconds / SECONDS_PER_DAY);
    lines.push(
      `  policy   ${policy.mode}, remembered for ${countText(days, "day")}, for ${policy.mx.map((mx) => safeText(mx, MAX_CHARS)).join(" ") || "no host"}`,
      `  changed  ${renderDay(changedSeconds)} by ${safeText(changedBy, MAX_CHARS)}`,
      `  served   ${isServed ? "" : "no: "}${safeText(url, MAX_CHARS)}`,
      `  publish  ${safeText(record.name, MAX_CHARS)} ${record.type} "${safeText(record.value, MAX_CHARS)}"`,
    );
  }
  for (const { host, isCovered } of hosts ?? []) {
    lines.push(`  mx       ${safeText(host, MAX_CHARS)}${hosted === null || isCovered ? "" : "  not in the policy"}`);
  }
  if (hosts === null) lines.push("  mx       unknown: DNS was not checked yet, or gave no answer");
  lines.push(`  next     ${safeText(advice.sentence, MAX_CHARS)}`);
  for (const { resultType, receivingHost, sessions, lastDay } of advice.failures) {
    const what = `${safeText(resultType || "no reason given", MAX_CHARS)} ${safeText(receivingHost, MAX_CHARS)}`.trim();
    lines.push(`           ${sessions} sessions, last ${renderDay(lastDay * SECONDS_PER_DAY)}: ${what}`);
  }
  return lines.join("\n");
}
