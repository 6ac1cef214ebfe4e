/** Support: reports whose mail says something else of how they are carried than their bytes: encodings, types, notices. */
import { gzip, joinBytes, toBytes, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../mails.ts";
import { changed, ORDINARY } from "../report-xml.ts";
import { base64Lines, uuencode, uuencodeBase64 } from "../uuencode.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const GZ = gzip(ORDINARY);
const ZIP = zip([{ name: "r.xml", content: ORDINARY }]);
const NAME = "reporter.example!acme.example!1700000000!1700086399.xml.gz";
const GOOD = attached(GZ, NAME);
const asText = { ...read, warnings: [`repaired_archive ${NAME}`] };

/** A mail with one part of these header lines and this body. */
const withPart = (header: string, body: string): Uint8Array => multipartMail([COVER_TEXT, `${header}\r\n\r\n${body}`]);
const file = (encoding: string): string =>
  [
    "Content-Type: application/gzip",
    `Content-Disposition: attachment; filename="${NAME}"`,
    ...(encoding === "" ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
  ].join("\r\n");
const quoted = part({ encoding: "quoted-printable", content: ORDINARY.replaceAll('="', '=3D"') })
  .split("\r\n\r\n")
  .slice(1)
  .join("\r\n\r\n");

const encodings: Quirk[] = [
  { file: "carried/base64-undeclared.eml", content: withPart(file(""), base64Lines(GZ)), want: asText },
  { file: "carried/base64-declared-7bit.eml", content: withPart(file("7bit"), base64Lines(ZIP)), want: asText },
  { file: "carried/base64-called-x-base64.eml", content: withPart(file("x-base64"), base64Lines(GZ)), want: asText },
  {
    file: "carried/base64-declared-quoted-printable.eml",
    content: withPart(file("quoted-printable"), base64Lines(toBytes(ORDINARY))),
    want: asText,
  },
  {
    file: "carried/base64-twice.eml",
    content: withPart(file("base64"), base64Lines(toBytes(base64Lines(GZ)))),
    want: asText,
  },
  {
    file: "carried/base64-as-the-letter.eml",
    content: simpleMail({ type: "text/plain", content: base64Lines(GZ) }),
    want: read,
  },
  { file: "carried/base64-in-gzip.gz", content: gzip(base64Lines(toBytes(ORDINARY))), want: read },
  { file: "carried/xml-declared-base64.eml", content: withPart(file("base64"), ORDINARY), want: read },
  { file: "carried/gzip-declared-base64.eml", content: withPart(file("base64"), binary(GZ)), want: read },
  { file: "carried/zip-declared-base64.eml", content: withPart(file("base64"), binary(ZIP)), want: read },
  { file: "carried/quoted-printable-undeclared.eml", content: withPart(file(""), quoted), want: read },
  { file: "carried/uuencoded-part.eml", content: withPart(file("x-uuencode"), uuencode(GZ, NAME)), want: asText },
  {
    file: "carried/uuencoded-in-letter.eml",
    content: simpleMail({ type: "text/plain", content: `The report:\r\n\r\n${uuencode(GZ, NAME)}` }),
    want: asText,
  },
  {
    file: "carried/uuencoded-base64-in-letter.eml",
    content: simpleMail({ type: "text/plain", content: `The report:\r\n\r\n${uuencodeBase64(GZ, NAME)}` }),
    want: asText,
  },
  {
    file: "carried/text-that-begins.eml",
    content: multipartMail([part({ type: "text/plain", content: "begin with this: 644 files\r\nend\r\n" }), GOOD]),
    want: { ...read, reports: 1, problems: [] },
  },
];

const whole = binary(multipartMail([COVER_TEXT, GOOD]));
const TLS = JSON.stringify({
  "organization-name": "Reporter Inc.",
  "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
  "contact-info": "tls@reporter.example",
  "report-id": "t1",
  policies: [
    {
      policy: { "policy-type": "sts", "policy-domain": "acme.example" },
      summary: { "total-successful-session-count": 20, "total-failure-session-count": 3 },
    },
  ],
});
const escaped = ORDINARY.replaceAll("<", "&#60;").replaceAll(">", "&#x3E;");

const structures: Quirk[] = [
  {
    file: "carried/multipart-without-mime-header.eml",
    content: fromBinary(whole.replace(/MIME-Version.*\r\n/, "").replace(/Content-Type: multipart.*\r\n/, "")),
    want: read,
  },
  {
    file: "carried/first-header-of-5000-characters.eml",
    content: fromBinary(`X-Long: ${"a".repeat(5000)}\r\n${whole}`),
    want: read,
  },
  {
    file: "carried/multipart-called-text.eml",
    content: fromBinary(whole.replace("multipart/mixed", "text/plain")),
    want: read,
  },
  {
    file: "carried/multipart-misspelt.eml",
    content: fromBinary(whole.replace("multipart/mixed", "multipart mixed")),
    want: read,
  },
  {
    file: "carried/mail-pasted-into-a-mail.eml",
    content: simpleMail({ type: "text/plain", content: `See below.\r\n\r\n${whole}` }),
    want: read,
  },
  {
    file: "carried/pasted-in-html-as-numbers.eml",
    content: simpleMail({ type: "text/html", content: `<html><body><pre>${escaped}</pre></body></html>` }),
    want: read,
  },
  {
    file: "carried/tls-pasted-in-letter.eml",
    content: simpleMail({ type: "text/plain", content: `The report is:\r\n\r\n${TLS}\r\n-- \r\nA footer {}.\r\n` }),
    want: { report: { kind: "tls", policies: [{ successfulSessionCount: 20, failedSessionCount: 3 }] } },
  },
];

const SUBJECT = "Report Domain: acme.example Submitter: reporter.example Report-ID: <ordinary.1>";
const mail = (from: string, subject: string, more = ""): Uint8Array =>
  fromBinary(
    whole
      .replace(/^From: .*$/m, () => `From: ${from}`)
      .replace(/^Subject: .*$/m, () => `Subject: ${subject}${more === "" ? "" : `\r\n${more}`}`),
  );
const notice = { problems: ["delivery_notice"], passedOver: ["text", "evidence"] };

const notices: Quirk[] = [
  { file: "carried/from-mailer-daemon.eml", content: mail("MAILER-DAEMON@reporter.example", SUBJECT), want: read },
  {
    file: "carried/from-mail-delivery-system.eml",
    content: mail('"Mail Delivery System" <dmarc@reporter.example>', SUBJECT),
    want: read,
  },
  { file: "carried/null-return-path.eml", content: mail("d@r.example", SUBJECT, "Return-Path: <>"), want: read },
  {
    file: "carried/returned-by-mailer-daemon.eml",
    content: mail("MAILER-DAEMON@mx.example", `Undelivered Mail Returned to Sender: ${SUBJECT}`),
    want: notice,
  },
  {
    file: "carried/failed-recipients.eml",
    content: mail("dmarc@acme.example", SUBJECT, "X-Failed-Recipients: rua@other.example"),
    want: notice,
  },
  {
    file: "carried/automatic-reply-german.eml",
    content: mail("person@other.example", `Automatische Antwort: ${SUBJECT}`, "Auto-Submitted: auto-replied"),
    want: notice,
  },
  {
    file: "carried/automatic-reply-encoded.eml",
    content: mail(
      "person@other.example",
      `=?utf-8?Q?R=C3=A9ponse_automatique_:?= ${SUBJECT}`,
      "Auto-Submitted: auto-replied",
    ),
    want: notice,
  },
  {
    file: "carried/returned-in-another-language.eml",
    content: mail("server@other.example", `Nicht zugestellt: ${SUBJECT}`, "Return-Path: <>"),
    want: notice,
  },
  {
    file: "carried/forwarded-by-a-person.eml",
    content: mail("person@acme.example", `Fwd: ${SUBJECT}`, "Return-Path: <>"),
    want: read,
  },
  // Words that gateways put before the subject of what comes from outside.
  ...["EXTERNAL", "Externe", "EXT", "[EXT] Spam", "*** Possible SPAM ***", "Caution"].map(
    (tag, i): Quirk => ({
      file: `carried/tagged-by-a-gateway-${i + 1}.eml`,
      content: mail("d@r.example", `${tag}: ${SUBJECT}`, "Return-Path: <>"),
      want: read,
    }),
  ),
];

const FIELDS = [
  "Feedback-Type: auth-failure",
  "User-Agent: Reporter/1.0",
  "Version: 1",
  "Arrival-Date: Wed,15  Nov 23 06:00:00 +0000",
  "Source-IP: mx.sender.example [192.0.2.7]",
  'Reported-Domain: "ACME.example"',
  "Auth-Failure: dmarc",
];
const failureMail = (type: string, fields: readonly string[] = FIELDS, kind = "report; report-type=feedback-report") =>
  fromBinary(
    [
      "From: dmarc@reporter.example",
      "To: ruf@acme.example",
      "Subject: failure",
      "MIME-Version: 1.0",
      multipart(
        [
          part({ type: "text/plain", content: "A failure report." }),
          part({ type, content: `${fields.join("\r\n")}\r\n` }),
          part({ type: "text/rfc822-headers", content: "From: a@acme.example\r\nSubject: x\r\n" }),
        ],
        kind,
      ),
    ].join("\r\n"),
  );
const facts = {
  report: { kind: "failure", reportedDomain: "acme.example", sourceIp: "192.0.2.7", arrivalSeconds: 1_700_028_000 },
};
const sourceIp = (text: string): readonly string[] =>
  FIELDS.map((line) => (line.startsWith("Source-IP") ? `Source-IP: ${text}` : line));
const reported = (text: string): readonly string[] =>
  FIELDS.map((line) => (line.startsWith("Reported-Domain") ? `Reported-Domain: ${text}` : line));

const TOLD = [
  "A message claiming to be from you has failed the published DMARC",
  "policy for your domain.",
  "",
  "  Sender Domain: acme.example",
  "  Sender IP Address: 192.0.2.7",
  "  Received Date: Wed, 15 Nov 2023 06:00:00 +0000",
  "  DMARC Results: Reject",
];
const html = (lines: string): Uint8Array =>
  simpleMail({ type: "text/html; charset=utf-8", content: `<html><body>${lines}</body></html>` });

const failures: Quirk[] = [
  { file: "carried/feedback-called-text.eml", content: failureMail("text/plain"), want: facts },
  { file: "carried/feedback-called-data.eml", content: failureMail("application/octet-stream"), want: facts },
  { file: "carried/feedback-misspelt.eml", content: failureMail("message/feedback"), want: facts },
  {
    file: "carried/feedback-called-text-in-mixed.eml",
    content: failureMail("text/plain", FIELDS, "mixed"),
    want: facts,
  },
  ...[
    ["host-in-front", "mx.example (192.0.2.7)"],
    ["in-quotes", '"192.0.2.7"'],
    ["in-angle-brackets", "<192.0.2.7>"],
    ["spf-spelling", "ip4:192.0.2.7"],
    ["typed", "dns; [192.0.2.7]:25"],
  ].map(([name, text = ""]) => ({
    file: `carried/source-ip-${name}.eml`,
    content: failureMail("message/feedback-report", sourceIp(text)),
    want: facts,
  })),
  ...[
    ["typed", "rfc822; acme.example"],
    ["an-address", "<dmarc@acme.example>"],
    ["in-angle-brackets", "<acme.example>"],
  ].map(([name, text = ""]) => ({
    file: `carried/reported-domain-${name}.eml`,
    content: failureMail("message/feedback-report", reported(text)),
    want: facts,
  })),
  {
    file: "carried/failure-wrapped-and-quoted.eml",
    content: simpleMail({
      type: "text/plain",
      content: [
        "> A message claiming to be from you has failed the published",
        "> DMARC policy for your domain. Sender Domain: acme.example Sender IP",
        "> Address: 192.0.2.7 Received Date: Wed, 15 Nov 2023",
        "> 06:00:00 +0000",
        "> DMARC Results: Reject",
      ].join("\r\n"),
    }),
    want: facts,
  },
  {
    file: "carried/failure-no-break-spaces.eml",
    content: simpleMail({
      type: "text/plain; charset=utf-8",
      content: TOLD.join("\r\n").replaceAll(" IP ", "\u00a0IP\u00a0").replaceAll(": ", ":\u00a0"),
    }),
    want: facts,
  },
  {
    file: "carried/failure-html-lines.eml",
    content: html(TOLD.map((line) => `<div>${line}</div>`).join("")),
    want: facts,
  },
  {
    file: "carried/failure-html-table.eml",
    content: html(
      `<p>${TOLD.slice(0, 2).join(" ")}</p><table>${TOLD.slice(3)
        .map((line) => `<tr><td>${line.trim().replace(": ", ":</td><td>")}</td></tr>`)
        .join("")}</table>`,
    ),
    want: facts,
  },
];

const otherFields: Quirk[] = [
  {
    file: "carried/spf-dns-of-type-spf.eml",
    content: failureMail("message/feedback-report", [...FIELDS, 'SPF-DNS: spf : bounce.example : "v=spf1 -all"']),
    want: { report: { spfDomain: "bounce.example" } },
  },
  {
    file: "carried/incidents-in-words.eml",
    content: failureMail("message/feedback-report", [...FIELDS, "Incidents: 1,000"]),
    want: { report: { incidents: 1 }, warnings: ["invalid_value Incidents"] },
  },
];

const metadata: Quirk[] = [
  {
    file: "carried/zip-with-folder-metadata.zip",
    content: zip([
      { name: "r/.DS_Store", content: joinBytes([0, 0, 0, 1], "Bud1") },
      { name: "r/r.xml", content: ORDINARY },
      { name: "r/Thumbs.db", content: joinBytes([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "x") },
      { name: "r/desktop.ini", content: "[.ShellClassInfo]\r\n" },
    ]),
    want: { ...read, reports: 1, problems: [], passedOver: ["resource_fork", "resource_fork", "resource_fork"] },
  },
  {
    file: "carried/report-called-folder-metadata.zip",
    content: zip([{ name: "desktop.ini", content: changed(["ordinary.1", "b"]) }]),
    want: read,
  },
];

export const carried: Quirk[] = [...encodings, ...structures, ...notices, ...failures, ...otherFields, ...metadata];
