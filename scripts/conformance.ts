/**
 * Compares what `dmarc parse` reads in a folder of reports with the folder's expected.json; prints every difference and
 * the share of files that agree. It writes nothing.
 *
 * usage: npm run conformance -- DIR
 * Exit code: 0 every file agrees, 1 something differs or the folder cannot be read.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openFileSource } from "../cli/file-source.ts";
import { parseFile } from "../cli/parse-file.ts";
import { safeText } from "../cli/terminal.ts";
import { compareFile, type ExpectedFile, readExpected, type Verdict } from "./conformance-rule.ts";

async function checkFile(folder: string, file: string, expected: ExpectedFile): Promise<Verdict> {
  await using source = await openFileSource(join(folder, file));
  return compareFile(expected, await parseFile(file, source, { nowSeconds: Date.now() / 1000 }));
}

async function checkFolder(folder: string): Promise<number> {
  const expected = readExpected(JSON.parse(await readFile(join(folder, "expected.json"), "utf8")));
  const files = Object.keys(expected).sort();
  let agreeing = 0;
  let doubtful = 0;
  for (const file of files) {
    const entry = expected[file];
    if (entry === undefined) continue;
    const verdict = await checkFile(folder, file, entry);
    if (verdict.agrees) {
      agreeing++;
      doubtful += verdict.rejectedDoubtful ? 1 : 0;
      continue;
    }
    const why = entry.problems.length === 0 ? "" : ` (${safeText(entry.problems, 300)})`;
    for (const difference of verdict.differences)
      console.log(`${safeText(file, 500)}: ${safeText(difference, 500)}${why}`);
  }
  const rate = files.length === 0 ? 0 : Math.floor((agreeing / files.length) * 10_000) / 100;
  console.log(`${agreeing} of ${files.length} files agree (${rate} %), ${doubtful} doubtful files rejected`);
  return agreeing === files.length && files.length > 0 ? 0 : 1;
}

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0) {
  console.error("usage: npm run conformance -- DIR (a folder with an expected.json)");
  process.exitCode = 1;
} else {
  process.exitCode = await checkFolder(folder).catch((error: Error) => {
    console.error(`conformance: ${error.message}`);
    return 1;
  });
}
