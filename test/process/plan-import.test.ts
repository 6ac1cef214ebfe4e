/** What an import does, line by line: what is new, what is there, and what is wrong. */
import { describe, expect, it } from "vitest";
import { type ImportLine, importChunks, readImportFile } from "../../shared/import-lines.ts";
import { ImportPlanner, type ImportState, readLine } from "../../shared/import-plan.ts";
import { ACCOUNT_LIMITS } from "../../shared/limits.ts";

const NOTHING: ImportState = {
  accounts: [],
  addresses: [],
  listed: [],
  counts: [],
  makeAddress: undefined,
  mayCreate: true,
  forgotten: [],
};

function planned(lines: Omit<ImportLine, "line">[], state: Partial<ImportState> = {}) {
  const planner = new ImportPlanner({ ...NOTHING, ...state });
  const results = lines.map((line, i) => {
    const read = readLine({ ...line, line: i + 2 });
    return read.ok ? planner.add(read.value) : read.error;
  });
  return { results, plan: planner.plan() };
}

function outcomes(lines: Omit<ImportLine, "line">[], state: Partial<ImportState> = {}): string[] {
  return planned(lines, state).results.map(({ result, message }) =>
    message === "" ? result : `${result}: ${message}`,
  );
}

describe("a plan", () => {
  it("creates an account once, and its address takes the domains of all its lines", () => {
    const rua = "Reports@RUA.example";
    const { results, plan } = planned([
      { account: "acme", name: "Acme", domain: "A.example", rua },
      { account: "acme", domain: "b.example", rua },
      { account: "acme", domain: "b.example", rua },
    ]);
    expect(results.map(({ result, message }) => [result, message])).toEqual([
      ["new", "new account, new address, new domain"],
      ["new", "new domain"],
      ["exists", ""],
    ]);
    expect(plan).toEqual({
      accounts: [{ account: "acme", name: "Acme" }],
      added: [{ rua: "reports@rua.example", entry: { account: "acme", domains: ["a.example", "b.example"] } }],
      widened: [],
      domains: [
        { account: "acme", domain: "a.example", rua: "reports@rua.example" },
        { account: "acme", domain: "b.example", rua: "reports@rua.example" },
      ],
    });
  });

  it("changes nothing that exists, except to add a domain to an address", () => {
    const state: Partial<ImportState> = {
      accounts: [{ account: "acme", name: "Acme" }],
      addresses: [{ rua: "r@rua.example", entry: { account: "acme", domains: ["a.example"] } }],
      listed: [{ account: "acme", domain: "a.example", rua: "r@rua.example" }],
    };
    const lines = [
      { account: "acme", name: "Another name", domain: "a.example" },
      { account: "acme", domain: "a.example", rua: "r@rua.example" },
      { account: "acme", domain: "new.example", rua: "r@rua.example" },
    ];
    expect(outcomes(lines, state)).toEqual(["exists", "exists", "new: new domain"]);
    expect(planned(lines, state).plan).toMatchObject({
      accounts: [],
      added: [],
      widened: [{ rua: "r@rua.example", domains: ["new.example"] }],
    });
  });

  it("makes an address for a domain without one, if possible", () => {
    let made = 0;
    const state = { makeAddress: () => `made-${++made}@rua.example` };
    const lines = [
      { account: "acme", domain: "a.example" },
      { account: "acme", domain: "a.example" },
      { account: "beta", domain: "a.example" },
    ];
    expect(planned(lines, state).results.map(({ rua, result }) => [rua, result])).toEqual([
      ["made-1@rua.example", "new"],
      ["made-1@rua.example", "exists"],
      ["made-2@rua.example", "new"],
    ]);
    expect(outcomes(lines)[0]).toMatch(/^error: No address can be made: RUA_HOST/);
  });

  it("explains a wrong line and continues with the others", () => {
    const state: Partial<ImportState> = {
      accounts: [{ account: "acme", name: "" }],
      addresses: [{ rua: "theirs@rua.example", entry: { account: "other" } }],
      counts: [{ account: "acme", domains: 20_000 }],
    };
    expect(
      outcomes(
        [
          { account: "not valid!" },
          { account: "" },
          { account: "acme", name: "n".repeat(101) },
          { account: "acme", domain: "no domain" },
          { account: "acme", rua: "no address" },
          { account: "acme", rua: "theirs@rua.example" },
          { account: "acme", domain: "a.example", rua: "r@rua.example" },
          { account: "acme", name: "Acme" },
        ],
        state,
      ),
    ).toEqual([
      expect.stringMatching(/^error: 'not valid!' is no name of an account/),
      expect.stringMatching(/^error: '' is no name/),
      expect.stringMatching(/^error: The name has 101 characters/),
      expect.stringMatching(/^error: /),
      expect.stringMatching(/^error: .*is not a mail address/),
      "error: theirs@rua.example is an address of the account other.",
      "error: An account has at most 20000 domains.",
      "new: name of the account",
    ]);
    expect(outcomes([{ account: "acme" }], { mayCreate: false })[0]).toMatch(/^error: The database for new accounts/);
  });
});

describe("a file", () => {
  it("names its columns in any order, and may leave lines empty", () => {
    expect(
      readImportFile('\ufeffDomain;ACCOUNT;name\r\na.example;acme;"Acme; ""the""\nfirst"\r\n;;\r\nb.example;beta\r\n'),
    ).toEqual({
      ok: true,
      value: [
        { line: 2, account: "acme", name: 'Acme; "the"\nfirst', domain: "a.example", rua: "" },
        { line: 5, account: "beta", name: "", domain: "b.example", rua: "" },
      ],
    });
  });

  it.each([
    ["", "is empty"],
    ["domain,rua\na.example,", "has to name the columns"],
    ["account,colour\nacme,red", "'colour' is none of them"],
    [`account\n${"a\n".repeat(ACCOUNT_LIMITS.importedLines + 1)}`, "at most 20000"],
  ])("is refused with a reason: %#", (text, reason) => {
    const read = readImportFile(text);
    expect(read.ok ? "" : read.error).toContain(reason);
  });

  it("is sent in parts that fit one call", () => {
    const lines = Array.from({ length: 1201 }, (_, i) => ({ line: i + 2, account: "a" }));
    expect(importChunks(lines).map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(importChunks(lines).flat()).toEqual(lines);
    expect(importChunks([])).toEqual([]);
  });
});
