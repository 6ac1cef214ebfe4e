/** Support: archives of rare forms, and mails whose lines or headers are not as they should be. */
import { gzip, joinBytes, toBytes, withZip64End, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { base64Lines } from "../uuencode.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const GZ = gzip(ORDINARY);
const ZIP = zip([{ name: "r.xml", content: ORDINARY }]);
const read = { report: ORDINARY_TOTALS };
const MAIL = multipartMail([COVER_TEXT, attached(GZ, "r.xml.gz")]);
const HEADERS = [
  "From: DMARC <dmarc@reporter.example>",
  "Subject: Report Domain: acme.example Submitter: reporter.example Report-ID: <ordinary.1>",
  "Message-ID: <ordinary.1@reporter.example>",
  "MIME-Version: 1.0",
];
/** A mail of these lines. */
const mailOf = (...lines: string[]): Uint8Array => fromBinary([...HEADERS, ...lines, ""].join("\r\n"));
const inUtf8 = (bytes: Uint8Array): Uint8Array => toBytes(binary(bytes));

const archives: Quirk[] = [
  { file: "containers/zip-64-end.zip", content: withZip64End(ZIP), want: read },
  {
    file: "containers/zip-comment-like-an-end.zip",
    content: zip([{ name: "r.xml", content: ORDINARY }], `PK\x05\x06${"a".repeat(40)}`),
    want: read,
  },
  {
    file: "containers/zips-one-after-the-other.zip",
    content: joinBytes(ZIP, zip([{ name: "s.xml", content: numbered("ordinary.2") }])),
    want: { reports: 2, warnings: ["repaired_archive "], problems: [] },
  },
  { file: "containers/zip-marked-as-one-volume.zip", content: joinBytes("PK00", ZIP), want: read },
  { file: "containers/gzip-in-utf8.xml.gz", content: inUtf8(GZ), want: { problems: ["unsupported_format"] } },
  {
    file: "containers/gzip-with-replacement-characters.xml.gz",
    content: new TextEncoder().encode(new TextDecoder().decode(GZ)),
    want: { problems: ["unsupported_format"] },
  },
  {
    file: "containers/apple-double.eml",
    content: multipartMail([
      multipart(
        [
          attached(joinBytes([0, 5, 22, 7, 0, 2, 0, 0], new Uint8Array(40)), "r.xml.gz", "application/applefile"),
          attached(GZ, "r.xml.gz"),
        ],
        "appledouble",
      ),
    ]),
    want: { ...read, passedOver: ["resource_fork"] },
  },
];

const lines: Quirk[] = [
  { file: "mail/carriage-returns-alone.eml", content: fromBinary(binary(MAIL).replaceAll("\r\n", "\r")), want: read },
  {
    file: "mail/saved-in-utf-16.eml",
    content: new Uint8Array(Buffer.from(`\ufeff${binary(MAIL)}`, "utf16le")),
    want: read,
  },
  {
    file: "mail/no-blank-line-before-boundary.eml",
    content: mailOf(
      'Content-Type: multipart/mixed; boundary="b"',
      "--b",
      part({ type: "application/gzip", encoding: "base64", content: GZ }),
      "--b--",
    ),
    want: read,
  },
  {
    file: "mail/no-blank-line-before-base64.eml",
    content: mailOf("Content-Type: application/gzip", "Content-Transfer-Encoding: base64", base64Lines(GZ)),
    want: read,
  },
  {
    file: "mail/line-of-spaces-before-base64.eml",
    content: mailOf("Content-Type: application/gzip", "Content-Transfer-Encoding: base64", "  ", base64Lines(GZ)),
    want: read,
  },
  {
    file: "mail/no-blank-line-before-xml.eml",
    content: mailOf("Content-Type: text/xml", ORDINARY),
    want: read,
  },
  {
    file: "mail/file-name-latin1.eml",
    content: multipartMail([COVER_TEXT, fromBinary(attached(GZ, "r\xe9.xml.gz"))].map((one) => binary(one))),
    want: read,
  },
];

export const oddContainers: Quirk[] = [...archives, ...lines];
