/** Tables, exports and numbers of the pages, without a page. */
import { describe, expect, it } from "vitest";
import { csvPieces, jsonPieces, streamOf } from "../../workers/dashboard/data/export.ts";
import { formatCompact, formatDuration, formatShare, shareOf } from "../../workers/dashboard/data/numbers.ts";
import { pageNumbers, pageOf, readTableState, selectRows } from "../../workers/dashboard/data/table.ts";

describe("a table", () => {
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

  it("sorts numbers as numbers and text as people do, filters, and has pages", () => {
    expect(selectRows(rows, columns, state("")).map(({ n }) => n)).toEqual([100, 10, 9]);
    expect(selectRows(rows, columns, state("t.sort=name")).map(({ name }) => name)).toEqual(["a", "b", "B2"]);
    expect(selectRows(rows, columns, state("t.q=b")).map(({ name }) => name)).toEqual(["B2", "b"]);
    expect(selectRows(rows, columns, state("t.sort=nothing"))).toEqual(rows);
    expect(pageOf(rows, { ...state("t.page=9"), size: 2 })).toEqual({ rows: [rows[2]], page: 2, pages: 2 });
    expect(pageOf([], state(""))).toEqual({ rows: [], page: 1, pages: 1 });
  });

  it("links to the first, the last and the neighbouring pages", () => {
    const text = (page: number, pages: number) =>
      pageNumbers(page, pages)
        .map((n) => n ?? "…")
        .join(" ");
    expect([text(1, 1), text(1, 3), text(2, 7)]).toEqual(["1", "1 2 3", "1 2 3 4 … 7"]);
    expect([text(5, 9), text(6, 12), text(12, 12)]).toEqual([
      "1 2 3 4 5 6 7 8 9",
      "1 … 4 5 6 7 8 … 12",
      "1 … 10 11 12",
    ]);
    expect([text(3, 8), text(4, 8), text(6, 8)]).toEqual(["1 2 3 4 5 … 8", "1 2 3 4 5 6 7 8", "1 … 4 5 6 7 8"]);
    expect(text(3, 1_000_000_000)).toBe("1 2 3 4 5 … 1000000000");
    expect(text(900_000_000, 1_000_000_000)).toBe("1 … 899999998 899999999 900000000 900000001 900000002 … 1000000000");
  });

  it.each(["t.page=0", "t.page=-1", "t.page=x", "t.size=1000000"])("uses the default for %s", (query) => {
    expect(state(query)).toMatchObject({ page: 1, size: 25 });
  });
});

describe("exports", () => {
  const columns = [{ key: "text", label: "Text", value: (text: string | number) => text }];

  it("have a line of keys and one line per row", () => {
    expect([...csvPieces(["a", "=1", 2], columns)]).toEqual(["text\r\n", "a\r\n", '"\'=1"\r\n', "2\r\n"]);
    expect([...csvPieces([], columns)]).toEqual(["text\r\n"]);
  });

  it.each([[[]], [["=1"]], [["a\u2028b", 'c"', 3]]])("as JSON read back unchanged: %j", (rows) => {
    const text = [...jsonPieces<string | number>(rows, columns)].join("");
    expect(JSON.parse(text)).toEqual(rows.map((row) => ({ text: row })));
    expect(text).toBe(rows.length === 0 ? "[]\n" : `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  });

  it("are streamed a few lines at a time", async () => {
    let written = 0;
    const lines = function* (): Generator<string> {
      for (; written < 10_000; written++) yield `${"x".repeat(999)}\n`;
    };
    const reader = streamOf(lines()).getReader();
    await reader.read();
    expect(written).toBeLessThan(200);
    let bytes = 0;
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) bytes += piece.value.byteLength;
    expect(bytes).toBeGreaterThan(9_000_000);
    expect(await new Response(streamOf([])).text()).toBe("");
  });
});

describe("numbers", () => {
  it("have no share of zero, which is an empty field and sorts first", () => {
    expect([shareOf(0, 0), shareOf(0, 2), shareOf(1, 2)]).toEqual(["", 0, 0.5]);
    const shares = [{ part: 1 }, { part: 0 }, { part: 2 }];
    const columns = [{ key: "s", label: "S", value: ({ part }: { part: number }) => shareOf(1, part) }];
    const state = readTableState(new URLSearchParams(), { id: "t", sort: "s" });
    expect([...csvPieces(selectRows(shares, columns, state), columns)].join("")).toBe("s\r\n\r\n0.5\r\n1\r\n");
  });

  it("never round a failure to zero", () => {
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
