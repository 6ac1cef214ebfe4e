/**
 * Where the fast path could tell other things than the general reader: values that nobody reads, what is between
 * records, very long records, and shapes that other documents teach or make forgotten in the middle of this one.
 */

import { describe, expect, it, test } from "vitest";
import { AggregateReader } from "../../shared/report/aggregate.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import { WarningLog } from "../../shared/report/warnings.ts";
import { joinBytes, toBytes } from "../support/archives.ts";
import fc from "../support/properties.ts";
import { type Found, LOOSE, readAll } from "../support/read.ts";
import { ORDINARY, record, withRecords } from "../support/report-xml.ts";
import { reportBytes, STYLES } from "../support/seeded-reports.ts";

/** A record with an element that no RFC knows, whose value nobody reads. */
const noted = (note: string) => record({}).replace("</row>", `<note>${note}</note></row>`);

/** One text in bytes of several encodings. */
const ENCODINGS: ((text: string) => Uint8Array)[] = [
  toBytes,
  (text) => toBytes(`\ufeff${text}`),
  (text) => joinBytes([0xff, 0xfe], new Uint8Array(Buffer.from(text, "utf16le"))),
  (text) =>
    new Uint8Array(Buffer.from(text.replace(/^<\?.*?\?>/, '<?xml version="1.0" encoding="latin1"?>'), "latin1")),
];

/** Shapes of two records that were read before. */
async function taught(): Promise<RecordShapes> {
  const shapes = new RecordShapes();
  await readAll(withRecords(noted("x"), record({})), undefined, { shapes });
  return shapes;
}

async function compare(content: string | Uint8Array, cut?: number[]): Promise<Found> {
  const general = await readAll(content, cut, { generalReaderOnly: true });
  expect(await readAll(content, cut, { shapes: await taught() })).toEqual(general);
  return general;
}

describe("a value that nobody reads", () => {
  it.each([
    ["", []],
    ["plain", []],
    ["a & b", ["repaired_xml"]],
    ["a < b", ["repaired_xml"]],
    ["]]>", []],
    ["\u0001", []],
    ["\u00a0é", []],
    ["x".repeat(5000), []],
  ])("%j has the warnings of the general reader", async (note, expected) => {
    const { reports } = await compare(withRecords(noted(note), record({})));
    expect(reports[0]?.report.warnings.map(({ code }) => code)).toEqual([...expected, "unknown_element"]);
  });

  it("in another encoding is repaired with a warning", async () => {
    const [before = "", after = ""] = withRecords(noted("HERE"), record({})).split("HERE");
    const { reports } = await compare(joinBytes(before, [0xff], after));
    expect(reports[0]?.report.warnings.map(({ code }) => code)).toEqual(["repaired_encoding", "unknown_element"]);
  });

  it("longer than a record may be makes the record too large", async () => {
    const { problems } = await compare(withRecords(noted("x".repeat(300_000))));
    expect(problems.map(({ code }) => code)).toEqual(["too_large"]);
  });
});

describe("an empty override reason is ignored", () => {
  const TYPED = "<reason><type>other</type><comment>why</comment></reason>";
  const withReasons = (reasons: string) =>
    record({ evaluated: `<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>${reasons}` });

  it.each([
    "<reason/>",
    "<reason></reason>",
    "<reason> </reason>",
    "<reason><type/></reason>",
    "<reason><type/><comment></comment></reason>",
    "<reason><note></note></reason>",
    "<reason><note/></reason>",
  ])("%s", async (empty) => {
    for (const reasons of [empty, empty + TYPED, TYPED + empty, empty + empty + TYPED + TYPED]) {
      // The first of them teaches the shape.
      const { reports } = await compare(withRecords(...Array<string>(3).fill(withReasons(reasons))));
      const typed = { type: "other", rawType: "other", comment: "why" };
      const expected = Array(reasons.split(TYPED).length - 1).fill(typed);
      expect(reports[0]?.records.map((one) => one.reasons)).toEqual([expected, expected, expected]);
    }
  });

  it("as is what a shape learned from an element without a value", async () => {
    const noteOf = (value: string) => withReasons(`<reason><note>${value}</note></reason>`);
    const { reports } = await compare(withRecords(noteOf(""), noteOf("x"), noteOf("")));
    expect(reports[0]?.records.map(({ reasons }) => reasons.length)).toEqual([0, 1, 0]);
  });
});

