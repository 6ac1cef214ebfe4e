/** `dmarc stats`: figures of accepted reports. */
import type { Command } from "commander";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { requireKnown } from "../known-names.ts";
import { printJson, printOut, renderPairs } from "../terminal.ts";

interface StatsOptions extends ConnectionOptions {
  json?: true;
  domain?: string;
  account?: string;
}

const EXAMPLES = `
Examples:
  dmarc stats
  dmarc stats --domain example.com --json`;

/** Adds the command. */
export function addStats(program: Command): void {
  const command = program
    .command("stats")
    .description("Reports, records and messages that were accepted")
    .option("--domain <domain>", "only this policy domain", readDomain)
    .option("--account <name>", "only this account")
    .option("--json", "one JSON document");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printStats);
}

async function printStats(options: StatsOptions): Promise<void> {
  const { domain, account } = options;
  const client = connect(options);
  const stats = await client.ask("stats", { domain, account });
  if (stats.reports === 0 && stats.deadLetters === 0) await requireKnown(client, { account, domain });
  if (options.json) return printJson(stats);
  const share = stats.messages === 0 ? "" : ` (${Math.round((stats.passed / stats.messages) * 1000) / 10} %)`;
  printOut(
    renderPairs([
      ["reports", stats.reports],
      ["records", stats.records],
      ["messages", stats.messages],
      ["passed", `${stats.passed.toLocaleString("en-US")}${share}`],
      ["sources", stats.sourcesAreAtMost ? `at most ${stats.sources.toLocaleString("en-US")}` : stats.sources],
      ["open dead letters", stats.deadLetters],
    ]),
  );
}
