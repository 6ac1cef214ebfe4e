/** Support: failure notices in plain text, what comes before base64, and dates and folders as some programs write them. */
import { gzip, toBytes, zip } from "../archives.ts";
import { attached, COVER_TEXT, multipartMail, part, simpleMail } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { sampleTlsReport } from "../sample-report.ts";
import { base64Lines } from "../uuencode.ts";
import { ORDINARY_TOTALS, type Quirk, type Wanted } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const GZ = gzip(ORDINARY);

const notice = (ip: string): string => `A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: acme.example
  Sender IP Address: ${ip}
  Received Date: Mon, 01 Jan 2024 00:00:00 +0000
  DMARC Results: Reject
`;
const HEADERS = `
------ This is a copy of the headers that were received before the error was detected.

Received: from [192.0.2.99] by mx.reporter.example
From: Mallory <m@other.example>
`;
const letter = (content: string): Uint8Array => simpleMail({ type: "text/plain", content });
const failure = (report: object): Wanted => ({
  report: { kind: "failure", reportedDomain: "acme.example", ...report },
});
const one = failure({ sourceIp: "192.0.2.7" });
const both: Wanted = { ...one, reports: 2 };

const notices: Quirk[] = [
  { file: "failure/notice-as-a-file.txt", content: notice("192.0.2.7"), want: { ...one, passedOver: ["text"] } },
  {
    file: "failure/notice-with-headers-as-a-file.txt",
    content: notice("192.0.2.7") + HEADERS,
    want: { ...one, passedOver: ["text"] },
  },
  {
    file: "failure/notices-in-a.zip",
    content: zip([
      { name: "a.txt", content: notice("192.0.2.7") + HEADERS },
      { name: "b.txt", content: notice("192.0.2.8") },
    ]),
    want: both,
  },
  {
    file: "failure/notice-with-headers-attached-as-text.eml",
    content: multipartMail([COVER_TEXT, attached(notice("192.0.2.7") + HEADERS, "notice.txt", "text/plain")]),
    want: one,
  },
  {
    file: "failure/notice-attached-as-data.eml",
    content: multipartMail([COVER_TEXT, attached(notice("192.0.2.7"), "notice.txt", "application/octet-stream")]),
    want: one,
  },
  {
    file: "failure/two-notices-in-a-letter.eml",
    content: letter(
      `Two of today:\n\n${notice("192.0.2.7")}${HEADERS}\n\n> ${notice("192.0.2.8").replaceAll("\n", "\n> ")}`,
    ),
    want: both,
  },
  {
    file: "failure/two-notices-beside-a-report.eml",
    content: multipartMail([
      part({ type: "text/plain", content: `${notice("192.0.2.7")}\n${notice("192.0.2.8")}` }),
      attached(GZ, "r.xml.gz"),
    ]),
    want: { ...read, reports: 3, passedOver: ["text"] },
  },
  {
    file: "failure/too-many-notices-in-a-letter.eml",
    content: letter(Array.from({ length: 60 }, (_, i) => notice(`192.0.2.${i + 7}`)).join("\n")),
    want: { ...one, reports: 50, problems: ["too_many_parts"] },
  },
  {
    file: "failure/same-notice-twice-in-a-letter.eml",
    content: letter(`${notice("192.0.2.7")}\n${notice("192.0.2.7")}`),
    want: { ...one, reports: 1 },
  },
  {
    file: "failure/words-of-a-notice-before-it.eml",
    content: letter(`Why? A message has failed the published DMARC policy for your domain.\n\n${notice("192.0.2.7")}`),
    want: { ...one, reports: 1 },
  },
  {
    file: "failure/notice-without-domain.eml",
    content: letter(notice("192.0.2.7").replace(/ {2}Sender Domain.*\n/, "")),
    want: { problems: ["missing_domain"] },
  },
];

const FIELDS = [
  "Feedback-Type: auth-failure",
  "Version: 1",
  "User-Agent: Reporter/1.0",
  "Auth-Failure: dmarc",
  "Source-IP: 192.0.2.7",
];
const arf = (fields: string[], from: string): Uint8Array =>
  multipartMail(
    [
      COVER_TEXT,
      part({ type: "message/feedback-report", content: `${[...FIELDS, ...fields].join("\r\n")}\r\n` }),
      part({ type: "text/rfc822-headers", content: `From: ${from}\r\nSubject: hello\r\n` }),
    ],
    "report; report-type=feedback-report",
  );
const arrived = (name: string, date: string, arrivalSeconds: number): Quirk => ({
  file: `failure/arrival-${name}.eml`,
  content: arf(["Reported-Domain: acme.example", `Arrival-Date: ${date}`], "a@acme.example"),
  want: failure({ arrivalSeconds }),
});

