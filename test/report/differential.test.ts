/**
 * The fast path and the general reader give the same events for the same bytes: on fixtures, on random reports, on damaged
 * ones, however the bytes are cut. The general reader is the reference.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type ReadOptions, readReports } from "../../shared/report/read.ts";
import { Rejection } from "../../shared/report/rejection.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { parseAnyElement } from "../../shared/report/xml/element.ts";
import type { Frame } from "../../shared/report/xml/frame-text.ts";
import { Namespaces } from "../../shared/report/xml/namespaces.ts";
import { parsePlainElement } from "../../shared/report/xml/plain.ts";
import { Segmenter } from "../../shared/report/xml/segments.ts";
import fc from "../support/properties.ts";
import { cutSource, NOW_SECONDS, readAll } from "../support/read.ts";
import { record, withRecords } from "../support/report-xml.ts";
import { reportBytes, STYLES } from "../support/seeded-reports.ts";

const root = resolve(import.meta.dirname, "../..");
const fixtures = listFiles(join(root, "test/fixtures"));
/** Real reports, beside the repository where there are any. */
const corpus = listFiles(resolve(root, "../shared/corpus"));
const MAX_FILE_BYTES = 1_000_000;

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What reading tells of some bytes. Records are joined, for how they are batched does not matter; a problem undoes them. */
async function tell(bytes: Uint8Array, cut: number[] | undefined, options: Partial<ReadOptions>): Promise<unknown[]> {
  const told: unknown[] = [];
  let records: AggregateRecord[] = [];
  for await (const event of readReports(cut === undefined ? bytesSource(bytes) : cutSource(bytes, cut), {
    nowSeconds: NOW_SECONDS,
    ...options,
  })) {
    if (event.type === "records") {
      expect(event.firstOrdinal).toBe(records.length);
      records.push(...event.records);
    } else {
      told.push(event.type === "report" ? { ...event, records } : event);
      records = [];
    }
  }
  return told;
}

/** Shapes learned from every report read so far, as an isolate or the command line has them. */
const shared = new RecordShapes();

async function compare(bytes: Uint8Array, cut?: number[]): Promise<void> {
  const general = await tell(bytes, cut, { generalReaderOnly: true });
  expect(await tell(bytes, cut, {})).toEqual(general);
  expect(await tell(bytes, cut, { shapes: shared })).toEqual(general);
}

describe("fast and general reading agree", () => {
  test("on every fixture", async () => {
    expect(fixtures.length).toBeGreaterThan(0);
    for (const file of fixtures) await compare(new Uint8Array(readFileSync(file)));
  });

  test.runIf(corpus.length > 0)("on every report in the corpus", async () => {
    for (const file of corpus) {
      const bytes = new Uint8Array(readFileSync(file));
      if (bytes.byteLength <= MAX_FILE_BYTES) await compare(bytes);
    }
  });

  test("on ordinary reports, in pieces of any size", async () => {
    for (const [seed, style] of STYLES.entries()) {
      const bytes = reportBytes({ records: 60, seed, style });
      for (const cut of [undefined, [1], [7, 1, 300], [4096], [5000, 13]]) await compare(bytes, cut);
    }
  });

  test("on the odd records of all fixtures in one report, in any order", async () => {
    const odd = fixtures
      .filter((file) => /records\/.*\.xml$/.test(file))
      .flatMap((file) => readFileSync(file, "utf8").match(/<record>[\s\S]*?<\/record>/g) ?? [])
      .filter((record) => record.length < 3000);
    expect(odd.length).toBeGreaterThan(100);
    const order = fc.array(fc.constantFrom(...odd), { minLength: 2, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(order, async (records) => {
        await compare(new TextEncoder().encode(withRecords(...records)));
      }),
      { numRuns: 60 },
    );
  });

  test("on the order of a report's repairs, which one reader finds in the same piece and the other in two", async () => {
    const known = Array<string>(20).fill(record());
    const odd = record().replace("</record>", "<x>\xe9</x></record>");
    const text = withRecords(...known, odd, record(), record(), "</b>", record());
    const bytes = new Uint8Array(Buffer.from(text, "latin1"));
    await compare(bytes);
    const { reports } = await readAll(bytes);
    expect(reports[0]?.report.warnings.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "repaired_encoding feedback",
      "repaired_xml feedback",
      "unknown_element record[20]/x",
    ]);
  });

  test("on damaged reports", async () => {
    const cuts = fc.option(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }), {
      nil: undefined,
    });
    const plan = fc.record({
      records: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(1000),
      style: fc.constantFrom(...STYLES),
    });
    const edits = fc.array(edit(), { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(plan, edits, cuts, async (given, changes, cut) => {
      await compare(changes.reduce(applyEdit, reportBytes(given)), cut ?? undefined);
    });
    await fc.assert(property, { numRuns: 400, endOnFailure: true });
  });
});

