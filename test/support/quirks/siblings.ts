/** Support: several reports in one file or letter, and notices beside reports. */
import { gzip } from "../archives.ts";
import { attached, binary, COVER_TEXT, multipartMail, part, simpleMail } from "../mails.ts";
import { changed, numbered, ORDINARY } from "../report-xml.ts";
import { sampleTlsReport } from "../sample-report.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const SECOND = numbered("2");
const GOOD = attached(gzip(ORDINARY), "reporter.example!acme.example!1700000000!1700086399.xml.gz");
const read = { report: ORDINARY_TOTALS };
const LATIN = (id: string): string => changed(["UTF-8", "iso-8859-1"], ["Reporter", "R\xe9porter"], ["ordinary.1", id]);

const BOUNCE = binary(
  multipartMail(
    [
      part({ type: "text/plain", content: "Your mail could not be delivered." }),
      part({ type: "message/delivery-status", content: "Reporting-MTA: dns; mx.acme.example\r\n" }),
      `Content-Type: message/rfc822\r\n\r\n${binary(multipartMail([COVER_TEXT, GOOD]))}`,
    ],
    "report; report-type=delivery-status",
  ),
);
const beside = (name: string, others: string[], want: Quirk["want"]): Quirk => ({
  file: `lost/${name}.eml`,
  content: multipartMail([COVER_TEXT, ...others]),
  want,
});
const asBase64 = (type: string, content: string): string => part({ type, encoding: "base64", content });
const letters = (text: string, html: string): Uint8Array =>
  multipartMail(
    [part({ type: "text/plain", content: text }), part({ type: "text/html", content: html })],
    "alternative",
  );
const escaped = (xml: string): string => `<pre>${xml.replaceAll("<", "&lt;").replaceAll("\n", "<br>\n")}</pre>`;
const TLS = sampleTlsReport("acme.example", "2026-01-01");

const notices: Quirk[] = [
  beside("bounce-beside-report", [GOOD, `Content-Type: message/rfc822\r\n\r\n${BOUNCE}`], {
    ...read,
    reports: 1,
    passedOver: ["text", "text", "notice", "evidence"],
  }),
  beside("bounce-in-base64-beside-report", [GOOD, asBase64("message/rfc822", BOUNCE)], {
    ...read,
    reports: 1,
    passedOver: ["text", "text", "notice", "evidence"],
  }),
  beside("bounce-forwarded", [`Content-Type: message/rfc822\r\n\r\n${BOUNCE}`], {
    problems: ["delivery_notice"],
    passedOver: ["text", "text", "notice", "evidence"],
  }),
];

const inBodyTexts: Quirk[] = [
  {
    file: "lost/text-and-html-of-two-reports.eml",
    content: letters(ORDINARY, escaped(SECOND)),
    want: { ...read, reports: 2, passedOver: ["text", "text"] },
  },
  {
    file: "lost/text-and-html-of-one-report.eml",
    content: letters(`> ${ORDINARY.replaceAll("\n", "\n> ")}`, escaped(ORDINARY)),
    want: { ...read, reports: 1, passedOver: ["text", "text"] },
  },
  {
    file: "lost/text-and-html-of-two-tls-reports.eml",
    content: letters(`See:\n${TLS}`, escaped(sampleTlsReport("acme.example", "2026-01-02"))),
    want: { reports: 2, passedOver: ["text", "text"] },
  },
  {
    file: "lost/text-and-html-of-one-tls-report.eml",
    content: letters(`See:\n${TLS}`, escaped(JSON.stringify(JSON.parse(TLS), null, 2))),
    want: { reports: 1, passedOver: ["text", "text"] },
  },
];

const inAFile: Quirk[] = [
  { file: "xml/two-reports.xml", content: ORDINARY + SECOND, want: { ...read, reports: 2 } },
  {
    file: "xml/three-reports-in-latin-1.xml",
    content: Uint8Array.from([LATIN("1"), LATIN("2"), LATIN("3")].join(""), (char) => char.charCodeAt(0)),
    want: { report: { metadata: { orgName: "Réporter" } }, reports: 3 },
  },
  {
    file: "xml/first-of-two-without-dates.xml",
    content: changed([/<date_range>.*<\/date_range>/, ""]) + SECOND,
    want: { ...read, reports: 1, problems: ["missing_dates"] },
  },
  {
    file: "xml/second-of-two-cut.xml",
    content: ORDINARY + SECOND.slice(0, -200),
    want: { ...read, reports: 1, problems: ["truncated"] },
  },
  {
    file: "xml/two-reports-and-a-word-between.xml",
    content: `${ORDINARY}and\n${SECOND}bye`,
    want: { ...read, reports: 2, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "containers/gzip-members-of-two-reports.xml.gz",
    content: new Uint8Array([...gzip(ORDINARY), ...gzip(SECOND)]),
    want: { ...read, reports: 2 },
  },
  {
    file: "mail/whole-mail-is-two-reports.eml",
    content: simpleMail({ type: "text/xml", encoding: "quoted-printable", content: ORDINARY + SECOND }),
    want: { ...read, reports: 2 },
  },
];

const wide = (text: string): Uint8Array =>
  Uint8Array.from(
    `\ufeff${text}`.split("").flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8, 0, 0]),
  );
const YENC = `=ybegin line=128 size=9 name=r.xml.gz\r\n${"\x49\xb5".repeat(9)}\r\n=yend size=9\r\n`;

const inATextFile = (name: string, content: string, type = "text/plain", file = "notes.txt"): Quirk => ({
  file: `lost/${name}-in-attached-text.eml`,
  content: multipartMail([COVER_TEXT, GOOD, part({ type, disposition: `attachment; filename="${file}"`, content })]),
  want: { ...read, reports: 2, passedOver: ["text", "text"] },
});
const IN_BASE64 = btoa(binary(gzip(SECOND))).replace(/.{76}/g, "$&\r\n");

const inTextFiles: Quirk[] = [
  inATextFile("base64", `As before:\r\n${IN_BASE64}\r\n`),
  inATextFile("json", `As before:\r\n${TLS}\r\n`),
  inATextFile("html", `<html><body>${escaped(SECOND)}</body></html>`, "text/html", "page.html"),
];

const told: Quirk[] = [
  { file: "xml/utf-32.xml", content: wide(ORDINARY), want: { problems: ["unsupported_format"] } },
  { file: "xml/after-five-thousand-blanks.xml", content: `${" \n".repeat(2500)}${ORDINARY.slice(39)}`, want: read },
  { file: "xml/blanks-alone.xml", content: " \n".repeat(2500), want: { problems: ["empty"] } },
  {
    file: "lost/yenc-beside-report.eml",
    content: multipartMail([GOOD, part({ type: "text/plain", content: YENC })]),
    want: { ...read, reports: 1, problems: ["unsupported_format"] },
  },
  ...["no", "yes"].map(
    (drops): Quirk => ({
      file: `mail/flowed-drops-space-${drops}.eml`,
      content: simpleMail({
        type: `text/plain; format=flowed; delsp=${drops}`,
        content: `> ${changed(drops === "yes" ? ["policy_evaluated", "policy_ \nevaluated"] : ["<disposition>", " \n<disposition>"]).replaceAll("\n", "\r\n> ")}`,
      }),
      want: { ...read, passedOver: ["text"] },
    }),
  ),
];

export const siblings: Quirk[] = [...notices, ...inBodyTexts, ...inAFile, ...inTextFiles, ...told];