describe("between records", () => {
  it("padding is counted from zero after each", async () => {
    const comment = `<!-- ${"x".repeat(3000)} -->`;
    const { reports } = await compare(withRecords(...Array<string>(800).fill(comment + record({}))), [131_072]);
    expect(reports[0]?.records.length).toBe(800);
  });

  it("a value in the root ends the report", async () => {
    const blanks = " ".repeat(700_000);
    const { reports } = await compare(withRecords("text", record({}), blanks, record({}), blanks), [131_072]);
    expect(reports[0]?.records.length).toBe(2);
  });

  it.each([undefined, [65_536]])("white space is limited, in pieces of %j", async (cut) => {
    const { problems } = await compare(withRecords(record({}), " ".repeat(1_200_000), record({})), cut);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("padding")]);
  });
});

test("a record of a known shape may not be longer than any other", async () => {
  const results = (comment: string) =>
    record({
      evaluated: `<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>${`<reason><type>other</type><comment>${comment}</comment></reason>`.repeat(
        400,
      )}`,
    });
  const { problems } = await compare(withRecords(results("short"), results("x".repeat(650))));
  expect(problems.map(({ code }) => code)).toEqual(["too_large"]);
});

describe("record shapes shared by documents read at the same time", () => {
  const head = ORDINARY.slice(0, ORDINARY.indexOf("<record>"));
  const reader = (shapes: RecordShapes) => {
    shapes.startDocument();
    return new AggregateReader(toBytes(head), { ...LOOSE, warnings: new WarningLog(), shapes });
  };

  it("emit a record once, even if another document adds its shape while it is half read", () => {
    const full = record({ identifiers: "<header_from>a.example</header_from>" });
    const terse = `${full.slice(0, full.indexOf("<identifiers>"))}</record>`;
    const shapes = new RecordShapes();
    const one = reader(shapes);
    // The known shape has more letters than this piece has left, so the terse record waits for more.
    const pieces = [head + full, terse, "<!-- odd -->", "</feedback>"];
    const records = pieces.flatMap((piece, i) => {
      if (i === 2) reader(shapes).push(toBytes(head + terse + " ".repeat(100)));
      return one.push(toBytes(piece));
    });
    const { records: last, body } = one.finish();
    expect([...records, ...last].length).toBe(2);
    expect(body.totals.records).toBe(2);
  });

  it("give each document the result it has alone, in any pieces and encoding", async () => {
    const document = fc
      .record({
        plan: fc.record({
          records: fc.integer({ min: 1, max: 30 }),
          seed: fc.nat(500),
          style: fc.constantFrom(...STYLES),
        }),
        encode: fc.constantFrom(...ENCODINGS),
        prefix: fc.constantFrom("", "n:"),
        space: fc.constantFrom("", "\u00a0", "\ufeff", "\0", "\u2028", "<x/>"),
        cut: fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 3 }),
      })
      .map(({ plan, encode, prefix, space, cut }) => {
        const spaced = new TextDecoder().decode(reportBytes(plan)).replaceAll("</row>", `${space}</row>`);
        return { bytes: encode(spaced.replaceAll(/<(\/?)(?=record|row|count)/g, `<$1${prefix}`)), cut };
      });
    const property = fc.asyncProperty(fc.array(document, { minLength: 2, maxLength: 5 }), async (documents) => {
      const shapes = new RecordShapes();
      const told = await Promise.all(documents.map((one) => readAll(one.bytes, one.cut, { shapes })));
      const alone = documents.map((one) => readAll(one.bytes, one.cut, { generalReaderOnly: true }));
      expect(told).toEqual(await Promise.all(alone));
    });
    await fc.assert(property, { numRuns: 60, endOnFailure: true });
  });

  it("are forgotten when full at the next document, even in the middle of the others", async () => {
    const odd = Array.from({ length: 3000 }, (_, i) => record({}).replace("</row>", `${"\n".repeat(i)}</row>`));
    const shapes = new RecordShapes();
    const ordinary = withRecords(...Array.from({ length: 400 }, (_, i) => record({ count: `${i}` })));
    const reading = [withRecords(...odd.slice(0, 300)), ordinary, withRecords(...odd.slice(0, 100)), ordinary];
    const told = await Promise.all(reading.map((content, i) => readAll(content, [900 + i], { shapes })));
    const alone = await Promise.all(reading.map((content) => readAll(content, undefined, { generalReaderOnly: true })));
    expect(told).toEqual(alone);
  });
});