/** A change at a place, given as a fraction of the report: `length` bytes are replaced. */
interface Edit {
  place: number;
  length: number;
  text: string;
}

const HOSTILE = [
  "",
  " ",
  "\n",
  "<",
  ">",
  "&",
  "&amp;",
  "&#65;",
  "&x",
  "]]>",
  "é",
  "\u00a0",
  "\0",
  "<!-- x -->",
  "<![CDATA[x]]>",
  "<record>",
  "</record>",
  "<x/>",
  "<x>y</x>",
  "<constructor>y</constructor>",
  "<extension><record>y</record></extension>",
  "<n:x>y</n:x>",
  "<count>07</count>",
  "PASS",
  "9".repeat(20),
  "a".repeat(1200),
  "::1",
  "192.0.2.01",
  "<reason><type>other</type></reason>",
  "</feedback>",
];

function edit(): fc.Arbitrary<Edit> {
  const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 3 }));
  return fc.record({ place: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(3), text });
}

function applyEdit(bytes: Uint8Array, { place, length, text }: Edit): Uint8Array {
  const at = Math.floor(place * bytes.byteLength);
  return new Uint8Array(
    Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(Math.min(at + length, bytes.byteLength))]),
  );
}

test("the fast reader for plain XML gives the tree of the general parser, or none", async () => {
  let plain = 0;
  const property = fc.property(
    fc.nat(1000),
    fc.constantFrom(...STYLES),
    fc.array(edit(), { maxLength: 3 }),
    (seed, style, edits) => {
      const bytes = edits.reduce(applyEdit, reportBytes({ records: 2, seed, style }));
      const [xml = ""] = /<feedback.*>/s.exec(new TextDecoder().decode(bytes)) ?? [];
      const quick = parsePlainElement(xml, Namespaces.none);
      if (quick === undefined) return;
      plain++;
      expect(quick).toEqual(parseAnyElement(xml));
    },
  );
  fc.assert(property, { numRuns: 1500 });
  expect(plain).toBeGreaterThan(300);
});

test("a second element behind the first is left to the general parser, of whatever namespace it is", () => {
  for (const more of ["<n:x>y</n:x>", "<n:x/>", "<x/>"]) {
    expect(parsePlainElement(`<feedback><version>1.0</version></feedback>${more}`, Namespaces.none)).toBeUndefined();
  }
});

test("the frame of a report, however it is cut, has the tree of the general parser, or none", () => {
  let plain = 0;
  const property = fc.property(
    fc.nat(1000),
    fc.constantFrom(...STYLES),
    fc.array(edit(), { maxLength: 3 }),
    fc.integer({ min: 1, max: 2000 }),
    (seed, style, edits, pieceChars) => {
      const text = new TextDecoder().decode(edits.reduce(applyEdit, reportBytes({ records: 1, seed, style })));
      const frame = cutFrame(text, pieceChars);
      if (frame?.root === undefined) return;
      plain++;
      expect(frame.root).toEqual(parseAnyElement(frame.text()));
    },
  );
  fc.assert(property, { numRuns: 1500 });
  expect(plain).toBeGreaterThan(300);
});

/** The frame of a document, given in pieces; undefined when it cannot be used. */
function cutFrame(text: string, pieceChars: number): Frame | undefined {
  const segmenter = new Segmenter(() => {});
  try {
    for (let at = 0; at < text.length; at += pieceChars) segmenter.push(text.slice(at, at + pieceChars));
    return segmenter.finish().frame;
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}
