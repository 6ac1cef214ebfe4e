/** Every command says how it is used, and shells complete all of their words. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { completionScript } from "../../cli/completion.ts";
import { buildProgram } from "../../cli/program.ts";
import { allCommands, helpOf } from "./commands.ts";

it.each(allCommands())("dmarc $words --help has a description and an example", ({ words, command }) => {
  const help = helpOf(command);
  expect(command.description()).not.toBe("");
  const examples = help.split("\nExamples:\n")[1] ?? "";
  expect(examples, help).toContain(`dmarc ${words}`.trim());
  for (const option of command.options) expect(option.description, option.flags).not.toBe("");
});

/** What a shell with the script offers after some words, the last of which is begun. */
function completed(words: string[]): string[] {
  const call = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _dmarc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const input = `${completionScript(buildProgram(), "bash")}\n${call}\n`;
  const lines = execFileSync("bash", ["--norc", "-s"], { encoding: "utf8", input }).split("\n");
  return lines.filter((line) => line !== "");
}

it("bash completes commands, options and option values", () => {
  expect(completed(["dmarc", "to"])).toEqual(["tokens"]);
  expect(completed(["dmarc", "tokens", ""])).toEqual(expect.arrayContaining(["create", "list", "revoke"]));
  expect(completed(["dmarc", "--profile", "tokens", "dead"])).toEqual(["dead-letters"]);
  expect(completed(["dmarc", "tokens", "create", "x", "--scope", ""])).toEqual(["read", "operate"]);
  expect(completed(["dmarc", "tokens", "create", "--acc"])).toEqual(["--account"]);
});

it("each shell's script holds every command and option", () => {
  const program = buildProgram();
  const scripts = { bash: completionScript(program, "bash"), zsh: completionScript(program, "zsh") };
  const fish = completionScript(program, "fish");
  for (const { words, command } of allCommands()) {
    const last = words.split(" ").at(-1) ?? "";
    for (const [shell, script] of Object.entries(scripts))
      expect(script, `${shell}: ${words}`).toContain(`"${words}")`);
    expect(fish).toContain(last);
    for (const { long } of command.options) if (long) expect(fish).toContain(`-l ${long.slice(2)}`);
  }
});
