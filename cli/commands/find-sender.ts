/** `dmarc senders find`: in whose names an address sends, over all domains. */
import type { Command } from "commander";
import { domainsOfAddress, type MailOfAddress } from "../../shared/analytics/statements.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { askStatement } from "../ask-statement.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { numberBetween, readIp } from "../option-values.ts";
import { printJson, printOut, renderDay, renderTable } from "../terminal.ts";

interface FindOptions extends ConnectionOptions {
  days: number;
  json?: true;
}

/** As on pages. */
const DEFAULT_DAYS = 30;
/** How long Analytics Engine keeps a point. */
const MAX_DAYS = 92;

/** Adds the command to its group. */
export function addFind(group: Command, examples: string): void {
  const command = group
    .command("find")
    .description("In whose names an address sends, over all domains")
    .argument("<address>", "IP address of a server", readIp)
    .option("--days <n>", "reports of the last n days", numberBetween(1, MAX_DAYS), DEFAULT_DAYS)
    .option("--json", "one JSON object a line");
  addConnectionOptions(command).addHelpText("after", examples).action(findSender);
}

async function findSender(address: string, { days, json, ...connection }: FindOptions): Promise<void> {
  const lastDay = Math.floor(Date.now() / (1000 * SECONDS_PER_DAY));
  const { sql, read } = domainsOfAddress({ firstDay: lastDay - days + 1, lastDay }, address);
  const found = (await askStatement(connect(connection), sql)).map(read);
  if (json) {
    for (const one of found) printJson({ address, ...one, lastDay: dayOf(one) });
    return;
  }
  if (found.length === 0) return printOut(`No report of the last ${days} days names ${address}.`);
  const rows = found.map((one) => [
    one.domain,
    one.account,
    one.messages.toLocaleString("en-US"),
    one.passed.toLocaleString("en-US"),
    dayOf(one),
  ]);
  printOut(`${renderTable(["domain", "account", "messages", "pass DMARC", "last seen"], rows)}
Figures of Analytics Engine, which samples where there are many. The page of one has the exact ones, with its name and network:
/domains/${encodeURIComponent(found[0]?.domain ?? "")}/addresses/${encodeURIComponent(address)}`);
}

function dayOf({ lastDay }: MailOfAddress): string {
  return renderDay(lastDay * SECONDS_PER_DAY);
}
