/** Any arguments of any command: it runs, or a sentence says what is wrong with them; nothing else is thrown. */
import { type Command, CommanderError } from "commander";
import { expect, it, vi } from "vitest";
import { CommandError } from "../../cli/command-error.ts";
import { buildProgram } from "../../cli/program.ts";
import fc from "../support/properties.ts";

/** What the command would have done. */
class Ran extends Error {}

const VALUES = [
  ...["", " ", "\u0000", "__proto__", "constructor", "toString", "--", "-", "-1", "--help", "9".repeat(400), "1e999"],
  ...[
    "NaN",
    "\r\nx: 1",
    "a".repeat(5000),
    "9999-99-99",
    "0000-00-00",
    "2026-01-01",
    "2026-02-30",
    "acme.example",
    "%zz",
  ],
  ...[
    "*.acme.example",
    "a@b.example",
    "a@b",
    "@",
    "http://",
    "https://[",
    "https://x.example:99999",
    "https://x.example",
  ],
  ...[
    "192.0.2.1",
    "192.0.2.0/99",
    "::1",
    "2001:db8::/64",
    "1",
    "0",
    "65536",
    "1,2",
    "a=b",
    "=",
    "\u202e",
    "{}",
    "null",
  ],
  ...["enforce", "daily", "Europe/Berlin", "xn--", "service:", "service:Google", "p=none", "v=DMARC1; p=none", "acme"],
];

interface Listed {
  path: string[];
  command: Command;
}

function listed(command: Command, path: string[] = []): Listed[] {
  return [{ path, command }, ...command.commands.flatMap((inner) => listed(inner, [...path, inner.name()]))];
}

function silence(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined, outputError: () => undefined });
  if (command.commands.length === 0) {
    command.action(() => {
      throw new Ran();
    });
  }
  for (const inner of command.commands) silence(inner);
}

const value = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...VALUES) }, fc.string({ unit: "grapheme" }));

/** Arguments of a command: some of its options, and about as many others as it takes. */
function argumentsOf({ path, command }: Listed): fc.Arbitrary<string[]> {
  const options = command.options.map(({ long, flags }) => {
    const name = long ?? "";
    const hasValue = /[<[]/.test(flags);
    return hasValue
      ? fc.oneof(
          value.map((given) => [name, given]),
          value.map((given) => [`${name}=${given}`]),
        )
      : fc.constant([name]);
  });
  const chosen = options.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...options), { maxLength: 4 });
  const { length } = command.registeredArguments;
  const others = fc.oneof(
    { weight: 4, arbitrary: fc.array(value, { minLength: length, maxLength: length }) },
    fc.array(value, { maxLength: 4 }),
  );
  return fc.tuple(chosen, others).map(([given, rest]) => [...path, ...given.flat(), ...rest]);
}

it("run, or are refused in a sentence", async () => {
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const ended = { ran: 0, refused: 0 };
  try {
    const any = fc.constantFrom(...listed(buildProgram())).chain(argumentsOf);
    await fc.assert(
      fc.asyncProperty(any, async (given) => {
        const program = buildProgram();
        silence(program);
        const error: unknown = await program.parseAsync(given, { from: "user" }).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error instanceof Ran) {
          ended.ran += 1;
          return;
        }
        const isSaid = error instanceof CommanderError || error instanceof CommandError;
        expect(isSaid ? "" : error).toBe("");
        if (isSaid) expect(error.message).not.toMatch(/undefined|\[object|TypeError|^$/);
        ended.refused += 1;
      }),
      { numRuns: 600 },
    );
  } finally {
    stderr.mockRestore();
  }
  expect(ended.ran).toBeGreaterThan(100);
  expect(ended.refused).toBeGreaterThan(100);
});
