/**
 * `npm run cases:mail -- DIR`: mails files of DIR to a separate local stack, and compares its figures, pages, conflicts and
 * dead letters with what is right, a line a case (test/support/case-mails.ts).
 *
 * Exit code: 0 all as expected, 1 something is not, 2 wrong usage.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCaseMails } from "../test/support/case-mails.ts";
import { freeStackPorts } from "../test/support/ports.ts";

const [folder, ...others] = process.argv.slice(2);
if (folder === undefined || others.length > 0) {
  console.error("usage: npm run cases:mail -- DIR");
  process.exitCode = 2;
} else {
  const results = await runCaseMails((name) => readFile(join(folder, name)), await freeStackPorts());
  for (const { name, wrong } of results) {
    console.log(
      `${wrong.length === 0 ? "ok    " : "WRONG "} ${name}${wrong.map((text) => `\n         ${text}`).join("")}`,
    );
  }
  process.exitCode = results.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
}
