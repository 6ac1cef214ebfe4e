/** `dmarc domain list`: the domains with their addresses, how far each is, its reports, policy and verdict. */
import { type Command, Option } from "commander";
import { LISTED_STATUSES } from "../../shared/contract/domain-shapes.ts";
import type { Inputs, Outputs } from "../../shared/contract/operations.ts";
import { csvLine } from "../../shared/csv.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { requireKnown } from "../known-names.ts";
import { readDay } from "../option-values.ts";
import { printJson, printOut, renderTable } from "../terminal.ts";

type Listed = Outputs["listDomains"]["items"][number];
type Verdict = NonNullable<Inputs["listDomains"]["status"]>;

interface ListOptions extends ConnectionOptions {
  account?: string;
  find?: string;
  verdict?: Verdict;
  tag?: string;
  from?: string;
  to?: string;
  json?: true;
  csv?: true;
}

const EXAMPLES = `
Examples:
  dmarc domain list                                   all domains, by name
  dmarc domain list --account acme --csv > acme.csv   those of one account, for a spreadsheet
  dmarc domain list --verdict setUp                   those without a report yet
  dmarc domain list --json | jq -r 'select(.addresses == []) | .domain'

Set-up: how far a domain is until its first report (recordNotFound, wrongAddress, notPermitted, waiting, unknown), then receiving.
Verdict: beingRejected, notYet, ready, protected, tooEarly, silent (no reports), notInUse, setUp (no report yet), notJudged.
A domain without an address is not registered: its reports come to an address for any domain. It is listed if reports of the period (30 days, or
--from and --to) are about it; the policy is of the period, too. With --json one object a line, as GET /api/v1/domains answers.`;

/** The columns, for people and for CSV. */
const COLUMNS: readonly { name: string; value: (row: Listed) => string }[] = [
  { name: "domain", value: ({ domain }) => domain },
  { name: "account", value: ({ accounts }) => accounts.join(" ") },
  { name: "address", value: ({ addresses }) => addresses.join(" ") },
  { name: "set-up", value: setUpOf },
  { name: "first report", value: ({ firstReportDay }) => firstReportDay ?? "" },
  { name: "last report", value: ({ lastReportDay }) => lastReportDay ?? "" },
  { name: "policy", value: ({ policy }) => policy },
  { name: "verdict", value: ({ status }) => status },
];

/** Adds the subcommand. */
export function addDomainList(domain: Command): void {
  const command = domain
    .command("list")
    .description("Domains with address, set-up, reports, policy and verdict")
    .option("--account <name>", "those of this account")
    .option("--find <text>", "those whose name, policy or account holds this")
    .addOption(new Option("--verdict <verdict>", "those with this one").choices(LISTED_STATUSES))
    .option("--tag <tag>", "those with this tag")
    .option("--from <day>", "first day of the period, YYYY-MM-DD (the last 30 days if not given)", readDay)
    .option("--to <day>", "last day of the period, YYYY-MM-DD", readDay)
    .option("--json", "one JSON object a line, for programs")
    .addOption(new Option("--csv", "the columns as CSV with a heading").conflicts("json"));
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printDomains);
}

async function printDomains(options: ListOptions): Promise<void> {
  const { account, find: text, verdict: status, tag, from, to } = options;
  const client = connect(options);
  const input = { account, text, status, tag, from, to, order: "domain", limit: PAGE_LIMITS.listed } as const;
  const rows: Listed[] = [];
  let count = 0;
  if (options.csv) process.stdout.write(csvLine(COLUMNS.map(({ name }) => name)));
  for await (const item of client.each("listDomains", input)) {
    count += 1;
    if (options.json) printJson(item);
    else if (options.csv) process.stdout.write(csvLine(COLUMNS.map(({ value }) => value(item))));
    else rows.push(item);
  }
  if (count === 0) await requireKnown(client, { account });
  if (options.json || options.csv) return;
  if (count === 0) return printOut("No domain matches.");
  printOut(
    renderTable(
      COLUMNS.map(({ name }) => name),
      rows.map((row) => COLUMNS.map(({ value }) => value(row))),
    ),
  );
}

/** Of a domain that is registered or has reports. */
function setUpOf({ setup, lastReportDay }: Listed): string {
  return lastReportDay === null ? setup : "receiving";
}
