/** Support: damaged members of a gzip, reports within a text file, values with something around them, notices beside reports. */
import { gzip, joinBytes, toBytes } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipartMail, part } from "../mails.ts";
import { changed, numbered, ORDINARY, record, withRecords } from "../report-xml.ts";
import { sampleTlsReport } from "../sample-report.ts";
import { base64Lines } from "../uuencode.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const GZ = gzip(ORDINARY);
const SECOND = gzip(numbered("ordinary.2"));
const TLS = sampleTlsReport("acme.example", "2026-01-01");
const escaped = (xml: string): string => xml.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const damaged = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 60 ? byte ^ 0xff : byte));

const members: Quirk[] = [
  {
    file: "containers/gzip-second-member-cut.xml.gz",
    content: joinBytes(GZ, SECOND.subarray(0, -40)),
    want: { ...read, reports: 1, warnings: ["repaired_archive "], problems: ["truncated"] },
  },
  {
    file: "containers/gzip-second-member-cut-in-its-header.xml.gz",
    content: joinBytes(GZ, SECOND.subarray(0, 6)),
    want: { ...read, reports: 1, problems: ["truncated"] },
  },
  {
    file: "containers/gzip-third-member-damaged.xml.gz",
    content: joinBytes(GZ, SECOND, damaged(gzip(numbered("ordinary.3")))),
    want: { ...read, reports: 2, problems: ["corrupt_archive"] },
  },
  {
    file: "containers/gzip-report-in-two-members-second-cut.xml.gz",
    content: joinBytes(gzip(ORDINARY.slice(0, 900)), gzip(ORDINARY.slice(900)).subarray(0, -20)),
    want: { problems: ["truncated"] },
  },
  {
    file: "tls/gzip-second-member-damaged.json.gz",
    content: joinBytes(gzip(TLS), damaged(gzip(sampleTlsReport("acme.example", "2026-01-02")))),
    want: { reports: 1, problems: ["corrupt_archive"] },
  },
];

const page = (type: string, name: string, content: string): Uint8Array =>
  multipartMail([COVER_TEXT, part({ type, disposition: `attachment; filename="${name}"`, content })]);

const withinText: Quirk[] = [
  {
    file: "xml/escaped-in-a-page.html",
    content: `<!DOCTYPE html><html><body><pre>${escaped(ORDINARY)}</pre></body></html>`,
    want: { ...read, warnings: ["repaired_archive "] },
  },
  {
    file: "xml/two-escaped-in-a-page.html",
    content: `<pre>${escaped(ORDINARY)}</pre><pre>${escaped(numbered("ordinary.2"))}</pre>`,
    want: { ...read, reports: 2 },
  },
  {
    file: "lost/page-called-report.eml",
    content: page("text/html", "report.html", `<html><body>${escaped(ORDINARY)}</body></html>`),
    want: { ...read, passedOver: ["text"] },
  },
  { file: "tls/after-words.txt", content: `The report:\n\n${TLS}\nbye\n`, want: {} },
  { file: "tls/in-a-page.html", content: `<html><pre>${TLS.replaceAll('"', "&quot;")}</pre></html>`, want: {} },
  { file: "carried/base64-after-words.txt", content: `The report:\n\n${base64Lines(GZ)}\n`, want: read },
  {
    file: "xml/page-without-report.html",
    content: "<html><p>&lt;feedback&gt;</p></html>",
    want: { problems: ["not_a_report"] },
  },
  {
    file: "lost/failure-notice-called-report.eml",
    content: page(
      "text/plain",
      "report.txt",
      `A message has failed the published DMARC policy for your domain.\n\n${base64Lines(GZ)}\n`,
    ),
    want: { problems: ["missing_domain"], passedOver: ["text", "evidence", "text"] },
  },
  {
    file: "lost/pretty-json-in-base64-in-letter.eml",
    content: multipartMail([
      part({
        type: "text/plain",
        content: `As before:\r\n\r\n${base64Lines(toBytes(JSON.stringify(JSON.parse(TLS), null, 2)))}`,
      }),
    ]),
    want: { passedOver: ["text"] },
  },
  {
    file: "lost/byte-order-mark.mbox",
    content: `\ufeffFrom dmarc@reporter.example Thu Jan  1 00:00:00 2026\n${binary(multipartMail([attached(GZ, "r.xml.gz")])).replaceAll("\r", "")}`,
    want: read,
  },
  {
    file: "lost/quoted-and-wrapped-in-letter.eml",
    content: multipartMail([
      part({
        type: "text/plain",
        content: changed(
          ["<org_name>Reporter", "<org_name>The\nReporter"],
          ["<policy_evaluated>", "<policy_evaluated><reason>\n</reason>"],
        )
          .slice(39)
          .replace(/^/gm, "> "),
      }),
    ]),
    want: { report: { metadata: { orgName: "The\nReporter" } }, records: [{ reasons: [] }], passedOver: ["text"] },
  },
  ...[
    ["pgp", "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----"],
    ["yenc", "=ybegin line=128 size=9 name=r.xml.gz\r\nasdf\r\n=yend size=9"],
  ].map(
    ([name = "", content = ""]): Quirk => ({
      file: `lost/${name}-after-words.eml`,
      content: multipartMail([part({ type: "text/plain", content: `Here is the report:\r\n${content}\r\n` })]),
      want: { problems: ["unsupported_format"], passedOver: ["text"] },
    }),
  ),
];

