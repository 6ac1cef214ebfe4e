/**
 * The commands `npm run deploy` and `npm run destroy`: read what was chosen, ask for what is missing, run, and turn what comes
 * back into lines and an exit code.
 *
 * Exit code: 0 done, 1 wrong use, something stands in the way, or a step failed.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { CommandError } from "../cli/command-error.ts";
import { askLine, isAsking, isConfirmed } from "../cli/confirm.ts";
import { sayWrongUse } from "../cli/wrong-use.ts";
import { API_BASE_URL, cloudflareApi } from "./cloudflare-api.ts";
import { destroy, removalLines } from "./destroy.ts";
import { folderOf, type Kept, readKept } from "./kept.ts";
import { chooseAccount } from "./preflight.ts";
import { type Deployed, deploy, planLines, type Survey, survey } from "./run.ts";
import {
  type GivenSettings,
  namesOf,
  PLANS,
  ROUTINGS,
  readPrefix,
  readSettings,
  readSettingsText,
  type Settings,
  settingsToKeep,
  type UncheckedSettings,
} from "./settings.ts";
import { type Deployment, keep } from "./step.ts";
import { adoptToken, replaceToken } from "./upload.ts";
import { loginToken, wranglerFor } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "..");

interface Options extends Omit<GivenSettings, "domains"> {
  domain?: string[];
  file?: string;
  dryRun?: true;
  yes?: true;
  newToken?: true;
  rawReports?: true;
}

const HELP = `
Examples:
  npm run deploy -- --rua dmarc@example.com                          one domain
  npm run deploy -- --rua dmarc@example.com --plan free              without the Workers Paid plan
  npm run deploy -- --rua dmarc@rua.example.net --routing catch-all  a provider, with a zone for reports alone
  npm run deploy -- --rua dmarc@example.net --routing subaddresses   a provider: dmarc+NAME@example.net for each domain
  npm run deploy                                                     again: with what was chosen before
  npm run deploy -- --databases 2                                    a second database, before the first is full

The token: CLOUDFLARE_API_TOKEN, else wrangler's login (npx wrangler login). What is chosen and made is kept in .deployment/,
which git ignores; docs/deploy.md says more.`;

const DESTROY_HELP = `
Examples:
  npm run destroy -- --dry-run      what would be removed, and what kept
  npm run destroy                   removes it, after asking
  npm run destroy -- --raw-reports  the raw reports, too; run it again two days later for their empty bucket`;

function program(): Command {
  const all = new Command("npm run").showHelpAfterError("(see --help)");
  const deployCommand = all
    .command("deploy")
    .description("Creates what is missing in a Cloudflare account, and uploads the Workers");
  addSettings(deployCommand)
    .option("--dry-run", "print the plan and stop; nothing is sent to Cloudflare")
    .option("--new-token", "make a new secret API_TOKEN for programs")
    .addHelpText("after", HELP)
    .action((options: Options) => runDeploy(options));
  sayWrongUse(deployCommand, "deploy");
  const destroyCommand = all.command("destroy").description("Removes what npm run deploy created; raw reports stay");
  sayWrongUse(destroyCommand, "destroy");
  addSettings(destroyCommand)
    .option("--dry-run", "print what would be removed and what kept, and stop; nothing is sent to Cloudflare")
    .option("--raw-reports", "remove the raw reports, too; figures can then not be restored from them")
    .addHelpText("after", DESTROY_HELP)
    .action((options: Options) => runDestroy(options));
  return all;
}

function addSettings(command: Command): Command {
  return command
    .option("--rua <address>", "where reports are sent, such as dmarc@example.com")
    .option("--domain <name>", "a domain it accepts reports about; may be repeated (the address's own)", collect)
    .option("--account <name>", "the account they belong to (main)")
    .addOption(new Option("--plan <plan>", "plan of Workers (paid)").choices(PLANS))
    .addOption(new Option("--routing <how>", "what Email Routing hands to ingest (address)").choices(ROUTINGS))
    .option("--enable-routing", "switch Email Routing on: it takes over the zone's MX records")
    .option("--account-id <id>", "Cloudflare account (or CLOUDFLARE_ACCOUNT_ID; the token's only one)")
    .option("--prefix <name>", "first part of the names of what is made (dmarc)")
    .option(
      "--databases <n>",
      "D1 databases of the ledger (as many as there are; new accounts go to the last)",
      wholeNumber,
    )
    .option("--infrequent-access-days <n>", "days until raw reports move to R2's cheaper class (never)", wholeNumber)
    .option("--file <path>", "settings as JSON, by their names here in camel case")
    .option("-y, --yes", "do not ask");
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}

async function runDeploy(options: Options): Promise<void> {
  const { settings, kept, folder } = await gather(options);
  console.log(`Plan for ${settings.rua} (Workers ${settings.plan}, names ${settings.prefix}-…):`);
  for (const line of planLines(settings)) console.log(`  ${line}`);
  if (options.dryRun) return;
  const deployment = await connect(settings, kept, folder);
  // Also a deployment that another machine made and this one does not know.
  const replaced = options.newToken ? await replaceToken(deployment) : undefined;
  if (replaced?.ok === false) throw new CommandError(replaced.error);
  const found = await survey(deployment);
  printSurvey(found);
  if (found.problems.length > 0)
    throw new CommandError("Nothing was changed. Do what is listed above, then run this again.");
  if (found.missing.length > 0 && !options.yes && isAsking() && !(await isConfirmed("Make what is missing?"))) return;
  const done = await deploy(deployment, (line) => console.log(line));
  if (!done.ok) throw new CommandError(`${done.error} What is done stays: run this again to continue.`);
  printDone(done.value, deployment);
}

async function runDestroy(options: Options): Promise<void> {
  const { settings, kept, folder } = await gather(options);
  const rawReports = options.rawReports === true;
  const { removed, kept: left } = removalLines(settings, { rawReports });
  console.log(`Removes, of ${settings.rua} (names ${settings.prefix}-…):`);
  for (const line of removed) console.log(`  - ${line}`);
  console.log("Keeps:");
  for (const line of left) console.log(`  = ${line}`);
  if (options.dryRun) return;
  const what = rawReports ? "and the raw reports, for good" : "but the raw reports";
  if (!options.yes) {
    if (!isAsking()) throw new CommandError("This is not a terminal, so nobody can confirm it: pass --yes.");
    const question =
      `Everything of ${settings.prefix}-… is removed, including the ledger with all figures, ${what}. Type ` +
      `${settings.prefix} to continue: `;
    if ((await ask(question)) !== settings.prefix) return;
  }
  const deployment = await connect(settings, kept, folder);
  const done = await destroy(deployment, { rawReports }, (line) => console.log(line));
  if (!done.ok) throw new CommandError(`${done.error} Run this again to continue.`);
}

interface Gathered {
  settings: Settings;
  kept: Kept;
  folder: string;
}

/** Flags beat the file, the file beats what was chosen before; at a terminal, a missing address is asked for. */
async function gather(options: Options): Promise<Gathered> {
  const { file, dryRun: _dry, yes: _yes, newToken: _new, rawReports: _raw, ...flags } = options;
  const { domain: domains, ...typed } = flags;
  const environment = process.env.CLOUDFLARE_ACCOUNT_ID || undefined;
  const sources: UncheckedSettings[] = [
    { ...typed, domains },
    file === undefined ? {} : readFile(file),
    { accountId: environment },
  ];
  const folder = folderOf(ROOT, prefixOf(sources));
  const kept = readKept(folder);
  if (!kept.ok) throw new CommandError(kept.error);
  sources.push(kept.value.settings);
  if (sources.every(({ rua }) => rua === undefined) && isAsking()) {
    sources.push({ rua: await ask("Which address will reports be sent to (such as dmarc@example.com)? ") });
  }
  const settings = readSettings(...sources);
  if (!settings.ok) throw new CommandError(settings.error);
  return { settings: settings.value, kept: kept.value, folder };
}

