/** `dmarc tokens`: tokens of programs that ask the API. */
import { Argument, type Command, Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import { TOKEN_SCOPES, type TokenScope } from "../../shared/tokens.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { numberBetween } from "../option-values.ts";
import { JSON_DOCUMENT, subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderMinute, renderPairs, renderTable } from "../terminal.ts";

interface TokenOptions extends ConnectionOptions {
  account?: string;
  json?: true;
}
interface CreateOptions extends TokenOptions {
  scope: TokenScope;
  days?: number;
}

type Token = Outputs["listTokens"]["items"][number];

const EXAMPLES = `
Examples:
  dmarc tokens create grafana --account acme --scope read        reads the reports of one account
  dmarc tokens create deploy-script --scope operate --days 90    does all an operator does, for 90 days
  dmarc tokens list
  dmarc tokens revoke 0123456789abcdef --account acme

The secret is printed once and kept nowhere; what the token is used for is recorded under its name. Without --account it is
for all accounts, as an operator's.`;

/** Adds the command with its subcommands. */
export function addTokens(program: Command): void {
  const group = program.command("tokens").description("Tokens of programs that ask the API");
  group.addHelpText("after", EXAMPLES);
  const account = new Option("--account <name>", "the account it is for; without it, all accounts");
  const subcommand = subcommandsOf(group, EXAMPLES, [account, JSON_DOCUMENT]);
  subcommand("create", "Create a token and print its secret once")
    .addArgument(new Argument("<name>", "what is recorded as who did it"))
    .addOption(new Option("--scope <scope>", "read, or operate: also change").choices(TOKEN_SCOPES).default("read"))
    .option("--days <number>", "days until it expires", numberBetween(1, TOKEN_LIMITS.maxDays))
    .action(createToken);
  subcommand("list", "Tokens, without their secrets").action(listTokens);
  subcommand("revoke", "Revoke a token").addArgument(new Argument("<id>", "as `list` shows it")).action(revokeToken);
}

async function createToken(name: string, options: CreateOptions): Promise<void> {
  const { account = "", scope, days: expiresInDays } = options;
  const made = await connect(options).ask("createToken", { account, name, scope, expiresInDays });
  if (options.json) return printJson(made);
  printOut(renderPairs([["secret", made.secret], ...pairsOf(made)]));
}

async function listTokens(options: TokenOptions): Promise<void> {
  const tokens: Token[] = [];
  for await (const token of connect(options).each("listTokens", { account: options.account })) tokens.push(token);
  if (options.json) return printJson(tokens);
  if (tokens.length === 0) return printOut("There are no tokens; make one with `dmarc tokens create NAME`.");
  const rows = tokens.map((token) => pairsOf(token).map(([, value]) => value));
  printOut(renderTable(["id", "name", "account", "scope", "state", "expires", "last used", "made by"], rows));
}

async function revokeToken(id: string, options: TokenOptions): Promise<void> {
  const revoked = await connect(options).ask("revokeToken", { account: options.account ?? "", id });
  if (options.json) return printJson(revoked);
  printOut(`The token '${revoked.name}' is revoked.`);
}

function pairsOf(token: Token): [string, string][] {
  const { id, name, account, scope, state, expiresSeconds, lastUsedSeconds, createdBy } = token;
  return [
    ["id", id],
    ["name", name],
    ["account", account === "" ? "(all)" : account],
    ["scope", scope],
    ["state", state],
    ["expires", timeOf(expiresSeconds)],
    ["last used", timeOf(lastUsedSeconds)],
    ["made by", createdBy],
  ];
}

function timeOf(seconds: number): string {
  return seconds === 0 ? "never" : renderMinute(seconds);
}
