/** Support: two quirks at once, of the same file or of a mail and what it holds. */
import { deflateSync } from "node:zlib";
import { gzip, joinBytes, toBytes } from "../archives.ts";
import { attached, binary, COVER_TEXT, multipartMail, part, simpleMail } from "../mails.ts";
import { changed, numbered, ORDINARY } from "../report-xml.ts";
import { sampleTlsReport } from "../sample-report.ts";
import { base64Lines, uuencode } from "../uuencode.ts";
import { ORDINARY_TOTALS, type Quirk, type Wanted } from "./quirk.ts";

const TLS = sampleTlsReport("acme.example", "2026-01-01");
const SECOND_TLS = TLS.replace('"report-id":"', '"report-id":"second.');
const MARK = [0xef, 0xbb, 0xbf];

const notice = (...lines: string[]): string => `A message claiming to be from you has failed the published DMARC
policy for your domain.

${lines.map((line) => `  ${line}\n`).join("")}  Received Date: Mon, 01 Jan 2024 00:00:00 +0000
  DMARC Results: Reject

`;
const of = (domain: string): string => `Sender Domain: ${domain}`;
const from = (ip: string): string => `Sender IP Address: ${ip}`;
const FULL = notice(of("acme.example"), from("192.0.2.7"));
const letter = (content: string): Uint8Array => simpleMail({ type: "text/plain", content });
const failure = (report: object): Wanted => ({
  report: { kind: "failure", reportedDomain: "acme.example", ...report },
});

