/** Every example of a command's help is a command that there is: its words, options and values are taken as they are printed. */
import { describe, expect, it } from "vitest";
import { exampleLines, expectAccepted, wordsOf } from "./examples.ts";

const examples = exampleLines();

describe("examples of --help", () => {
  it("are found for each command", () => {
    expect(examples.length).toBeGreaterThan(120);
  });

  it.each(examples)("$line", ({ line }) => expectAccepted(line));
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
