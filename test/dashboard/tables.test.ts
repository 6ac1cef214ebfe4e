/** Tables, exports and numbers of the pages, without a page. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCsv, buildJson } from "../../workers/dashboard/data/export.ts";
import { formatCompact, formatDuration, formatShare, shareOf } from "../../workers/dashboard/data/numbers.ts";
import { pageOf, readTableState, selectRows } from "../../workers/dashboard/data/table.ts";

describe("tables", () => {
  const columns = [
    { key: "name", label: "Name", value: (row: { name: string; n: number }) => row.name },
    { key: "n", label: "N", value: (row: { name: string; n: number }) => row.n },
  ];
  const rows = [
    { name: "b", n: 10 },
    { name: "a", n: 9 },
    { name: "B2", n: 100 },
  ];
  const state = (query: string) => readTableState(new URLSearchParams(query), { id: "t", sort: "-n" });

  it("sorts numbers as numbers and texts as people do, filters, cuts into pages", () => {
    expect(selectRows(rows, columns, state("")).map(({ n }) => n)).toEqual([100, 10, 9]);
    expect(selectRows(rows, columns, state("t.sort=name")).map(({ name }) => name)).toEqual(["a", "b", "B2"]);
    expect(selectRows(rows, columns, state("t.q=b")).map(({ name }) => name)).toEqual(["B2", "b"]);
    expect(selectRows(rows, columns, state("t.sort=nothing"))).toEqual(rows);
    expect(pageOf(rows, { ...state("t.page=9"), size: 2 })).toEqual({ rows: [rows[2]], page: 2, pages: 2 });
    expect(pageOf([], state(""))).toEqual({ rows: [], page: 1, pages: 1 });
  });

  it.each(["t.page=0", "t.page=-1", "t.page=x", "t.size=1000000"])("takes the default for %s", (query) => {
    expect(state(query)).toMatchObject({ page: 1, size: 25 });
  });
});

describe("exports", () => {
  const columns = [{ key: "text", label: "Text", value: (text: string | number) => text }];
  const field = (value: string | number): string => buildCsv([value], columns).split("\r\n").slice(1, -1).join("\r\n");

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"])("makes the formula %j harmless", (text) => {
    expect(field(text).replace(/^"/, "")).toMatch(/^'/);
  });

  it.each(["x;=1+1", "x; +1", "x\t@SUM(A1)", "=1;=2", '";=1'])(
    "not even where semicolons or tabs separate: %j",
    (text) => {
      for (const part of field(text).split(/[;\t]/)) expect(part.replace(/^"+/, "")).not.toMatch(/^\s*[=+\-@]/);
    },
  );

  it("keeps numbers, quotes what needs it", () => {
    expect(field(-1.5)).toBe("-1.5");
    expect(field(Number.NaN)).toBe("");
    expect(field('a "b", c')).toBe('"a ""b"", c"');
    expect(field("a\nb")).toBe('"a\nb"');
    expect(buildJson(["=1"], columns)).toBe('[\n  {\n    "text": "=1"\n  }\n]\n');
  });

  it("no text begins a field as a formula, however it is made", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const inside = field(text).replace(/^"/, "");
        expect(inside).not.toMatch(/^\s*[=+\-@]/);
        expect(inside).not.toMatch(/^[\t\r]/);
      }),
    );
  });
});

describe("numbers", () => {
  it("have no share of nothing, which sorts before all shares and is an empty field", () => {
    expect([shareOf(0, 0), shareOf(0, 2), shareOf(1, 2)]).toEqual(["", 0, 0.5]);
    const shares = [{ part: 1 }, { part: 0 }, { part: 2 }];
    const columns = [{ key: "s", label: "S", value: ({ part }: { part: number }) => shareOf(1, part) }];
    const state = readTableState(new URLSearchParams(), { id: "t", sort: "s" });
    expect(buildCsv(selectRows(shares, columns, state), columns)).toBe("s\r\n\r\n0.5\r\n1\r\n");
  });

  it("never round a failure away", () => {
    expect([formatShare(0, 0), formatShare(5, 5), formatShare(0, 5)]).toEqual(["–", "100 %", "0 %"]);
    expect([formatShare(999_999, 1_000_000), formatShare(1, 1_000_000)]).toEqual(["> 99.9 %", "< 0.1 %"]);
    expect([formatShare(2, 3), formatCompact(1_234_567)]).toEqual(["66.7 %", "1.2M"]);
    expect([0, 90, 600, 8000, 400_000].map(formatDuration)).toEqual([
      "< 1 s",
      "90 s",
      "10 min",
      "2 h 13 min",
      "5 days",
    ]);
  });
});
