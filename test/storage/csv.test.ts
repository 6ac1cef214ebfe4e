/** CSV: RFC 4180 for programs, harmless for spreadsheets, in linear time. */

import { describe, expect, it } from "vitest";
import { csvLine, readCsv } from "../../shared/csv.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import fc from "../support/properties.ts";

const field = (value: string | number | null): string => csvLine([value]).slice(0, -2);

/** Cells as a spreadsheet finds them that splits at `separator`: quotes count only where a cell begins with one. */
function cellsOf(text: string, separator: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at++; at < text.length; at++) {
        if (text[at] === '"' && text[at + 1] !== '"') break;
        if (text[at] === '"') at++;
        cell += text[at] ?? "";
      }
      at++;
    }
    for (; at < text.length && !`${separator}\r\n`.includes(text[at] ?? ""); at++) cell += text[at];
    cells.push(cell);
    at++;
  }
  return cells;
}

const RUNS_AS_FORMULA = /^[\s"\0\u200b\ufeff\u202e]*[=+\-@＝＋－＠]/;

/** Milliseconds of the fastest of five runs: others use the machine too. */
function fastest(texts: string[]): number {
  const runs = Array.from({ length: 5 }, () => {
    const took = cpuTimer();
    csvLine(texts);
    return took();
  });
  return Math.min(...runs);
}

describe("CSV", () => {
  it.each([
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠A",
    "\u3000＝1",
    "\ufeff=1",
  ])("makes the formula %j harmless", (text) => expect(field(text).replace(/^"/, "")).toMatch(/^'/));

  it.each(["\tx", "\rx", "\nx"])("puts a mark before the leading white space of %j", (text) => {
    expect(field(text)).toBe(`"'${text}"`);
  });

  it.each(["x;=1+1", "x; +1", "x\t@SUM(A1)", "=1;=2", '";=1', "x\n=1", "x\r\n-1", "x;\u200b＝1", 'x;"=1"'])(
    "leaves no formula in %j when split at semicolons or tabs",
    (text) => {
      for (const separator of [",", ";", "\t"]) {
        for (const cell of cellsOf(csvLine(["first", text]), separator)) expect(cell).not.toMatch(RUNS_AS_FORMULA);
      }
    },
  );

  it("leaves no formula in any text, for any separator", () => {
    const piece = fc.constantFrom(
      "=",
      "+",
      "-",
      "@",
      "＝",
      "＠",
      ";",
      "\t",
      "\r",
      "\n",
      '"',
      "'",
      " ",
      ",",
      "x",
      "\ufeff",
    );
    fc.assert(
      fc.property(fc.array(fc.string({ unit: piece, maxLength: 12 }), { minLength: 1, maxLength: 3 }), (texts) => {
        for (const separator of [",", ";", "\t"]) {
          for (const cell of cellsOf(csvLine(texts), separator)) expect(cell).not.toMatch(RUNS_AS_FORMULA);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("reads back unchanged except for the marks", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (texts) => {
        const read = cellsOf(csvLine(texts), ",").slice(0, texts.length);
        expect(read.map((text) => text.replaceAll("'", ""))).toEqual(texts.map((text) => text.replaceAll("'", "")));
      }),
    );
  });

  it("keeps numbers and harmless texts, quotes what needs it", () => {
    expect(csvLine([-1.5, Number.NaN, null, "2026-11-21", "a@b.example", "a-b"])).toBe(
      "-1.5,,,2026-11-21,a@b.example,a-b\r\n",
    );
    expect([field('a "b", c'), field("a\nb"), field("a;b"), field("")]).toEqual([
      '"a ""b"", c"',
      '"a\nb"',
      '"a;b"',
      "",
    ]);
  });

  it.each(["\t", ";", " ", '"', "\t=", ";;=", "\u00a0", "'"])("takes linear time for a text of %j", (piece) => {
    const textOf = (chars: number): string => `${piece.repeat(chars / piece.length)}x`;
    const long = fastest([textOf(300_000)]);
    // The same characters in thirty texts: quadratic, the one of them all would take thirty times as long.
    expect(long).toBeLessThan(8 * fastest(Array<string>(30).fill(textOf(10_000))) + 20);
  });
});

describe("a CSV file", () => {
  it("reads back any fields as written", () => {
    const unit = fc.constantFrom(
      "a",
      ";",
      ",",
      '"',
      "'",
      "\r",
      "\n",
      "\t",
      " ",
      "=",
      "-",
      "\u00e9",
      "\u{1f600}",
      "\u2028",
      "\0",
    );
    const rows = fc.array(fc.array(fc.string({ unit }), { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    });
    // What guards a formula is the writer's.
    const unguarded = (given: string[][]) => given.map((row) => row.map((text) => text.replaceAll("'", "")));
    fc.assert(
      fc.property(rows, (given) => {
        const read = readCsv(given.map(csvLine).join("")).map(({ fields }) => fields);
        expect(unguarded(read)).toEqual(unguarded(given));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["", []],
    ["a,b", [["a", "b"]]],
    ["a,\n", [["a", ""]]],
    ["a,", [["a", ""]]],
    ["a\rb\r\nc\n", [["a"], ["b"], ["c"]]],
    ['"a;b";c;d\n', [["a;b", "c", "d"]]],
    ['"never closed, and\nmore', [["never closed, and\nmore"]]],
    // Separators within quotes say nothing of those between fields.
    [
      '"a;b;c",d\r\n1,2\r\n',
      [
        ["a;b;c", "d"],
        ["1", "2"],
      ],
    ],
    [
      '"a\n;;",d\r\n1,2\r\n',
      [
        ["a\n;;", "d"],
        ["1", "2"],
      ],
    ],
    [
      '"a,b,c";d\r\n1;2\r\n',
      [
        ["a,b,c", "d"],
        ["1", "2"],
      ],
    ],
    ['"a"b,c', [["a", "c"]]],
  ])("%j", (text, expected) => {
    expect(readCsv(text).map(({ fields }) => fields)).toEqual(expected);
  });

  it("is read in linear time", () => {
    for (const text of ['"'.repeat(500_000), `${'""'.repeat(250_000)}x`, ",".repeat(500_000), '"a'.repeat(250_000)]) {
      const took = cpuTimer();
      readCsv(text);
      expect(took()).toBeLessThan(3000);
    }
  });
});