/** The prefix as it is given. Kept settings are found by it, so it is checked before the others. */
function prefixOf(sources: readonly UncheckedSettings[]): string {
  const prefix = readPrefix(sources.find((source) => source.prefix !== undefined)?.prefix);
  if (!prefix.ok) throw new CommandError(prefix.error);
  return prefix.value;
}

function readFile(path: string): UncheckedSettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(`${path} cannot be read as settings: ${error instanceof Error ? error.message : error}.`);
  }
  const read = readSettingsText(text);
  if (!read.ok) throw new CommandError(`${path} cannot be read as settings: ${read.error}.`);
  return read.value;
}

async function ask(question: string): Promise<string> {
  return (await askLine(question)).trim();
}

async function connect(settings: Settings, kept: Kept, folder: string): Promise<Deployment> {
  const baseUrl = process.env.CLOUDFLARE_API_BASE_URL || API_BASE_URL;
  const given = process.env.CLOUDFLARE_API_TOKEN || undefined;
  const common = { root: ROOT, baseUrl, token: given };
  const token = given ?? (await loginToken(wranglerFor({ ...common, accountId: undefined })));
  if (token === undefined) {
    throw new CommandError(
      "You are not logged in: run npx wrangler login, or put an API token into CLOUDFLARE_API_TOKEN.",
    );
  }
  const clock = { nowMilliseconds: () => Date.now(), sleep: (milliseconds: number) => sleep(milliseconds) };
  const api = cloudflareApi({ baseUrl, token, fetch: (url, init) => fetch(url, init), ...clock });
  const account = await chooseAccount(api, settings.accountId);
  if (!account.ok) throw new CommandError(account.error);
  const accountId = account.value.id;
  console.log(`Account: ${account.value.name} (${accountId})`);
  const deployment: Deployment = {
    root: ROOT,
    folder,
    settings,
    names: namesOf(settings.prefix),
    accountId,
    api,
    wrangler: wranglerFor({ ...common, accountId }),
    fetch: (url, init) => fetch(url, init),
    ...clock,
    newToken: () => randomBytes(32).toString("base64url"),
    kept,
    hashes: new Map(),
  };
  keep(deployment, { settings: settingsToKeep(settings), accountId });
  await adoptToken(deployment, process.env.DMARC_TOKEN || undefined);
  return deployment;
}

function printSurvey({ there, missing, problems, notes }: Survey): void {
  if (there.length > 0) console.log(`There:\n${there.map((line) => `  ${line}`).join("\n")}`);
  if (missing.length > 0) console.log(`Missing:\n${missing.map((line) => `  ${line}`).join("\n")}`);
  for (const note of notes) console.log(`Note: ${note}`);
  for (const [i, problem] of problems.entries()) console.log(`First, ${i + 1}: ${problem}`);
}

function printDone({ changes, url }: Deployed, { settings, folder }: Deployment): void {
  console.log(changes.length === 0 ? "Nothing to change: everything is in place." : `Done: ${changes.length} changes.`);
  const { rua, domains } = settings;
  console.log(`Dashboard: ${url}
The dmarc command: export DMARC_URL=${url} DMARC_TOKEN="$(node -p 'require("${folder}/deployment.json").apiToken')"
To publish: _dmarc.${domains[0] ?? ""}. TXT "v=DMARC1; p=none; rua=mailto:${rua}"
No mail was sent to test it: send one to ${rua}, and dmarc status shows whether it arrived.`);
}

try {
  await program().parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(`${process.argv[2] === "destroy" ? "destroy" : "deploy"}: ${error.message}`);
  process.exitCode = 1;
}
