/** Every example of a command's help is a command that there is: its words, options and values are taken as they are printed. */
import { CommanderError } from "commander";
import { describe, expect, it, vi } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { exampleLines, silence, wordsOf } from "./examples.ts";

const examples = exampleLines();

describe("examples of --help", () => {
  it("are found for each command", () => {
    expect(examples.length).toBeGreaterThan(120);
  });

  it.each(examples)("$line", async ({ line }) => {
    const runs: string[] = [];
    const program = buildProgram();
    silence(program, (words) => runs.push(words));
    const warn = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      for (const words of wordsOf(line)) await program.parseAsync(words, { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      expect.fail(error.message);
    } finally {
      warn.mockRestore();
    }
    expect(runs).toHaveLength(wordsOf(line).length);
  });
});

describe("the words of a line", () => {
  it("are those a shell makes of it, without what is around the command", () => {
    expect(wordsOf("dmarc send reports/ && dmarc status --wait && dmarc stats")).toEqual([
      ["send", "reports/"],
      ["status", "--wait"],
      ["stats"],
    ]);
    expect(wordsOf(`A=b dmarc x "two words" 'a|b' "" > file      what it does`)).toEqual([
      ["x", "two words", "a|b", ""],
    ]);
    expect(wordsOf("source <(dmarc completion bash)   in ~/.bashrc")).toEqual([["completion", "bash"]]);
    expect(wordsOf("dmarc a | jq -r '.b'")).toEqual([["a"]]);
  });
});
