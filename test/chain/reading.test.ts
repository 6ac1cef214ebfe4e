/** The report reader in workerd finds what it finds in Node: its inflater, streams and buffers are others. */
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { READ_LIMITS } from "../../shared/limits.ts";
import { bytesSource } from "../../shared/report/source.ts";
import { gzip, joinBytes, zip } from "../support/archives.ts";
import { listFixtures, readFixture } from "../support/fixtures.ts";
import fc from "../support/properties.ts";
import { cutSource } from "../support/read.ts";
import { ORDINARY } from "../support/report-xml.ts";
import { reportBytes, STYLES } from "../support/seeded-reports.ts";
import { tell } from "./reader.ts";

const [style] = STYLES;
if (style === undefined) throw new Error("no styles");
const large = reportBytes({ records: 4000, seed: 1, style });
const small = reportBytes({ records: 30, seed: 2, style });

/** A valid report of so many bytes. */
function reportOf(sizeBytes: number): Uint8Array {
  const comment = `<!--${"x".repeat(sizeBytes - small.byteLength - 7)}-->`;
  return joinBytes(small, comment);
}

/** A gzip header with every field that readers pass over (RFC 1952 section 2.3.1). */
function longHeader(member: Uint8Array): Uint8Array {
  const header = member.slice(0, 10);
  header[3] = 1 | 4 | 8 | 16;
  return joinBytes(header, [3, 0, 1, 2, 3], "a name\0", "a comment\0", member.subarray(10));
}

const zipOf = (content: Uint8Array, more: object = {}) => zip([{ name: "a.xml", content, ...more }]);

const CASES: [string, Uint8Array][] = [
  ["a large gzip", gzip(large)],
  ["a large gzip of one stored block", new Uint8Array(gzipSync(large, { level: 0 }))],
  ["a large gzip, cut", gzip(large).subarray(0, -1000)],
  ["a large gzip, cut in its trailer", gzip(large).subarray(0, -3)],
  ["a large gzip, damaged", gzip(large).with(20_000, 0)],
  ["a large gzip with a wrong checksum", gzip(large).with(-6, 0)],
  ["a large gzip with a wrong size", gzip(large).with(-1, 9)],
  ["two members", joinBytes(gzip(large.subarray(0, 300_000)), gzip(large.subarray(300_000)))],
  ["bytes behind the data", joinBytes(gzip(large), "behind")],
  ["blanks before and behind the data", joinBytes("\r\n", gzip(small), "\r\n")],
  ["every field of the header", longHeader(gzip(small))],
  ["a small gzip, cut", gzip(small).subarray(0, -20)],
  ["the largest small document", gzip(reportOf(READ_LIMITS.maxSmallDocumentBytes))],
  ["the smallest large document", gzip(reportOf(READ_LIMITS.maxSmallDocumentBytes + 1))],
  ["a large zip", zipOf(large)],
  ["a stored zip", zipOf(large, { method: 0 })],
  ["sizes behind the data", zipOf(small, { descriptor: true })],
  ["a size too small", zipOf(small, { says: { sizeBytes: 1 } })],
  ["a size too large", zipOf(small, { says: { sizeBytes: small.byteLength + 1 } })],
  ["a wrong checksum", zipOf(small, { says: { crc32: 1 } })],
  ["an encrypted entry", zipOf(small, { encrypted: true })],
  ["nothing", gzip("")],
  ["a gzip in a zip", zipOf(gzip(large))],
  ["a zip in a gzip", gzip(zipOf(large))],
  ["a picture in a gzip", gzip(joinBytes([0x89, 0x50, 0x4e, 0x47], new Uint8Array(1_000_000)))],
];

/** One label of each encoding of the Encoding standard, some of its other labels, and some that it does not have. */
const ENCODINGS = [
  ...["windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256"],
  ...["windows-1257", "windows-1258", "windows-874", "macintosh", "x-mac-cyrillic", "ibm866", "koi8-r", "koi8-u"],
  ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16].map((part) => `iso-8859-${part}`),
  ...["gb2312", "gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr", "iso-2022-jp", "us-ascii", "latin1"],
  ...[
    "utf-8",
    "utf-16",
    "utf-16be",
    "utf-32",
    "utf-7",
    "x-user-defined",
    "iso-2022-kr",
    "cp932",
    "ebcdic-us",
    "IBM037",
  ],
];

