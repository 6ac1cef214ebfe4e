/** What reading costs when somebody means to make it cost much: time, memory, and what is open when nobody reads on. */
import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { READ_LIMITS } from "../../shared/limits.ts";
import { streamParts } from "../../shared/mail/stream.ts";
import { readReports } from "../../shared/report/read.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";
import { gzip, joinBytes, toBytes, zip } from "../support/archives.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import { NOW_SECONDS, readAll } from "../support/read.ts";
import { numbered, ORDINARY, record, withRecords } from "../support/report-xml.ts";
import { mailOf, reportBytes, STYLES } from "../support/seeded-reports.ts";

const [style] = STYLES;
if (style === undefined) throw new Error("no styles");

describe("a source is released", () => {
  const report = reportBytes({ records: 3000, seed: 1, style });
  const picture = joinBytes([0x89, 0x50, 0x4e, 0x47], new Uint8Array(1_000_000));

  /** A stream with something open behind it. */
  function openSource(bytes: Uint8Array): { source: ByteSource; isOpen: () => boolean } {
    let isOpen = false;
    const source = {
      sizeBytes: bytes.byteLength,
      read: bytesSource(bytes).read,
      async *stream() {
        isOpen = true;
        try {
          for (let at = 0; at < bytes.byteLength; at += 500) yield bytes.slice(at, at + 500);
        } finally {
          isOpen = false;
        }
      },
    };
    return { source, isOpen: () => isOpen };
  }

  it.each([
    ["a report", report],
    ["a gzip", gzip(report)],
  ])("by %s when its reader stops", async (_, bytes) => {
    const { source, isOpen } = openSource(bytes);
    const first: unknown[] = [];
    for await (const event of readReports(source, { nowSeconds: NOW_SECONDS })) {
      first.push(event.type, isOpen());
      break;
    }
    expect(first).toEqual(["records", true]);
    expect(isOpen()).toBe(false);
  });

  it.each([
    ["a picture", picture],
    ["a picture in a gzip", gzip(picture)],
    ["a report with a document type", withRecords("<!DOCTYPE x>", ...Array<string>(200).fill(record()))],
  ])("by %s when it is not read to its end", async (_, content) => {
    const { source, isOpen } = openSource(toBytes(content));
    const types = new Set<string>();
    for await (const event of readReports(source, { nowSeconds: NOW_SECONDS })) types.add(event.type);
    expect([...types]).toEqual(["problem"]);
    expect(isOpen()).toBe(false);
  });
});

// Each took twenty seconds to a minute; the slowest takes about one second of a processor.
describe("reading time is not quadratic", () => {
  let took = cpuTimer();
  beforeEach(() => {
    took = cpuTimer();
  });
  afterEach(() => {
    expect(took()).toBeLessThan(10_000);
  });

  test("for gzip members in one piece", async () => {
    const { problems } = await readAll(joinBytes(...Array<Uint8Array>(100_000).fill(gzip(" "))));
    expect(problems.map(({ code }) => code)).toEqual(["empty"]);
  });

  test("for shapes that differ in their last letters", async () => {
    const spaces = (i: number) => i.toString(2).padStart(60, "0").replaceAll("0", " ").replaceAll("1", "\n");
    const records = Array.from({ length: 60_000 }, (_, i) =>
      record().replace("</auth_results>", `</auth_results>${spaces(i % 4900)}`),
    );
    const { reports } = await readAll(withRecords(...records));
    expect(reports[0]?.records.length).toBe(60_000);
  });

  test("for unterminated declarations", async () => {
    const many = "<?x>".repeat(200_000);
    const { reports } = await readAll(withRecords(...Array<string>(6).fill(many + record())));
    expect(reports[0]?.records.length).toBe(6);
  });

  test("for bytes of another encoding among others", async () => {
    const mixed = new Uint8Array(100_000).map((_, i) => (i % 2 === 0 ? 0x61 : 0xff));
    const records = Array.from({ length: 200 }, () => joinBytes("<!--", mixed, "-->", record()));
    const [head = "", end = ""] = withRecords("HERE").split("HERE");
    const { reports } = await readAll(joinBytes(head, ...records, end), undefined, { generalReaderOnly: true });
    expect(reports[0]?.records.length).toBe(200);
  });
});

