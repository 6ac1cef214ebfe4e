/** Large mails of the kinds there are, made from a seed, and what each must come to. */
import { zipOf } from "../../local/zip.ts";
import { gzipReport, mailOf, reportText, STYLES, seeded } from "../../test/support/seeded-reports.ts";

export interface LargeMail {
  kind: string;
  bytes: Uint8Array;
  /** Records of all reports in it; 0 of a mail that holds none, which ends as a dead letter. */
  records: number;
}

const MIB = 1024 * 1024;
/** The largest that Email Routing takes, with some room. */
export const LARGEST_BYTES = 25 * MIB - 100_000;
/** Base64 in lines of 76: 57 bytes become 78. */
const BASE64_GROWTH = 78 / 57;
/** Bytes of a record: as XML, packed, and as quoted-printable; rather too many than too few. */
const RECORD_BYTES = { xml: 626, packed: 23, quoted: 660 };
const PARTS = 50;

const [style = fail("no styles")] = STYLES;

function fail(message: string): never {
  throw new Error(message);
}

/** A mail with plain XML attached, of about this number of bytes. */
export function xmlMail(bytes: number, seed = 1): LargeMail {
  const records = Math.max(1, Math.floor(bytes / BASE64_GROWTH / RECORD_BYTES.xml));
  return { kind: "XML", bytes: mailOf("report.xml", xmlOf(records, seed)), records };
}

/** A mail of each kind, each as large as it may be. */
export const LARGEST: (() => LargeMail | Promise<LargeMail>)[] = [
  () => xmlMail(LARGEST_BYTES),
  async () => {
    const records = packedRecords();
    const { bytes } = await gzipReport({ records, seed: 1, style });
    return { kind: `gzip of ${records} records`, bytes: mailOf("report.xml.gz", bytes), records };
  },
  () => {
    const records = packedRecords();
    const bytes = mailOf("report.zip", zipOf("report.xml", xmlOf(records)));
    return { kind: `zip of ${records} records`, bytes, records };
  },
  partsMail,
  quotedMail,
  () => ({ kind: "no report: random bytes", bytes: mailOf("film.mp4", noise()), records: 0 }),
  () => ({ kind: "no report: one line of text", bytes: lineMail(), records: 0 }),
];

function packedRecords(): number {
  return Math.floor(LARGEST_BYTES / BASE64_GROWTH / RECORD_BYTES.packed);
}

/** A report as bytes; a text of that length would be too long for a string. */
function xmlOf(records: number, seed = 1): Uint8Array {
  return Buffer.concat([...reportText({ records, seed, style })].map((text) => Buffer.from(text)));
}

/** As many parts as ingest and process take from one mail, a report each. */
function partsMail(): LargeMail {
  const records = Math.floor(LARGEST_BYTES / PARTS / BASE64_GROWTH / RECORD_BYTES.xml);
  const parts = Array.from({ length: PARTS }, (_, i) => ({
    fileName: `report-${i}.xml`,
    encoding: "base64",
    text: Buffer.from(xmlOf(records, i)).toString("base64").replace(/.{76}/g, "$&\r\n"),
  }));
  return { kind: `${PARTS} parts of XML`, bytes: mailWith(parts), records: PARTS * records };
}

function quotedMail(): LargeMail {
  const records = Math.floor(LARGEST_BYTES / RECORD_BYTES.quoted);
  const xml = Buffer.from(xmlOf(records)).toString("latin1");
  const text = xml
    .replaceAll("=", "=3D")
    .replace(/.{75}(?=.)/g, "$&=\n")
    .replaceAll("\n", "\r\n");
  const part = { fileName: "report.xml", encoding: "quoted-printable", text };
  return { kind: "XML, quoted-printable", bytes: mailWith([part]), records };
}

function noise(): Uint8Array {
  const random = seeded(1);
  return Uint8Array.from({ length: Math.floor(LARGEST_BYTES / BASE64_GROWTH) }, () => random() * 256);
}

function lineMail(): Uint8Array {
  return mailWith([{ fileName: "line.txt", encoding: "8bit", text: "lorem ipsum ".repeat(LARGEST_BYTES / 12) }]);
}

interface Part {
  fileName: string;
  encoding: string;
  text: string;
}

function mailWith(parts: Part[]): Uint8Array {
  const texts = parts.map(({ fileName, encoding, text }) =>
    [
      "--=_parts",
      "Content-Type: application/octet-stream",
      `Content-Disposition: attachment; filename="${fileName}"`,
      `Content-Transfer-Encoding: ${encoding}`,
      "",
      text,
      "",
    ].join("\r\n"),
  );
  const header = ["From: reports@reporter.example", 'Content-Type: multipart/mixed; boundary="=_parts"', "", ""];
  return Buffer.from(`${header.join("\r\n")}${texts.join("")}--=_parts--\r\n`, "latin1");
}
