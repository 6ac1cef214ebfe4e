/** `dmarc parse`: shows what is in files. Offline; nothing is sent anywhere. */

import type { Command } from "commander";
import type { ReportSender } from "../../shared/authentication/sender-state.ts";
import { describeFile } from "../../shared/report/advice.ts";
import { cleanDetail } from "../../shared/report/problems.ts";
import { countText } from "../../shared/watch/words.ts";
import { authenticateFile } from "../authenticate-file.ts";
import { exitCodes } from "../exit-codes.ts";
import { isOfFileSystem, reasonOf } from "../file-errors.ts";
import { openFileSource } from "../file-source.ts";
import { walkFiles } from "../mail-files.ts";
import { readDnsUrl } from "../option-values.ts";
import { type AggregateSummary, type FileSummary, parseFile, type ReportSummary } from "../parse-file.ts";
import { printError, printJson, printOut, renderDay, renderTable, safeText } from "../terminal.ts";

interface ParseOptions {
  json?: true;
  records?: true;
  authservId?: string;
  dns?: string;
}

const EXAMPLES = `
Examples:
  dmarc parse report.xml.gz                      what is in a report
  dmarc parse --records google.com!acme.zip      and its rows
  dmarc parse --json mails/                      every file in a folder, one JSON line each, for programs
  dmarc parse --authserv-id mx.cloudflare.net mail.eml         believing what that receiver wrote on top of the mail
  dmarc parse --dns https://cloudflare-dns.com/dns-query m.eml  verifying its signatures

Of a report in a mail it says whether the mail proves who sent it: verified, unverified or contradicted; unchecked without
one of these two options.
A file may be a report (XML or JSON), an archive, or a whole mail; names and types are ignored, the bytes decide.
Exit code: 0 all read, 1 a file couldn't be opened, 2 a file holds no readable report.`;

/** Adds the command. */
export function addParse(program: Command): void {
  program
    .command("parse")
    .description("Read reports from files, offline")
    .argument("<path...>", "reports, archives, mails, or folders of them")
    .option("--json", "one JSON object a line, in the order of the files")
    .option("--records", "also the rows of aggregate reports")
    .option("--authserv-id <id>", "receiver whose Authentication-Results at the top of a mail are trusted")
    .option("--dns <url>", "DNS server (RFC 8484) to ask for the keys of a mail's signatures", readDnsUrl)
    .addHelpText("after", EXAMPLES)
    .action(async (files: string[], options: ParseOptions) => {
      process.exitCode = await runParse(files, options);
    });
}

async function runParse(paths: string[], options: ParseOptions): Promise<number> {
  const found = { unopened: false, rejected: false };
  for (const path of paths) {
    try {
      const passOver = (one: string): void => printError(`dmarc parse: ${one}: passed over, a hidden file or a link`);
      for await (const file of walkFiles([path], passOver)) await parseOne(file, options, found);
    } catch (error) {
      found.unopened = true;
      // A folder below that cannot be read ends the walk: it is the one to name.
      printUnreadable(isOfFileSystem(error) ? (error.path ?? path) : path, error);
    }
  }
  if (found.unopened) return exitCodes.failure;
  return found.rejected ? exitCodes.rejected : exitCodes.done;
}

async function parseOne(
  file: string,
  options: ParseOptions,
  found: { unopened: boolean; rejected: boolean },
): Promise<void> {
  const summary = await parsePath(file, options);
  if (summary === undefined) {
    found.unopened = true;
    return;
  }
  found.rejected ||= summary.outcome === "rejected";
  if (options.json) printJson(summary);
  else printOut(renderFile(summary));
}

async function parsePath(
  file: string,
  { records, authservId = "", dns: dnsUrl = "" }: ParseOptions,
): Promise<FileSummary | undefined> {
  try {
    await using source = await openFileSource(file);
    const nowSeconds = Date.now() / 1000;
    const authentication = await authenticateFile(source, { authservId, dnsUrl, nowSeconds });
    return await parseFile(file, source, { nowSeconds, keepRecords: records === true, authentication });
  } catch (error) {
    printUnreadable(file, error);
    return undefined;
  }
}

