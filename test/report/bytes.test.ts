/** The lower floors of reading: text decoding, inflating, zip directories, sniffing, and that no result depends on the pieces. */
import { crc32 as nodeCrc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { READ_LIMITS } from "../../shared/limits.ts";
import { ReadBudget, Refusal } from "../../shared/report/budget.ts";
import { readXml } from "../../shared/report/documents.ts";
import { gunzip, gunzipWhole, type OutputBudget } from "../../shared/report/inflate.ts";
import type { Problem } from "../../shared/report/problems.ts";
import { Rejection } from "../../shared/report/rejection.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import { concatBytes } from "../../shared/report/source.ts";
import { XmlTextDecoder } from "../../shared/report/text.ts";
import { sniff } from "../../shared/sniff.ts";
import { gzip, joinBytes, toBytes, zip } from "../support/archives.ts";
import fc from "../support/properties.ts";
import { quirks } from "../support/quirks/all.ts";
import { cutSource, LOOSE, readAll } from "../support/read.ts";
import { numbered, ORDINARY, record, withRecords } from "../support/report-xml.ts";

describe("text", () => {
  const decode = (pieces: Uint8Array[], notes: string[] = []) => {
    const decoder = new XmlTextDecoder(concatBytes(pieces).subarray(0, 4096), (note) => notes.push(note));
    const told = (text: string): string => {
      decoder.tellRepairs();
      return text;
    };
    return pieces.map((piece) => told(decoder.decode(piece))).join("") + told(decoder.end());
  };
  const inPieces = (bytes: Uint8Array, size: number) =>
    Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));

  test.each(["aé", "€uro", "📧x", "\ufeffé", "é€📧\u0301"])("%j is decoded correctly wherever it is cut", (text) => {
    const bytes = toBytes(text);
    for (let at = 0; at <= bytes.byteLength; at++) {
      expect(decode([bytes.slice(0, at), bytes.slice(at)])).toBe(text.replace(/^\ufeff/, ""));
    }
  });

  test.each([undefined, [1], [100]])("of several reports the one with bad bytes is warned of, cut %j", async (cut) => {
    const [before = "", after = ""] = numbered("2").split("Reporter");
    const file = joinBytes(ORDINARY, before, [0xe9], after, numbered("3"));
    const { reports } = await readAll(file, cut);
    expect(reports.map(({ report }) => report.warnings.map(({ code }) => code))).toEqual([
      [],
      ["repaired_encoding"],
      [],
    ]);
  });

  test("bad bytes are decoded as windows-1252 wherever they are cut", () => {
    const bad = [
      [0x91],
      [0xe9, 0x74],
      [0xc3],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x93],
      [0xff, 0xfe, 0xc3, 0xa9],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xf5, 0x80],
    ];
    for (const bytes of bad) {
      const whole = joinBytes("<a>é", bytes, "ü📧</a>");
      const expected = decode([whole]);
      for (let at = 0; at <= whole.byteLength; at++)
        expect(decode([whole.slice(0, at), whole.slice(at)])).toBe(expected);
      expect(decode(inPieces(whole, 1))).toBe(expected);
      expect(expected.startsWith("<a>é") && expected.endsWith("ü📧</a>")).toBe(true);
    }
  });

  test("any bytes decode to the same text for every cut, and valid UTF-8 to itself", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, at) => {
      const safe = joinBytes("<a>", bytes);
      expect(decode([safe.slice(0, at), safe.slice(at)])).toBe(decode([safe]));
    });
    fc.assert(property, { numRuns: 3000 });
    const valid = fc.property(fc.string({ unit: "binary" }), (text) => {
      const notes: string[] = [];
      expect(decode(inPieces(toBytes(`<a>${text}`), 1), notes)).toBe(`<a>${text}`);
      expect(notes).toEqual([]);
    });
    fc.assert(valid, { numRuns: 1000 });
  });
});