describe("memory kept for a document is no larger than its values", () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");

  const BULK = "y".repeat(200_000);
  const COUNT = 100;
  const LONG = "a rather long value of a report";

  /** Bytes in use beside what is made only once. */
  async function usedBytes(): Promise<number> {
    await readAll(ORDINARY);
    // Twice: buffers are let go of after those that hold them.
    for (let i = 0; i < 2; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  /** Bytes of memory that the events of some bytes keep. */
  async function heldBytes(bytes: Uint8Array): Promise<number> {
    const before = await usedBytes();
    const found = await readAll(bytes);
    const held = (await usedBytes()) - before;
    expect(JSON.stringify(found)).toContain(LONG);
    return held;
  }

  test("for records", async () => {
    const auth = `<dkim><domain>a.example</domain><selector>${LONG}</selector><result>pass</result></dkim>`;
    const large = record({ ip: "203.0.113.100", auth: auth.replace("pass", "Pass") }).replace(
      "</row>",
      `</row><x>${BULK}</x>`,
    );
    expect(await heldBytes(toBytes(withRecords(...Array<string>(COUNT).fill(large))))).toBeLessThan(5_000_000);
  });

  test("for the frame", async () => {
    const content = ORDINARY.replace("Reporter", LONG).replace("<record>", `<x>${BULK}</x><record>`);
    const bytes = zip(Array.from({ length: COUNT }, (_, i) => ({ name: `${i}.xml`, content, method: 0 })));
    expect(await heldBytes(bytes)).toBeLessThan(5_000_000);
  });

  test("for values that shapes remember", async () => {
    const shapes = new RecordShapes();
    const before = await usedBytes();
    for (const length of [200, 900]) {
      const auth = (i: number) => `<dkim><domain>${i}.${"z".repeat(length)}</domain><result>pass</result></dkim>`;
      await readAll(withRecords(...Array.from({ length: 10_000 }, (_, i) => record({ auth: auth(i) }))), undefined, {
        shapes,
      });
    }
    expect((await usedBytes()) - before).toBeLessThan(5_000_000);
    expect(shapes.isEmpty).toBe(false);
  });
});

describe("memory of a large mail does not depend on garbage collection", () => {
  const MAIL = mailOf(
    "report.zip",
    zip([{ name: "a.xml", content: reportBytes({ records: 9000, seed: 1, style }), method: 0 }]),
  );

  async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
  }

  test("because decoding reuses a few buffers", async () => {
    const buffers = new Set<ArrayBufferLike>();
    let pieces = 0;
    for await (const { content } of streamParts(inPieces(MAIL))) {
      for await (const { buffer } of content) {
        buffers.add(buffer);
        pieces++;
      }
    }
    expect(pieces).toBeGreaterThan(60);
    expect(buffers.size).toBeLessThan(10);
  });

  test("because a zip is released after reading", async () => {
    const buffers: ArrayBufferLike[] = [];
    const createHash = () => ({ update: ({ buffer }: Uint8Array) => buffers.push(buffer), digest: () => "" });
    const { sizeBytes, read } = bytesSource(MAIL);
    const source = { sizeBytes, read, stream: () => inPieces(MAIL) };
    const types = new Set<string>();
    for await (const { type } of readReports(source, { nowSeconds: NOW_SECONDS, createHash })) types.add(type);
    expect(types).toContain("report");
    // What spans two of its buffers was copied.
    const freed = buffers.filter(({ byteLength }) => byteLength === 0);
    expect(freed.length).toBeGreaterThan(buffers.length / 2);
  });
});

test("the expanded bytes of an archive count once, even if its files are read at once", async () => {
  // A picture that does not pack makes the archive large enough for its reports once, and not for one and a half times.
  const picture = joinBytes([0x89, 0x50, 0x4e, 0x47], randomBytes(230_000));
  const reports = Array.from({ length: 150 }, (_, i) => `${numbered(`${i}`)}<!--${"x".repeat(200_000)}-->`);
  const bytes = zip([picture, ...reports].map((content, i) => ({ name: `${i}`, content })));
  const unfolded = 150 * 200_000;
  expect(bytes.byteLength * READ_LIMITS.maxOutputRatio).toBeGreaterThan(1.1 * unfolded);
  expect(bytes.byteLength * READ_LIMITS.maxOutputRatio).toBeLessThan(2 * unfolded);
  const found = await readAll(bytes);
  expect(found.reports.length).toBe(150);
  expect(found.problems).toEqual([]);
});