/** Bytes of two in a character; of those that are no character Node and workerd make different numbers of U+FFFD. */
const OF_TWO_BYTES: Record<string, number[]> = {
  big5: [0xb3, 0xf8, 0xa7, 0x69],
  "euc-jp": [0xca, 0xf3, 0xb9, 0xf0],
  shift_jis: [0x95, 0xf1, 0x8d, 0x90, 0xb1],
  cp932: [0x95, 0xf1, 0x8d, 0x90, 0x87, 0x40],
  "euc-kr": [0xba, 0xb8, 0xb0, 0xed],
};

/** A report in an encoding whose reporter has every byte beyond ASCII in its name. */
function inEncoding(encoding: string): Uint8Array {
  const name = OF_TWO_BYTES[encoding] ?? Array.from({ length: 128 }, (_, i) => 0x80 + i);
  const [before = "", after = ""] = ORDINARY.replace("UTF-8", encoding).split("Reporter<");
  return joinBytes(before, name, `<${after}`);
}

describe("the report reader in workerd", () => {
  let server: TestHarness;
  let url: URL;

  beforeAll(async () => {
    const main = resolve(import.meta.dirname, "reader.ts");
    server = createTestHarness({
      workers: [{ config: { name: "reader", main, compatibility_date: "2026-11-01" } }],
    });
    ({ url } = await server.listen());
  });
  afterAll(() => server.close());

  async function toldInWorkerd(bytes: Uint8Array, pieceBytes: number): Promise<unknown> {
    const body = new Uint8Array(bytes);
    const answer = await fetch(new URL(`/?pieceBytes=${pieceBytes}`, url), { method: "POST", body });
    return answer.ok ? answer.json() : { status: answer.status, text: await answer.text() };
  }

  async function compare(bytes: Uint8Array, pieceBytes: number): Promise<void> {
    const inNode = await tell(pieceBytes === 0 ? bytesSource(bytes) : cutSource(bytes, [pieceBytes]));
    expect(await toldInWorkerd(bytes, pieceBytes)).toEqual(JSON.parse(JSON.stringify(inNode)));
  }

  it.each(CASES)("reads %s as in Node", async (_, bytes) => {
    for (const pieceBytes of [0, 65_536, 1000]) await compare(bytes, pieceBytes);
  });

  it.each(ENCODINGS)("reads XML in %s as in Node", async (encoding) => {
    for (const pieceBytes of [0, 1]) await compare(inEncoding(encoding), pieceBytes);
  });

  it("reads every fixture as in Node", { timeout: 180_000 }, async () => {
    const files = listFixtures();
    for (let i = 0; i < files.length; i += 16) {
      await Promise.all(
        files.slice(i, i + 16).map(async (file) => {
          const bytes = readFixture(file);
          const inNode = JSON.parse(JSON.stringify(await tell(bytesSource(bytes))));
          expect({ file, told: await toldInWorkerd(bytes, 0) }).toEqual({ file, told: inNode });
        }),
      );
    }
  });

  it("reports damaged and truncated data as in Node", async () => {
    const containers = [gzip(small), gzip(large), zipOf(small)];
    const plan = fc.record({
      container: fc.constantFrom(...containers),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.option(fc.nat(255), { nil: undefined }),
      pieceBytes: fc.constantFrom(0, 1, 97, 16_384),
    });
    const property = fc.asyncProperty(plan, async ({ container, at, byte, pieceBytes }) => {
      const place = Math.floor(at * container.byteLength);
      const harmed = byte === undefined ? container.subarray(0, place) : container.with(place, byte);
      await compare(harmed, container.byteLength > 50_000 ? Math.max(pieceBytes, 97) : pieceBytes);
    });
    await fc.assert(property, { numRuns: 150, endOnFailure: true });
  });
});