describe("inflate", () => {
  const inflate = async (bytes: Uint8Array, cut: number[], budget: OutputBudget = new ReadBudget(1e9)) => {
    const pieces: Uint8Array[] = [];
    const notes: string[] = [];
    const lost: string[] = [];
    const told = { note: (note: string) => notes.push(note), lose: ({ code }: Problem) => lost.push(code) };
    for await (const piece of gunzip(cutSource(bytes, cut).stream(), budget, told)) pieces.push(piece);
    return { text: new TextDecoder().decode(concatBytes(pieces)), notes, lost, pieces: pieces.length };
  };

  test("members, padding and trailing garbage give the same result in pieces of any size", async () => {
    const bytes = joinBytes("\r\n", gzip("one "), gzip(""), gzip("two"), "\0\0\0rubbish");
    for (const cut of [[1], [2, 3], [64], [100_000]]) {
      const { text, notes } = await inflate(bytes, cut);
      expect(text).toBe("one two");
      expect(new Set(notes).size).toBe(3);
    }
  });

  test("a damaged member loses itself, not those before it, unless some of it was passed on", async () => {
    const whole = [gzip("one "), gzip("two")];
    const member = (bytes: number) => gzip(new Uint8Array(bytes).map((_, i) => (i * i * 31) ^ (i >> 3)));
    const small = member(1000);
    const large = member(2 * READ_LIMITS.inflateOutputBytes);
    for (const cut of [[1000], [100_000]]) {
      for (const [bytes, code] of [
        [small.subarray(0, -5), "truncated"],
        [small.subarray(0, 100), "truncated"],
        [small.map((byte, i) => (i === small.byteLength - 6 ? byte ^ 1 : byte)), "corrupt_archive"],
      ] as const) {
        const { text, lost } = await inflate(joinBytes(...whole, bytes), cut);
        expect({ text, lost }).toEqual({ text: "one two", lost: [code] });
      }
      await expect(inflate(joinBytes(...whole, large.subarray(0, -5)), cut)).rejects.toMatchObject({
        problem: { code: "truncated" },
      });
    }
  });

  test("a hundred thousand members of one byte are few pieces", async () => {
    const member = gzip("x");
    const { text, pieces } = await inflate(joinBytes(...Array<Uint8Array>(100_000).fill(member)), [65_536]);
    expect(text.length).toBe(100_000);
    expect(pieces).toBeLessThanOrEqual(1 + Math.ceil(100_000 / READ_LIMITS.inflateOutputBytes));
  });

  test("a file is read at once only if streaming would accept it too", async () => {
    const content = toBytes("<a>".repeat(100));
    const member = Uint8Array.from(gzip(content));
    expect(gunzipWhole(member, 300)).toEqual(content);
    expect(gunzipWhole(member, 299)).toBeUndefined();
    for (const odd of [
      joinBytes(member.subarray(0, -8), "x", member.subarray(-8)),
      joinBytes(member, "\r\n"),
      joinBytes(member, gzip("")),
      joinBytes(" ", member),
      member.subarray(0, -1),
      member.subarray(0, 9),
      member.with(-6, 0),
      member.with(-1, 1),
    ]) {
      expect(gunzipWhole(odd, 300)).toBeUndefined();
    }
  });

  test("a decompression bomb stops at the budget", async () => {
    const budget = new ReadBudget(0);
    const error = await inflate(gzip(new Uint8Array(50_000_000)), [4096], budget).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).problem.code).toBe("too_large");
    expect(budget.outputBytesLeft).toBeGreaterThanOrEqual(-READ_LIMITS.inflateOutputBytes);
  });

  test("the platform's inflater and pako agree on good, truncated and damaged data in pieces of any size", async () => {
    const told = async (member: Uint8Array, cut: number[]) => {
      const error = (thrown: unknown) => (thrown instanceof Rejection ? thrown.problem.code : Promise.reject(thrown));
      return inflate(member, cut).then(({ text }) => text, error);
    };
    // A header with a checksum of its own (RFC 1952, FHCRC) is left to pako.
    const plainly = (member: Uint8Array) => {
      const header = member.slice(0, 10);
      header[3] = 2;
      const check = nodeCrc32(header) & 0xffff;
      return joinBytes(header, [check & 0xff, check >> 8], member.subarray(10));
    };
    const damage = fc.record({ at: fc.nat(3000), byte: fc.nat(255), length: fc.nat(3000) });
    const content = fc.oneof(fc.string({ maxLength: 2000 }), fc.array(fc.constantFrom("ab", "abc", "x")).map(String));
    const property = fc.asyncProperty(
      content,
      fc.option(damage),
      fc.integer({ min: 1, max: 999 }),
      async (...given) => {
        const [text, harm, cut] = given;
        const member = Uint8Array.from(gzip(text));
        if (harm !== null) member[10 + (harm.at % (member.byteLength - 10))] = harm.byte;
        const some = harm === null ? member : member.subarray(0, Math.max(11, harm.length));
        expect(await told(some, [cut])).toBe(await told(plainly(some), [cut]));
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });
});

describe("zip", () => {
  test("a false end record in the comment is ignored", async () => {
    const entries = ["a", "b"].map((id) => ({ name: `${id}.xml`, content: numbered(id) }));
    const { reports } = await readAll(zip(entries, `PK\x05\x06${"\0".repeat(10)}${"\x7f".repeat(4)}${"\0".repeat(4)}`));
    expect(reports.map(({ part }) => part)).toEqual(["a.xml", "b.xml"]);
  });

  test("entries with the same name are separate parts", async () => {
    const { reports } = await readAll(zip(["a", "b", "c"].map((id) => ({ name: "r.xml", content: numbered(id) }))));
    expect(reports.map(({ part }) => part)).toEqual(["r.xml", "r.xml (2)", "r.xml (3)"]);
  });
});

