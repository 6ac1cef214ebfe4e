/**
 * `npm run cases -- DIR`: reads small files made after public trouble reports of other tools and compares what comes out with
 * what is right, a line a file. What is right is in cases-expected.ts, by file name.
 *
 * Exit code: 0 all as expected, 1 something is not, or a file is missing or unknown, 2 wrong usage.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openFileSource } from "../cli/file-source.ts";
import { safeText } from "../cli/terminal.ts";
import { contentHashOf, RecordsHash } from "../shared/content-hash.ts";
import { reportUid } from "../shared/identity.ts";
import { readReports } from "../shared/report/read.ts";
import type { AggregateRecord } from "../shared/report/vocabulary.ts";
import { headerOf } from "../shared/report-header.ts";
import { CASES, type CaseFound, differencesOf, PAIRS, pairDifference } from "./cases-expected.ts";
import { printHelp } from "./help.ts";

const USAGE = `usage: npm run cases -- DIR

Reads each file of DIR as the pipeline does and says what is expected, what came, and whether they agree.`;

/** Reads a file as process does: strictly, with its name. */
async function readCase(folder: string, file: string): Promise<CaseFound> {
  await using source = await openFileSource(join(folder, file));
  const found: CaseFound = { reports: [], problems: [], passedOver: [] };
  let records: AggregateRecord[] = [];
  const options = { nowSeconds: Date.now() / 1000, file: { name: file, mimeType: "", tlsReportDomain: "" } };
  for await (const event of readReports(source, options)) {
    if (event.type === "records") records.push(...event.records);
    else if (event.type === "passed_over") found.passedOver.push(event.kind);
    else if (event.type === "report") {
      const { report } = event;
      const hash = new RecordsHash();
      for (const record of records) hash.add(record);
      const header = headerOf(report);
      const contentHash = await contentHashOf(report, header, hash);
      found.reports.push({ report, records, uid: await reportUid("cases", header, contentHash), contentHash });
      records = [];
    } else {
      found.problems.push(event.problem);
      records = [];
    }
  }
  return found;
}

function summarize({ reports, problems, passedOver }: CaseFound): string {
  const lines = [
    ...reports.map(({ report }) => `${report.kind}${report.warnings.map(({ code }) => ` +${code}`).join("")}`),
    ...problems.map(({ code, message }) => `${code}: ${safeText(message, 200)}`),
    ...(passedOver.length === 0 ? [] : [`passed over ${passedOver.join(", ")}`]),
  ];
  return lines.join("; ");
}

async function checkFolder(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((name) => !/^(\.|README)/.test(name)).sort();
  const found = new Map<string, CaseFound>();
  let failed = 0;
  const tell = (name: string, expected: string, came: string, differences: string[]): void => {
    const verdict = differences.length === 0 ? "ok" : "FAILED";
    if (differences.length > 0) failed++;
    console.log(`${verdict.padEnd(6)} ${name}: expected ${expected}; came ${came}`);
    for (const difference of differences) console.log(`         ${safeText(difference, 400)}`);
  };
  for (const file of files) {
    const read = await readCase(folder, file);
    found.set(file, read);
    const wanted = CASES[file];
    if (wanted === undefined) tell(file, "?", summarize(read), ["cases-expected.ts does not know it"]);
    else tell(file, wanted.expect, summarize(read), differencesOf(wanted, read));
  }
  for (const file of Object.keys(CASES)) if (!found.has(file)) tell(file, "a file", "none", ["it is missing"]);
  for (const pair of PAIRS) {
    const [first, second] = pair.files.map((file) => found.get(file)?.reports[0]);
    const difference = pairDifference(pair, first, second);
    tell(pair.files.join(" + "), pair.expect, difference ?? "the same", difference === undefined ? [] : [difference]);
  }
  console.log(`${files.length} files, ${PAIRS.length} pairs, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const [folder, ...rest] = process.argv.slice(2);
if (printHelp(USAGE)) process.exitCode = 0;
else if (folder === undefined || rest.length > 0) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await checkFolder(folder).catch((error: Error) => {
    console.error(`cases: ${error.message}`);
    return 1;
  });
}
