/** docs/operations.md has every code that an operator may meet; its commands exist. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PROBLEM_STATUS } from "../../shared/contract/problems.ts";
import { DEAD_LETTER_ADVICE } from "../../shared/problem-advice.ts";
import { PROBLEM_MEANINGS } from "../../shared/report/problems.ts";
import { RULE_CODES } from "../../shared/watch/finding.ts";
import { RULE_ADVICE } from "../../shared/watch/rule-advice.ts";

const text = readFileSync("docs/operations.md", "utf8");

test("every problem of a report, every alert and every problem of the API has a row", () => {
  const codes = [...Object.keys(PROBLEM_MEANINGS), ...RULE_CODES, ...Object.keys(PROBLEM_STATUS)];
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  expect(codes.filter((code) => !rows.some((row) => row.split("|")[1]?.includes(`\`${code}\``)))).toEqual([]);
  expect(Object.keys(DEAD_LETTER_ADVICE).sort()).toEqual(Object.keys(PROBLEM_MEANINGS).sort());
  expect(Object.keys(RULE_ADVICE).sort()).toEqual([...RULE_CODES].sort());
});

test("the commands of its drills are in the help", () => {
  const help = readFileSync("docs/cli.md", "utf8");
  const commands = [...text.matchAll(/^ {4}dmarc ([a-z-]+(?: [a-z-]+)?)([^#\n]*)/gm)];
  expect(commands.length).toBeGreaterThan(10);
  for (const [, words = "", options = ""] of commands) {
    const group = words.split(" ")[0] ?? "";
    const own = help.includes(`## dmarc ${words}\n`) ? words : group;
    const section = help.split(`## dmarc ${own}\n`)[1]?.split("\n## ")[0] ?? "";
    expect(section, words).not.toBe("");
    for (const [option] of options.matchAll(/--[a-z-]+/g)) expect(section, `${words} ${option}`).toContain(option);
  }
});