describe("sniff", () => {
  test.each([
    ["gzip", [0x1f, 0x8b, 8]],
    ["gzip", [13, 10, 0x1f, 0x8b, 8]],
    ["zip", "PK\x03\x04"],
    ["zip", "PK\x05\x06"],
    ["zlib", [0x78, 0x9c, 1]],
    ["xml", "<?xml version='1.0'?>"],
    ["xml", "\ufeff\n<feedback>"],
    ["xml", [0xff, 0xfe, 0x3c, 0]],
    ["xml", [0, 0x3c, 0, 0x66]],
    ["xml", [0, 0x3c, 0x66]],
    ["html", "<!DOCTYPE html><html>"],
    ["json", ' {"organization-name":1}'],
    ["json", "[]"],
    ["text", "[External mail] see below"],
    ["mail", "Received: from x\r\n by y\r\nSubject: z\r\n\r\n"],
    ["mbox", "From a@b Wed Nov 15\nX-A: b\nX-C: d\n\n"],
    ["text", "Hello there"],
    ["empty", ""],
    ["empty", "\r\n \0\0"],
    ["image", [0x89, 0x50, 0x4e, 0x47]],
    ["pdf", "%PDF-1.7"],
    ["binary", [0x01, 0x02, 0x03, 0x80]],
  ] as const)("%s: %j", (type, content) => {
    expect(sniff(typeof content === "string" ? toBytes(content) : Uint8Array.from(content))).toBe(type);
  });
});

describe("documents in pieces", () => {
  // readReports joins the first four kilobytes to tell what they are; here the pieces reach the XML as they are.
  const read = async (bytes: Uint8Array, cut: number[]) => {
    const records = [];
    const told = [];
    const content = { head: bytes.subarray(0, 4096), chunks: cutSource(bytes, cut).stream() };
    const place = { part: "", file: { name: "", mimeType: "" }, tlsReportDomain: "", notes: [] };
    try {
      const context = { ...LOOSE, shapes: new RecordShapes(), createHash: undefined };
      for await (const event of readXml(content, place, context)) {
        if (event.type === "records") records.push(...event.records);
        else if (event.type !== "report") told.push(event);
        else {
          const warnings = event.report.warnings.map((one) => JSON.stringify(one)).sort();
          told.push({ ...event, report: { ...event.report, warnings } });
        }
      }
      return { told, records };
    } catch (error) {
      if (error instanceof Rejection) return { code: error.problem.code };
      throw error;
    }
  };
  const documents = quirks.filter(({ file }) => /^(xml|metadata|policy|records|rfc9990)\//.test(file));

  test.each(documents.map(({ file, content }) => [file, toBytes(content)] as const))("%s", async (_file, bytes) => {
    const whole = await read(bytes, [bytes.byteLength]);
    for (const cut of [[1], [2, 1, 5], [61], [1000]]) expect(await read(bytes, cut)).toEqual(whole);
  });

  test("runs of records of one shape with odd ones among them, cut anywhere", async () => {
    const shapes = [
      (i: number) => record({ ip: `192.0.2.${i % 250}`, count: `${i}` }),
      (i: number) =>
        record({
          ip: `2001:DB8::${i}`,
          count: ` ${i} `,
          auth: `<dkim><domain>d${i}.example</domain><result>pass</result></dkim>`,
        }),
      (i: number) =>
        record({ count: `${i}`, evaluated: "<disposition>None</disposition><dkim>PASS</dkim><spf>hardfail</spf>" }),
      () => record({ count: "-1" }),
      (i: number) =>
        record({ count: `${i}`, identifiers: `<header_from>a&amp;b${i}é</header_from>` }).replace(
          "<record>",
          "<!-- odd --><record>",
        ),
      (i: number) =>
        record({ count: `${i}`, identifiers: "<header_from>a</header_from>" }).replace("<count>", "<count a='b'>"),
    ];
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(20), fc.nat(shapes.length - 1), fc.nat(9999)), { minLength: 5, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 }),
      async (runs, cut) => {
        const records = runs.flatMap(([times, shape, i]) =>
          Array.from({ length: times + 1 }, (_, n) => shapes[shape]?.(i + n) ?? ""),
        );
        const bytes = toBytes(withRecords(...records));
        const whole = await read(bytes, [bytes.byteLength]);
        const alone = await Promise.all(records.map((one) => read(toBytes(withRecords(one)), [1e6])));
        expect(whole.records).toEqual(alone.flatMap((one) => one.records ?? []));
        expect(await read(bytes, cut)).toEqual(whole);
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});

test("the fixtures are variations of the ordinary report", async () => {
  const { reports, problems } = await readAll(ORDINARY);
  expect(problems).toEqual([]);
  expect(reports[0]?.report.warnings).toEqual([]);
});