const dates = (begin: string, end: string): string =>
  changed([/<begin>.*<\/end>/, `<begin>${begin}</begin><end>${end}</end>`]);
const period = { metadata: { beginSeconds: 1_700_000_000, endSeconds: 1_700_086_399 } };
const periodWarnings = [
  "invalid_value report_metadata/date_range/begin",
  "invalid_value report_metadata/date_range/end",
];

const values: Quirk[] = [
  {
    file: "metadata/dates-rfc3339.xml",
    content: dates("2023-11-14T22:13:20Z", "2023-11-15T23:13:19+01:00"),
    want: { report: period, warnings: periodWarnings },
  },
  {
    file: "metadata/dates-rfc5322.xml",
    content: dates("Tue, 14 Nov 2023 22:13:20 +0000", "Wed, 15 Nov 2023 22:13:19 GMT"),
    want: { report: period, warnings: periodWarnings },
  },
  {
    file: "metadata/dates-beside-the-rest.xml",
    content: changed([/<\/?date_range>/, ""], [/<\/date_range>/, ""]),
    want: { report: period },
  },
  {
    file: "records/count-with-a-zero-width-space.xml",
    content: withRecords(record({ count: "\u200b4" })),
    want: { records: [{ count: 4 }] },
  },
  {
    file: "records/ip-in-brackets-after-its-name.xml",
    content: withRecords(record({ ip: "mx.example[192.0.2.9]" }), record({ ip: "mx.example [IPv6:2001:db8::9]:25" })),
    want: { records: [{ sourceIp: "192.0.2.9" }, { sourceIp: "2001:db8::9" }] },
  },
  {
    file: "records/ip-with-a-full-stop.xml",
    content: withRecords(record({ ip: "192.0.2.9." })),
    want: { records: [{ sourceIp: "192.0.2.9" }], warnings: ["invalid_value record[0]/row/source_ip"] },
  },
];

const encodings: Quirk[] = [
  ...["iso-8859-1", "windows-1252", "gb2312"].map(
    (encoding): Quirk => ({
      file: `xml/declared-${encoding}-is-utf8.xml`,
      content: changed(
        ["UTF-8", encoding],
        ["Reporter", "R\u00e9porter \u2013"],
        ["acme.example</d", "b\u00fccher.example</d"],
      ),
      want: {
        report: { metadata: { orgName: "R\u00e9porter \u2013" }, policy: { domain: "xn--bcher-kva.example" } },
        warnings: ["repaired_encoding feedback"],
      },
    }),
  ),
  {
    file: "mail/pasted-in-body-without-charset.eml",
    content: multipartMail([
      part({ type: "text/plain", content: fromBinary(changed(["Reporter", "R\xe9porter"]).slice(39)) }),
    ]),
    want: { report: { metadata: { orgName: "R\u00e9porter" } }, passedOver: ["text"] },
  },
];

const NOTICE = `This is an email abuse report. A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: acme.example
  Sender IP Address: 192.0.2.7
  Received Date: Mon, 01 Jan 2024 00:00:00 +0000
  DMARC Results: Reject
`;
const besideReport = (name: string, letter: string, reports: number): Quirk => ({
  file: `failure/plain-text-${name}.eml`,
  content: multipartMail([part({ type: "text/plain", content: letter }), attached(GZ, "r.xml.gz")]),
  want: { ...read, reports, problems: [], passedOver: ["text"] },
});

const failures: Quirk[] = [
  besideReport("beside-report", NOTICE, 2),
  besideReport("only-the-words-beside-report", NOTICE.slice(0, NOTICE.indexOf("\n\n")), 1),
];

export const withinTexts: Quirk[] = [...members, ...withinText, ...values, ...encodings, ...failures];
