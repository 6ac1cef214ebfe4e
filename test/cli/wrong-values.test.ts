/** Every option of every command that takes a value of a form is given a wrong one: it is refused where it is typed, by name. */
import { join } from "node:path";
import { type Command, CommanderError, type Option } from "commander";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { runCommand } from "./run-command.ts";

/** A wrong value by the name of the value in the help. */
const WRONG: Record<string, string> = {
  day: "2026-02-30",
  days: "some",
  n: "some",
  number: "some",
  seconds: "soon",
  domain: "not a domain",
  "domain...": "not a domain",
  url: "nowhere",
  address: "nobody",
  kind: "nonsense",
  mode: "nonsense",
  role: "nonsense",
  rule: "nonsense",
  code: "nonsense",
  format: "nonsense",
  interval: "nonsense",
  decision: "nonsense",
};

/** Values that may be any text: names, reasons, files. Whether what they name exists is said by what is asked. */
const ANY_TEXT = new Set(
  [
    "name",
    "name...",
    "text",
    "id",
    "key",
    "prefix",
    "list",
    "file",
    "folder",
    "source...",
    "host...",
    "label",
    "token",
    "secret",
  ].concat(
    // How to connect is checked together; a test of the connection has it.
    [
      "origin",
      "port",
      "profile",
      "tag",
      "group",
      "tag...",
      "user",
      "scope",
      "shell",
      "selector",
      "path",
      "tags",
      "account",
    ],
  ),
);
/** Options whose value is named like others', and is any text. */
const EXCEPTIONS: Record<string, string> = {
  "channels add --time-zone": "Mars/Olympus",
  "audit --operation": "nonsense",
  "export --domain": "not a domain",
  "import gmail --label": "",
  "import imap --port": "70000",
};

interface Tried {
  path: string;
  option: Option;
}

const tried: Tried[] = [];

function list(command: Command, path: string): void {
  for (const option of command.options) if (valueName(option) !== undefined) tried.push({ path, option });
  for (const inner of command.commands) list(inner, `${path} ${inner.name()}`.trim());
}

function valueName({ flags }: Option): string | undefined {
  return /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
}

function wrongValue({ path, option }: Tried): string | undefined {
  const exception = EXCEPTIONS[`${path} ${option.long}`];
  if (exception !== undefined) return exception === "" ? undefined : exception;
  const name = valueName(option) ?? "";
  return ANY_TEXT.has(name) ? undefined : (WRONG[name] ?? "nonsense");
}

function silence(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  command.action(() => {
    throw new Error("The command ran.");
  });
  for (const inner of command.commands) silence(inner);
}

let program: Command;

beforeAll(() => {
  program = buildProgram();
  list(program, "");
});

describe("a wrong option value", () => {
  it("is tested for options of every command", () => {
    expect(program.commands.length).toBeGreaterThan(18);
    expect(tried.filter((one) => wrongValue(one) !== undefined).length).toBeGreaterThan(35);
  });

  it("is refused by the command and named", async () => {
    const accepted: string[] = [];
    for (const one of tried) {
      const value = wrongValue(one);
      if (value === undefined) continue;
      const name = `${one.path} ${one.option.long}`;
      const fresh = await buildProgram();
      silence(fresh);
      const exit = vi.spyOn(process.stderr, "write").mockReturnValue(true);
      try {
        await fresh.parseAsync([...one.path.split(" "), one.option.long ?? "", value], { from: "user" });
        accepted.push(`${name}: ran`);
      } catch (error) {
        const isNamed = error instanceof CommanderError && error.message.includes(value);
        if (!isNamed) accepted.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        exit.mockRestore();
      }
    }
    expect(accepted).toEqual([]);
  });
});

it.each([
  ["--http", "x"],
  ["--http", "70000"],
  ["--state", ""],
  ["--url", "ftp://dmarc.example"],
])("a wrong connection value is refused and named: %s %j", async (option, value) => {
  const { code, stderr } = await runCommand(["stats", option, value], { DMARC_TOKEN: "t" });
  expect(code).toBe(1);
  if (value !== "") expect(stderr).toContain(value);
  expect(stderr).toMatch(/^(dmarc|error): ?.+\n/);
});

it.each(["fuzz", "hostile-table"])("scripts/%s.ts --help prints its usage and does nothing else", async (script) => {
  const { spawnSync } = await import("node:child_process");
  const root = join(import.meta.dirname, "../..");
  const { status, stdout } = spawnSync(process.execPath, [join(root, `scripts/${script}.ts`), "--help"], {
    cwd: root,
  });
  expect({ status, text: String(stdout) }).toEqual({ status: 0, text: expect.stringMatching(/^usage: npm run /) });
});