const bothKinds: Quirk[] = [
  ...[
    ["comment", "<!-- the other -->"],
    ["comment-of-javascript", "// the other"],
    ["words", "And the other one:"],
  ].map(
    ([name, between]): Quirk => ({
      file: `tls/xml-behind-a-${name}.json`,
      content: `${TLS}\n${between}\n${ORDINARY}`,
      want: { reports: 2, report: { kind: "tls" } },
    }),
  ),
  {
    file: "tls/words-and-another-behind.json",
    content: `${TLS}\nAnd the other one:\n${SECOND_TLS}\n`,
    want: { reports: 2, report: { kind: "tls" }, warnings: ["repaired_archive "] },
  },
  {
    file: "tls/words-and-one-that-is-cut-behind.json",
    content: `${TLS}\nAnd the other one:\n${SECOND_TLS.slice(0, -20)}`,
    want: { problems: ["malformed_json"] },
  },
  {
    file: "xml/words-and-json-behind.xml",
    content: `${ORDINARY}\nAnd the other one:\n${TLS}\n`,
    want: { reports: 2, report: ORDINARY_TOTALS, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "xml/words-with-a-brace-behind.xml",
    content: `${ORDINARY}\nWritten by {name}.\n`,
    want: { report: ORDINARY_TOTALS, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "xml/words-json-and-xml.txt",
    content: `Two of today.\n${TLS}\n${ORDINARY}`,
    want: { reports: 2, report: ORDINARY_TOTALS },
  },
  { file: "tls/one-line-behind-a-heading.txt", content: `Report:\n${TLS}\n`, want: { report: { kind: "tls" } } },
  {
    file: "tls/pasted-in-html-without-organization.eml",
    content: simpleMail({
      type: "text/html",
      content: `<pre>${TLS.replace('"organization-name":"Sender",', "").replaceAll('"', "&quot;")}</pre>`,
    }),
    want: { report: { kind: "tls", orgName: "reporter.example" } },
  },
];

const BOUNCE = multipartMail(
  [
    part({ type: "text/plain", content: "Your mail could not be delivered." }),
    part({
      type: "message/delivery-status",
      content: "Reporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n",
    }),
    part({ type: "message/rfc822", content: multipartMail([COVER_TEXT, attached(gzip(ORDINARY), "r.xml.gz")]) }),
  ],
  "report; report-type=delivery-status",
);
const FROM_DAEMON = `From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\nContent-Type: text/plain\r\n\r\nYour mail:\r\n\r\n${ORDINARY}`;

const marked: Quirk[] = [
  {
    file: "lost/bounce-shown-in-quoted-printable.eml",
    content: simpleMail({ type: "text/plain", encoding: "quoted-printable", content: BOUNCE }),
    want: { problems: ["delivery_notice"] },
  },
  {
    file: "mail/second-mail-with-an-encoded-equals-sign.eml",
    content: joinBytes(
      simpleMail({ type: "application/gzip", encoding: "base64", content: gzip(ORDINARY) }),
      "\r\n",
      binary(simpleMail({ type: "application/gzip", encoding: "base64", content: gzip(numbered("second")) })).replace(
        /^Subject: .*/m,
        "Subject: =?utf-8?Q?Report-ID:_<id=3Dsecond>?=",
      ),
    ),
    want: { reports: 2, report: ORDINARY_TOTALS },
  },
  {
    file: "mail/zero-byte-before-a-bounce.eml",
    content: `\0${FROM_DAEMON}`,
    want: { problems: ["delivery_notice"] },
  },
  {
    file: "mail/short-field-before-a-long-one.eml",
    content: joinBytes(
      `X-Spam: no\r\nX-Long: ${"a ".repeat(3000)}\r\n`,
      multipartMail([COVER_TEXT, attached(gzip(ORDINARY), "r.xml.gz")]),
    ),
    want: { report: ORDINARY_TOTALS },
  },
  {
    file: "mail/byte-order-mark-before-content-type.eml",
    content: joinBytes(
      MARK,
      'Content-Type: multipart/mixed; boundary="b"\r\nFrom: dmarc@reporter.example\r\nMIME-Version: 1.0\r\n\r\n',
      `--b\r\n${attached(gzip(ORDINARY), "r.xml.gz")}\r\n--b--\r\n`,
    ),
    want: { report: ORDINARY_TOTALS },
  },
  {
    file: "mail/byte-order-mark-before-a-bounce.eml",
    content: joinBytes(MARK, FROM_DAEMON),
    want: { problems: ["delivery_notice"] },
  },
  {
    file: "failure/byte-order-mark-before-a-notice-beside-a-report.eml",
    content: joinBytes(
      MARK,
      multipartMail([part({ type: "text/plain", content: FULL }), attached(gzip(ORDINARY), "r.xml.gz")]),
    ),
    want: { reports: 2, report: ORDINARY_TOTALS },
  },
];

const notices: Quirk[] = [
  {
    file: "failure/notice-without-domain-among-several.eml",
    content: letter(FULL + notice(from("192.0.2.8")) + notice(of("acme.example"), from("192.0.2.9"))),
    want: { ...failure({ sourceIp: "192.0.2.7" }), reports: 2, problems: ["missing_domain"] },
  },
  {
    file: "failure/notice-without-address-before-another.eml",
    content: letter(notice(of("acme.example")) + notice(of("b.example"), from("192.0.2.8"))),
    want: { ...failure({ sourceIp: "" }), reports: 2 },
  },
  {
    file: "failure/notice-without-domain-among-several-beside-a-report.eml",
    content: multipartMail([
      part({
        type: "text/plain",
        content: FULL + notice(from("192.0.2.8")) + notice(of("b.example"), from("192.0.2.9")),
      }),
      attached(gzip(ORDINARY), "r.xml.gz"),
    ]),
    want: { report: ORDINARY_TOTALS, reports: 3, problems: ["missing_domain"] },
  },
  {
    file: "failure/notice-beside-a-report-forwarded.eml",
    content: multipartMail([
      COVER_TEXT,
      part({
        type: "message/rfc822",
        content: multipartMail([part({ type: "text/plain", content: FULL }), attached(gzip(ORDINARY), "r.xml.gz")]),
      }),
    ]),
    want: { report: ORDINARY_TOTALS, reports: 2 },
  },
  {
    file: "failure/notice-in-html-beside-another-text.eml",
    content: multipartMail([
      part({ type: "text/plain", content: "See the other part.\r\n" }),
      part({ type: "text/html", content: `<pre>${FULL}</pre>` }),
    ]),
    want: failure({ sourceIp: "192.0.2.7" }),
  },
];

const linked = (text: string): string => text.replaceAll("acme.example", "acme.example<http://acme.example>");

const pasted: Quirk[] = [
  {
    file: "mail/pasted-with-links.eml",
    content: letter(`Look:\n\n${linked(ORDINARY)}`),
    want: { report: ORDINARY_TOTALS },
  },
  {
    file: "tls/pasted-with-links.eml",
    content: letter(`Look:\n\n${linked(TLS)}`),
    want: { report: { kind: "tls", policies: [{ policyDomain: "acme.example" }] } },
  },
  {
    file: "tls/pasted-with-no-break-spaces.eml",
    content: simpleMail({
      type: "text/plain; charset=utf-8",
      encoding: "base64",
      content: `Look:\n\n${JSON.stringify(JSON.parse(TLS), null, "\u00a0\u00a0")}`,
    }),
    want: { report: { kind: "tls" } },
  },
  {
    file: "failure/same-notice-wrapped-in-a-letter.eml",
    content: letter(`${FULL}\n> ${FULL.replace("2024 00", "2024\n00").replaceAll("\n", "\n> ")}`),
    want: failure({ sourceIp: "192.0.2.7" }),
  },
];

const addressed = (name: string, from: string, to: string, record: object, path: string): Quirk => ({
  file: `records/address-as-${name}.xml`,
  content: changed([from, to]),
  want: { records: [record], warnings: [`invalid_value record[0]/${path}`] },
});
const IDENTIFIERS = "<identifiers>";

const early: Quirk[] = [
  {
    file: "metadata/dates-of-1970.xml",
    content: changed(["1700000000", "172800"], ["1700086399", "259199"]),
    want: { report: { metadata: { beginSeconds: 172_800 } }, warnings: ["invalid_value report_metadata/date_range"] },
  },
  {
    file: "tls/dates-of-2000.json",
    content: TLS.replaceAll("2026-01-01", "2000-01-01"),
    want: { report: { kind: "tls", beginSeconds: 946_684_800 }, warnings: ["invalid_value date-range"] },
  },
];

const addresses: Quirk[] = [
  addressed(
    "envelope-from",
    IDENTIFIERS,
    `${IDENTIFIERS}<envelope_from>bounce+7@Mail.Acme.example</envelope_from>`,
    { envelopeFrom: "mail.acme.example" },
    "identifiers/envelope_from",
  ),
  addressed(
    "envelope-from-that-is-empty",
    IDENTIFIERS,
    `${IDENTIFIERS}<envelope_from>&lt;&gt;</envelope_from>`,
    { envelopeFrom: "" },
    "identifiers/envelope_from",
  ),
  addressed(
    "envelope-to",
    IDENTIFIERS,
    `${IDENTIFIERS}<envelope_to>&lt;person@receiver.example&gt;</envelope_to>`,
    { envelopeTo: "receiver.example" },
    "identifiers/envelope_to",
  ),
  addressed(
    "dkim-domain",
    "<dkim><domain>acme.example",
    "<dkim><domain>@acme.example",
    { dkimResults: [{ domain: "acme.example" }] },
    "auth_results/dkim/domain",
  ),
  addressed(
    "spf-domain",
    "<spf><domain>bounce.example",
    "<spf><domain>postmaster@bounce.example",
    { spfResults: [{ domain: "bounce.example" }] },
    "auth_results/spf/domain",
  ),
];

const dates: Quirk[] = [
  ["digits", "20231114", "20231115", 1_699_920_000, 1_700_006_400],
  ["digits-and-time", "20231114000000", "20231114235959", 1_699_920_000, 1_700_006_399],
  ["basic-format", "20231114T000000Z", "20231114T235959Z", 1_699_920_000, 1_700_006_399],
].map(
  ([name, begin, end, beginSeconds, endSeconds]): Quirk => ({
    file: `metadata/dates-as-${name}.xml`,
    content: changed(["1700000000", String(begin)], ["1700086399", String(end)]),
    want: {
      report: { metadata: { beginSeconds, endSeconds } },
      warnings: ["invalid_value report_metadata/date_range/begin", "invalid_value report_metadata/date_range/end"],
    },
  }),
);

const POLICY = { "policy-type": "sts", "policy-domain": "acme.example" };
const SUMMARY = { "total-successful-session-count": 20, "total-failure-session-count": 3 };
const withPolicies = (policies: object[]): string => JSON.stringify({ ...JSON.parse(TLS), policies });
const SUMS = { kind: "tls", policies: [{ policyType: "sts", successfulSessionCount: 20, failedSessionCount: 3 }] };

const members: Quirk[] = [
  {
    file: "tls/summary-within-policy.json",
    content: withPolicies([{ policy: { ...POLICY, summary: SUMMARY } }]),
    want: { report: SUMS },
  },
];

const FIELDS = [
  "Feedback-Type: auth-failure",
  "Version: 1",
  "User-Agent: Reporter/1.0",
  "Auth-Failure: dmarc",
  "Source-IP: 192.0.2.7",
  "Reported-Domain: acme.example",
];
const feedback = (line: string): Uint8Array => {
  const others = FIELDS.filter((field) => field.split(":")[0] !== line.split(":")[0]);
  return multipartMail(
    [
      part({ type: "text/plain", content: "An authentication failure." }),
      part({ type: "message/feedback-report", content: `${[...others, line].join("\r\n")}\r\n` }),
      part({ type: "text/rfc822-headers", content: "From: Person <person@acme.example>\r\n" }),
    ],
    "report; report-type=feedback-report",
  );
};

const fields: Quirk[] = [
  ...[
    ["zone", "fe80::1%eth0"],
    ["prefix", "192.0.2.7/32"],
    ["zeros", "192.000.002.007"],
  ].map(
    ([name, sourceIp]): Quirk => ({
      file: `failure/source-ip-with-${name}.eml`,
      content: feedback(`Source-IP: ${sourceIp}`),
      want: { ...failure({ sourceIp }), warnings: ["invalid_value Source-IP"] },
    }),
  ),
  {
    file: "failure/two-domains-in-a-field.eml",
    content: feedback("Reported-Domain: acme.example, b.example"),
    want: { ...failure({}), warnings: ["invalid_value reported-domain"] },
  },
  ...(
    [
      ["fraction", "5.0", 5],
      ["comment", "5 (five)", 5],
      ["too-many", "99999999999", 1],
    ] as const
  ).map(
    ([name, text, incidents]): Quirk => ({
      file: `failure/incidents-${name}.eml`,
      content: feedback(`Incidents: ${text}`),
      want: { ...failure({ incidents }), warnings: ["invalid_value Incidents"] },
    }),
  ),
];

const utf16 = (text: string): Uint8Array => joinBytes([0xff, 0xfe], new Uint8Array(Buffer.from(text, "utf16le")));
const mailOf = (id: string): string =>
  binary(multipartMail([COVER_TEXT, attached(gzip(numbered(id)), `${id}.xml.gz`)]));
const MAILBOX = ["a", "b"]
  .map((id) => `From r@reporter.example Mon Jan  1 00:00:00 2024\r\n${mailOf(id)}\r\n`)
  .join("");
const UUENCODED = uuencode(toBytes(ORDINARY), "r.xml");
const read = { report: ORDINARY_TOTALS };

const encoded: Quirk[] = [
  {
    file: "lost/fields-named-as-a-report-beside-good.eml",
    content: multipartMail([
      COVER_TEXT,
      attached(gzip(ORDINARY), "r.xml.gz"),
      attached("Error: no data\r\nCode: 7\r\n\r\n", "s.xml.gz", "application/gzip"),
    ]),
    want: { ...read, reports: 1, problems: ["not_a_report"] },
  },
  {
    // Its lines have colons, but no names before them.
    file: "lost/uuencoded-without-its-first-line-beside-good.eml",
    content: multipartMail([
      COVER_TEXT,
      attached(gzip(ORDINARY), "r.xml.gz"),
      part({
        type: "application/gzip; name=s.xml.gz",
        encoding: "8bit",
        content: ["M'XL(:J`````````]", "MOV=DR4DHH4-O:&+MU", ""].join("\r\n"),
      }),
    ]),
    want: { ...read, reports: 1, problems: ["not_a_report"] },
  },
  { file: "containers/mail-in-base64.txt", content: base64Lines(toBytes(mailOf("a"))), want: read },
  {
    file: "containers/failure-report-in-base64.txt",
    content: base64Lines(feedback("Incidents: 2")),
    want: failure({ incidents: 2 }),
  },
  { file: "containers/zlib-in-base64.txt", content: base64Lines(new Uint8Array(deflateSync(ORDINARY))), want: read },
  { file: "containers/utf-16-in-base64.txt", content: base64Lines(utf16(ORDINARY)), want: read },
  {
    file: "containers/base64-of-words.txt",
    content: base64Lines(toBytes("These are only words, though a feedback was asked for. ".repeat(3))),
    want: { problems: ["not_a_report"] },
  },
  {
    file: "containers/byte-order-mark-before-base64.txt",
    content: joinBytes(MARK, base64Lines(gzip(ORDINARY))),
    want: read,
  },
  { file: "containers/byte-order-mark-before-uuencoded.txt", content: joinBytes(MARK, UUENCODED), want: read },
  { file: "containers/zero-byte-before-uuencoded.txt", content: `\0${UUENCODED}`, want: read },
  { file: "containers/uuencoded-in-utf-16.txt", content: utf16(UUENCODED), want: read },
  { file: "lost/mailbox-in-utf-16.mbox", content: utf16(MAILBOX), want: { ...read, reports: 2 } },
  {
    file: "lost/mailbox-of-carriage-returns.mbox",
    content: MAILBOX.replaceAll("\n", ""),
    want: { ...read, reports: 2 },
  },
  { file: "tls/zero-byte-before.json", content: `\0${TLS}`, want: { report: { kind: "tls" } } },
];

export const together: Quirk[] = [
  ...encoded,
  ...bothKinds,
  ...marked,
  ...notices,
  ...dates,
  ...early,
  ...addresses,
  ...pasted,
  ...members,
  ...fields,
  {
    file: "metadata/dates-as-digits-of-no-day.xml",
    content: changed(["1700000000", "20231399"]),
    want: { problems: ["missing_dates"] },
  },
  {
    file: "tls/dates-as-digits.json",
    content: TLS.replace("2026-01-01T00:00:00Z", "20260101").replace("2026-01-01T23:59:59Z", "20260102"),
    want: { report: { beginSeconds: 1_767_225_600, endSeconds: 1_767_312_000 } },
  },
];