const fields: Quirk[] = [
  {
    file: "failure/no-domain-anywhere.eml",
    content: arf(["DKIM-Domain: acme.example"], "[redacted]"),
    want: { problems: ["missing_domain"] },
  },
  {
    file: "failure/from-with-umlauts-in-utf-8.eml",
    content: arf([], "Gr\u00fc\u00dfe <a@B\u00dcCHER.example>"),
    want: failure({ reportedDomain: "xn--bcher-kva.example" }),
  },
  {
    file: "failure/from-with-polish-letters-in-the-letter.eml",
    content: simpleMail({
      type: "text/plain; charset=utf-8",
      content: `A failure report.\r\n\r\n${FIELDS.join("\r\n")}\r\n\r\nFrom: a@\u0142\u00f3d\u017a.example\r\nSubject: hello\r\n`,
    }),
    want: failure({ reportedDomain: "xn--d-uga0v4h.example" }),
  },
  {
    file: "failure/reported-domain-with-umlauts-in-utf-8.eml",
    content: arf(["Reported-Domain: b\u00fccher.example"], "a@other.example"),
    want: failure({ reportedDomain: "xn--bcher-kva.example" }),
  },
  {
    file: "failure/reported-domain-is-a-dash.eml",
    content: arf(["Reported-Domain: -"], "a@acme.example"),
    want: { ...failure({}), warnings: ["missing_value Reported-Domain"] },
  },
  arrived("of-javascript", "Mon Jan 01 2024 01:00:00 GMT+0100 (Central European Standard Time)", 1_704_067_200),
  arrived("gmt-and-an-offset", "Mon, 01 Jan 2024 01:00:00 GMT+0100", 1_704_067_200),
  arrived("in-the-evening", "Monday, January 1, 2024 10:30:00 PM", 1_704_148_200),
];

const withBase64 = (body: string): Uint8Array =>
  multipartMail([
    COVER_TEXT,
    `${part({ type: "application/gzip; name=r.xml.gz", encoding: "base64", content: "" })}${body}`,
  ]);

/** As an API hands out a mail. */
const base64Url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

const carriers: Quirk[] = [
  {
    file: "carried/mark-before-base64.eml",
    content: withBase64(`\ufeff${base64Lines(GZ)}`),
    want: read,
  },
  {
    file: "carried/words-before-base64.eml",
    content: withBase64(`EXTERNAL EMAIL: be careful with attachments.\r\n\r\n${base64Lines(GZ)}`),
    want: read,
  },
  { file: "carried/base64-of-urls.txt", content: base64Url(toBytes(ORDINARY)), want: read },
  {
    file: "carried/base64-of-urls-of-a-mail.txt",
    content: base64Url(multipartMail([COVER_TEXT, part({ type: "text/xml", content: ORDINARY })])),
    want: read,
  },
  {
    file: "carried/base64-with-a-row-of-dashes.txt",
    content: base64Lines(GZ).replace("\r\n", "\r\n----\r\n"),
    want: read,
  },
  {
    file: "carried/base64-of-xml-above-a-signature.txt",
    content: `${base64Lines(toBytes(ORDINARY))}---------\r\n`,
    want: read,
  },
  { file: "carried/base64-of-base64.txt", content: base64Lines(toBytes(base64Lines(GZ))), want: read },
  {
    file: "carried/base64-three-times.eml",
    content: withBase64(base64Lines(toBytes(base64Lines(toBytes(base64Lines(GZ)))))),
    want: read,
  },
  {
    file: "carried/base64-twice-of-a-tls-report.txt",
    content: base64Lines(toBytes(base64Lines(toBytes(sampleTlsReport("acme.example", "2026-01-01"))))),
    want: { report: { kind: "tls" } },
  },
  {
    file: "containers/zip-folder-of-windows.zip",
    content: zip([
      { name: "reports\\", content: "", method: 0 },
      { name: "reports\\r.xml", content: ORDINARY },
    ]),
    want: { ...read, reports: 1, problems: [] },
  },
];

const TLS = sampleTlsReport("acme.example", "2026-01-01");
const TLS_2 = sampleTlsReport("acme.example", "2026-01-02");

const mixed: Quirk[] = [
  { file: "tls/xml-behind.json", content: `${TLS}\n${ORDINARY}`, want: { report: { kind: "tls" }, reports: 2 } },
  {
    file: "tls/xml-behind-it-is-cut.json",
    content: TLS + ORDINARY.slice(0, 900),
    want: { reports: 1, problems: ["truncated"] },
  },
  {
    file: "tls/bad-dates-and-xml-behind.json",
    content: TLS.replace("2026-01-01T", "some day") + ORDINARY,
    want: { ...read, reports: 1, problems: ["missing_dates"] },
  },
  {
    file: "tls/xml-within-a-text.json",
    content: TLS.replace("Sender", "Sender } <feedback>"),
    want: { report: { kind: "tls", orgName: "Sender } <feedback>" }, reports: 1 },
  },
  { file: "xml/json-behind.xml", content: ORDINARY + TLS, want: { ...read, reports: 2 } },
  {
    file: "xml/json-behind-it-is-cut.xml",
    content: ORDINARY + TLS.slice(0, 200),
    want: { ...read, reports: 1, problems: ["malformed_json"] },
  },
  {
    file: "xml/json-between.xml",
    content: ORDINARY + TLS + TLS_2 + numbered("2"),
    want: { ...read, reports: 4 },
  },
  {
    file: "xml/too-many-json-behind.xml",
    content:
      ORDINARY + Array.from({ length: 60 }, (_, i) => TLS.replace('"report-id":"', `"report-id":"${i}-`)).join("\n"),
    want: { ...read, reports: 51, problems: ["too_many_parts"] },
  },
  { file: "xml/braces-behind.xml", content: `${ORDINARY}{footer}`, want: { ...read, reports: 1 } },
];

const labelledData: Quirk[] = [
  {
    file: "lost/json-after-a-long-text-labelled-data.eml",
    content: multipartMail([
      COVER_TEXT,
      attached(`${"Good morning.\n".repeat(400)}${TLS}\n`, "notes.txt", "application/octet-stream"),
    ]),
    want: { report: { kind: "tls" }, passedOver: ["text", "text"] },
  },
];

export const noticesAndDates: Quirk[] = [...notices, ...fields, ...carriers, ...mixed, ...labelledData];
