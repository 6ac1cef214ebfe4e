/** `dmarc reports`: lists accepted reports, and takes back one, such as a forged one. */
import { type Command, InvalidArgumentError } from "commander";
import type { Inputs, Outputs } from "../../shared/contract/operations.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderPairs } from "../terminal.ts";
import { addList } from "./list-reports.ts";

type ReportName = Inputs["undoTakeBack"];

interface ReportOptions extends ConnectionOptions {
  json?: true;
}
interface TakeBackOptions extends ReportOptions {
  reason: string;
}

const EXAMPLES = `
Examples:
  dmarc reports example.com --reporter google --from 2026-11-24 --to 2026-11-24    what Google said about that day
  dmarc reports list example.com --address 192.0.2.7 --failing --json
  dmarc reports take-back /reports/acme/acme.example/2026-11-20/0123456789abcdef0123456789abcdef --reason "forged"
  dmarc reports undo-take-back acme/acme.example/2026-11-20/0123456789abcdef0123456789abcdef

list names each report by the address of its page, which has its records and its file. Reports that were not accepted are in
dmarc dead-letters and dmarc conflicts. A report is named as its page's address ends: account, domain, day and uid. What is taken back counts in no figure and is not
accepted again; its file stays in R2, and who decided so and why is kept.`;

/** Adds the command with its subcommands. */
export function addReports(program: Command): void {
  const group = program.command("reports").description("Accepted reports about a domain: list them, take one back");
  group.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(group, EXAMPLES);
  addList(group, EXAMPLES);
  subcommand("take-back", "Remove an accepted report from all figures")
    .argument("<report>", "address of the report's page", readName)
    .requiredOption("--reason <text>", "why; kept with the decision")
    .action(async (report: ReportName, { reason, ...options }: TakeBackOptions) =>
      printReport(await connect(options).ask("takeBackReport", { ...report, reason }), "taken back", options),
    );
  subcommand("undo-take-back", "Count a report again that was taken back")
    .argument("<report>", "address of the report's page", readName)
    .action(async (report: ReportName, options: ReportOptions) =>
      printReport(await connect(options).ask("undoTakeBack", report), "counts again", options),
    );
}

// Accepts a full link, a path, or just the four parts.
function readName(text: string): ReportName {
  const [path = ""] = text.split(/[?#]/);
  const parts = path.replace(/\/+$/, "").split("/").slice(-4).map(decode);
  const [account = "", domain = "", day = "", uid = ""] = parts;
  if (parts.length < 4 || account === "") {
    throw new InvalidArgumentError("It must end with account, domain, day and uid, like the address of its page.");
  }
  return { account, domain: domain === "-" ? "" : domain, day, uid };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InvalidArgumentError("It is not an address.");
  }
}

function printReport(report: Outputs["takeBackReport"], state: string, { json }: ReportOptions): void {
  if (json) {
    printJson(report);
    return;
  }
  const { account, kind, domain, day, uid } = report;
  printOut(
    renderPairs([
      ["state", state],
      ["kind", kind],
      ["account", account],
      ["domain", domain],
      ["day", day],
      ["uid", uid],
    ]),
  );
}
