import { describe, expect, it } from "vitest";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { LineReader } from "../../shared/mail/lines.ts";
import { MailStructureError, type StreamedPart, streamParts } from "../../shared/mail/stream.ts";
import { HELD_BYTES, transferDecoder } from "../../shared/mail/transfer-encoding.ts";
import { concatBytes } from "../../shared/report/source.ts";
import { listFixtures, readFixture } from "../support/fixtures.ts";
import fc from "../support/properties.ts";
import { type Found, readAll } from "../support/read.ts";

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

interface ReadPart {
  fileName: string;
  mimeType: string;
  content: string;
}

async function readParts(mail: string | Uint8Array, pieceBytes = 1000): Promise<ReadPart[]> {
  const parts: ReadPart[] = [];
  const bytes = typeof mail === "string" ? bytesOf(mail) : mail;
  for await (const part of streamParts(cut(bytes, pieceBytes))) parts.push(await readPart(part));
  return parts;
}

async function readPart({ fileName, mimeType, content }: StreamedPart): Promise<ReadPart> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece.slice());
  return { fileName, mimeType, content: Buffer.from(concatBytes(pieces)).toString("latin1") };
}

const lines = (...text: string[]): string => text.join("\r\n");

describe("the parts of a streamed mail", () => {
  it("are the body alone in a mail without multipart", async () => {
    const mail = lines(
      "Content-Type: application/gzip; name=r.gz",
      "Content-Transfer-Encoding: base64",
      "",
      "H4sI",
      "AA==",
    );
    expect(await readParts(mail)).toEqual([
      { fileName: "r.gz", mimeType: "application/gzip", content: "\x1f\x8b\x08\x00" },
    ]);
  });

  it("follow boundaries, even nested and closed out of order", async () => {
    const mail = lines(
      'Content-Type: multipart/mixed; boundary="a b"',
      "",
      "preamble",
      "--a b",
      "Content-Type: multipart/alternative; boundary=inner",
      "",
      "--inner",
      "",
      "one",
      "--a b",
      'Content-Disposition: attachment; filename="two.xml"',
      "",
      "two",
      "--a b--",
      "epilogue",
    );
    const parts = await readParts(mail);
    expect(parts.map(({ fileName, content }) => [fileName, content.trim()])).toEqual([
      ["", "one"],
      ["two.xml", "two"],
    ]);
  });

  it("include those of an attached mail, unless it is encoded", async () => {
    const inner = lines("Subject: inner", "Content-Type: text/xml", "", "<feedback/>");
    const mail = lines(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      inner,
      "--b",
      "Content-Type: message/rfc822",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(inner).toString("base64"),
      "--b--",
    );
    const parts = await readParts(mail);
    expect(parts.map(({ mimeType, content }) => [mimeType, content.trim()])).toEqual([
      ["text/xml", "<feedback/>"],
      ["message/rfc822", inner],
    ]);
  });

  it.each([
    ['Content-Disposition: attachment; filename="a;b.xml"', "a;b.xml"],
    ["Content-Disposition: attachment; filename*0=rep; filename*1=ort.xml", "report.xml"],
    ["Content-Disposition: attachment; filename*=UTF-8''r%C3%A9port.xml", "réport.xml"],
    ["Content-Type: text/xml;\r\n name=folded.xml", "folded.xml"],
    ["ContentType: text/xml; name=misspelt.xml", "misspelt.xml"],
  ])("take the file name from %s", async (header, name) => {
    const [part] = await readParts(lines("X: y", header, "", "content"));
    expect(part?.fileName).toBe(name);
  });

  it("are skipped if the caller does not read them", async () => {
    const mail = lines(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "",
      "x".repeat(5000),
      "--b",
      "",
      "second",
      "--b--",
    );
    const seen: string[] = [];
    for await (const part of streamParts(cut(bytesOf(mail), 100))) {
      if (seen.push(part.mimeType) === 2) expect((await readPart(part)).content.trim()).toBe("second");
    }
    expect(seen).toHaveLength(2);
  });

  it("do not depend on how the stream is divided", async () => {
    const mail = lines(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "",
      "one=",
      "--b",
      "",
      "two",
      "--b--",
      "",
    );
    const whole = await readParts(mail, 10_000);
    for (let size = 1; size < 40; size++) expect(await readParts(mail, size)).toEqual(whole);
  });

  it("stop at the limits", async () => {
    const deep = Array.from(
      { length: 30 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
    );
    await expect(readParts(deep.join(""))).rejects.toThrow(MailStructureError);
    const many = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(100)}`;
    await expect(readParts(many)).rejects.toMatchObject({ code: "too_many_parts" });
    await expect(readParts("X: y\r\n".repeat(MAIL_LIMITS.maxHeaderBytes / 4))).rejects.toMatchObject({
      code: "malformed_mail",
    });
  });

  it("give the same reports as the reader for small mails", async () => {
    // Of too many parts a stream has read the first ones.
    const mails = listFixtures().filter((name) => name.endsWith(".eml") && !name.includes("too-many-attachments"));
    expect(mails.length).toBeGreaterThan(200);
    const facts = ({ reports, problems }: Found) => ({
      reports: reports
        .map(({ report, records }) => ({ ...report, warnings: [], contentHash: "", records }))
        .sort(byText),
      problems: problems.map(({ code }) => code).sort(),
    });
    for (const name of mails) {
      const mail = readFixture(name);
      const streamed = await readAll(mail, [1000], { maxParsedMessageBytes: 0 });
      expect(facts(streamed), name).toEqual(facts(await readAll(mail)));
    }
  });
});

function byText(a: object, b: object): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** The content of lines, each decoded into a buffer that has just the room it must have. */
function decodeLines(encoding: string, encoded: string[]): Buffer {
  const decoder = transferDecoder(encoding);
  const pieces = encoded.map((text) => {
    const line = bytesOf(text);
    const target = new Uint8Array(1 + line.byteLength + HELD_BYTES);
    return target.slice(1, 1 + decoder.decode(line, target, 1));
  });
  const rest = new Uint8Array(HELD_BYTES);
  return Buffer.concat([...pieces, rest.subarray(0, decoder.end(rest, 0))]);
}

describe("transfer encodings", () => {
  it("decode base64 of any line length and line ending", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 80 }), (bytes, width) => {
      const encoded = Buffer.from(bytes).toString("base64");
      const lines: string[] = [];
      for (let at = 0; at < encoded.length; at += width) lines.push(`${encoded.slice(at, at + width)}\r\n`);
      expect(decodeLines("base64", lines)).toEqual(Buffer.from(bytes));
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it("decode unpadded base64", () => {
    expect(decodeLines("base64", ["QUJD\r\nREU"]).toString()).toBe("ABCDE");
  });

  it.each([
    ["a=3Db\r\n", "a=b\r\n"],
    ["soft=\r\n", "soft"],
    ["soft= \t\r\n", "soft"],
    ["not=zz", "not=zz"],
    ["end=", "end"],
  ])("decode quoted-printable %j", (encoded, decoded) => {
    expect(decodeLines("quoted-printable", [encoded]).toString()).toBe(decoded);
  });
});

describe("lines", () => {
  it("keep every byte, in pieces of any size", async () => {
    const text = `one\r\ntwo\n\n${"x".repeat(150_000)}\nlast`;
    for (const size of [100, 1000, 300_000]) {
      const reader = new LineReader(cut(bytesOf(text), size));
      const read: string[] = [];
      do {
        for (let line = reader.take(); line !== undefined; line = reader.take()) {
          if (line.isStart) read.push("");
          read.push(`${read.pop()}${new TextDecoder().decode(line.bytes)}`);
        }
      } while (await reader.fill());
      expect(read).toEqual(text.split(/(?<=\n)/));
    }
  });
});