// Anything but an error of the file system is a bug and must not look like a bad file.
function printUnreadable(path: string, error: unknown): void {
  if (!isOfFileSystem(error)) throw error;
  printError(`dmarc: ${path} can't be read: ${reasonOf(error)}.`);
}

function renderFile({ file, reports, problems, passedOver }: FileSummary): string {
  const blocks = [safeText(file, 500), ...reports.map(renderReport)];
  for (const { code, message, part, advice, file: facts } of problems) {
    blocks.push(`  problem    ${code}: ${safeText(message, 400)}${part === "" ? "" : ` [${safeText(part)}]`}`);
    if (facts !== undefined && part !== "") blocks.push(`             ${safeText(describeFile(facts), 400)}`);
    blocks.push(`             ${advice}`);
  }
  for (const { kind, ...facts } of passedOver) {
    blocks.push(`  passed     ${kind.replaceAll("_", " ")}: ${safeText(describeFile(facts), 400)}`);
  }
  return `${blocks.join("\n")}\n`;
}

function renderReport(report: ReportSummary): string {
  const lines = renderFacts(report).map(([name, value]) => `  ${name.padEnd(10)} ${value}`);
  if (report.sender !== undefined) lines.push(`  sender     ${renderSender(report.sender)}`);
  if (report.kind === "aggregate" && report.rows !== undefined) lines.push(renderRows(report));
  for (const { code, path, detail } of report.warnings) {
    lines.push(`  warning    ${code} at ${safeText(path)}: ${safeText(detail)}`);
  }
  return lines.join("\n");
}

function renderFacts(report: ReportSummary): [string, string][] {
  switch (report.kind) {
    case "aggregate": {
      const skipped: [string, string][] =
        report.skippedRecords > 0 ? [["skipped", countText(report.skippedRecords, "record")]] : [];
      return [
        ["aggregate", `${safeText(report.domain)}, by ${safeText(report.orgName)}`],
        ["report id", safeText(report.reportId, 200)],
        ["period", `${renderDay(report.begin)} to ${renderDay(report.end)}`],
        [
          "policy",
          `p=${report.policy.p} sp=${report.policy.sp} adkim=${report.policy.adkim} aspf=${report.policy.aspf}`,
        ],
        [
          "messages",
          `${report.messages} in ${counted(report.records, "record")} from ${counted(report.sources, "source")}, ${passRate(report)}`,
        ],
        ["handled", renderCounts(report.dispositions)],
        ...skipped,
      ];
    }
    case "tls":
      return [
        ["tls", `by ${safeText(report.orgName)}`],
        ["report id", safeText(report.reportId, 200)],
        ["period", `${renderDay(report.begin)} to ${renderDay(report.end)}`],
        ["sessions", `${report.sessions}, ${report.failedSessions} failed`],
        ["policies", report.policies.map((p) => `${safeText(p.policyDomain)} (${safeText(p.policyType)})`).join(", ")],
      ];
    case "failure":
      return [
        ["failure", safeText(report.reportedDomain)],
        ["source", safeText(report.sourceIp)],
        ["failed", safeText(report.authFailure)],
        ["arrived", safeText(report.arrivalDate)],
        ["delivery", safeText(report.deliveryResult)],
      ];
  }
}

function renderSender({ state, domain }: ReportSender): string {
  return domain === "" ? state : `${state}, by ${safeText(domain)}`;
}

function renderRows({ rows = [] }: AggregateSummary): string {
  const head = ["source", "count", "disposition", "dkim", "spf", "header from", "envelope from", "reasons"];
  const cells = rows.map((row) => [
    row.sourceIp,
    row.count,
    row.disposition,
    row.dkim,
    row.spf,
    row.headerFrom,
    row.envelopeFrom,
    row.reasons.map(({ rawType }) => rawType).join(" "),
  ]);
  return renderTable(head, cells);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function passRate({ messages, passed }: AggregateSummary): string {
  return messages === 0 ? "none" : `${passed} passed (${Math.round((passed / messages) * 1000) / 10} %)`;
}

function renderCounts(counts: Partial<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${cleanDetail(name)} ${count}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
