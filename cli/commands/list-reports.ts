/** `dmarc reports list`: the accepted reports about a domain, and where the others may be. */
import { type Command, Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { REPORT_KINDS } from "../../shared/ledger/report-rows.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import { countText, messagesText } from "../../shared/watch/words.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { requireKnown } from "../known-names.ts";
import { numberBetween, readDay, readIp } from "../option-values.ts";
import { printJson, printOut, renderDay, renderMinute, safeText } from "../terminal.ts";

interface ListOptions extends ConnectionOptions {
  reporter?: string;
  kind: (typeof REPORT_KINDS)[number];
  address?: string;
  failing?: true;
  from?: string;
  to?: string;
  account?: string;
  limit: number;
  json?: true;
}

type Listed = Outputs["listReports"]["items"][number];

/** Ours: reports listed unless more are asked for. */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100_000;
/** Ours: characters of one text that are printed. */
const MAX_CHARS = 300;

/** Adds the command to its group. */
export function addList(group: Command, examples: string): void {
  const command = group
    .command("list", { isDefault: true })
    .description("Accepted reports about a domain, the newest first")
    .argument("<domain>", "policy domain", readDomain)
    .option("--reporter <text>", "only with this text in the reporter's name or the report id")
    .addOption(new Option("--kind <kind>", "kind of report").choices(REPORT_KINDS).default("aggregate"))
    .option("--address <ip>", "only aggregate reports that name this address", readIp)
    .option("--failing", "only with messages or sessions that fail")
    .option("--from <day>", "first day of the period, YYYY-MM-DD (default: 30 days ago)", readDay)
    .option("--to <day>", "last day of the period, YYYY-MM-DD", readDay)
    .option("--account <name>", "only this account")
    .option("--limit <count>", "how many at most", numberBetween(1, MAX_LIMIT), DEFAULT_LIMIT)
    .option("--json", "one JSON object a line");
  addConnectionOptions(command).addHelpText("after", examples).action(listReports);
}

async function listReports(domain: string, options: ListOptions): Promise<void> {
  const { reporter, kind, address, failing, from, to, account, limit, json } = options;
  const client = connect(options);
  const outcome = failing === undefined ? undefined : "fail";
  let listed = 0;
  let isMore = false;
  for await (const one of client.each("listReports", {
    domain,
    account,
    kind,
    from,
    to,
    outcome,
    text: reporter,
    source: address,
    limit: Math.min(limit + 1, PAGE_LIMITS.listed),
  })) {
    isMore = listed === limit;
    if (isMore) break;
    json ? printJson(one) : printOut(renderReport(one));
    listed++;
  }
  if (listed === 0) await requireKnown(client, { domain, account });
  if (json) return;
  if (listed === 0) printOut(`No accepted report matches. ${elsewhere(domain)}`);
  if (isMore) printOut("There are more: narrow it down, or raise --limit.");
}

function elsewhere(domain: string): string {
  return `One that came may be waiting (dmarc status), a dead letter (dmarc dead-letters list --domain ${domain}),
a conflict (dmarc conflicts list), or refused because its address is not registered (dmarc rua refused).`;
}

function renderReport(report: Listed): string {
  const { account, domain, day, uid, reporter, receivedSeconds } = report;
  const path = `/reports/${[account, domain === "" ? "-" : domain, day, uid].map(encodeURIComponent).join("/")}`;
  return `${day}  ${safeText(reporter, MAX_CHARS)}: ${safeText(contentOf(report), MAX_CHARS)}; came ${renderMinute(receivedSeconds)} UTC
  ${path}`;
}

function contentOf(report: Listed): string {
  const count = (number: number): string => number.toLocaleString("en-US");
  switch (report.kind) {
    case "aggregate": {
      const { messages, passed, senderState, beginSeconds, endSeconds } = report;
      const isLong = renderDay(beginSeconds) !== renderDay(endSeconds);
      const period = isLong ? `, ${renderDay(beginSeconds)} to ${renderDay(endSeconds)}` : "";
      return `${messagesText(messages)}, ${count(passed)} pass DMARC${period}; sender ${senderState}`;
    }
    case "tls":
      return `${countText(report.successful + report.failed, "session")}, ${count(report.failed)} failed`;
    case "failure":
      return `${report.authFailure} from ${report.sourceIp}, ${countText(report.incidents, "incident")}`;
  }
}
