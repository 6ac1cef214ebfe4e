/** Support: mails with reports where RFC 2046 has none: before and after the parts, elsewhere, in an encoded multipart. */
import { gzip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { sampleTlsReport } from "../sample-report.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const GOOD = attached(gzip(ORDINARY), "reporter.example!acme.example!1700000000!1700086399.xml.gz");
const PARTS = multipart([COVER_TEXT, GOOD]);
const HEAD = "From: r@reporter.example\r\nTo: a@acme.example\r\nMIME-Version: 1.0\r\n";
const [PARTS_HEADER = "", ...REST] = PARTS.split("\r\n\r\n");
const PARTS_BODY = REST.join("\r\n\r\n");
const SECOND = numbered("2");
const inBase64 = (text: string): string => btoa(text).replace(/.{76}/g, "$&\r\n");
const read = { report: ORDINARY_TOTALS };

const around = (name: string, before: string, after: string, want: Quirk["want"]): Quirk => ({
  file: `lost/${name}.eml`,
  content: fromBinary(`${HEAD}${PARTS_HEADER}\r\n\r\n${before}${PARTS_BODY.trimEnd()}\r\n${after}`),
  want,
});
const alone = (content: string): Uint8Array => simpleMail({ type: "text/plain", content });
const failing = (letter: string): Uint8Array =>
  multipartMail(
    [
      part({ type: "text/plain", content: letter }),
      "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: R/1\r\nSource-IP: 192.0.2.7\r\nReported-Domain: acme.example\r\nAuth-Failure: dmarc\r\n",
      "Content-Type: message/rfc822\r\n\r\nFrom: someone@acme.example\r\nSubject: s\r\n\r\n",
    ],
    "report; report-type=feedback-report",
  );
const TLS_PASTED = sampleTlsReport("acme.example", "2026-01-01");
const SECOND_LINES = inBase64(binary(gzip(SECOND)));

/** What is in a letter, and mails that are multipart in another way than they say. */
export const inBodyTexts: Quirk[] = [
  { file: "lost/base64-in-letter.eml", content: alone(`Hello,\r\n\r\n${SECOND_LINES}\r\nBye bye\r\n`), want: read },
  {
    file: "lost/base64-in-letter-quoted.eml",
    content: alone(`> Hello,\r\n>\r\n> ${SECOND_LINES.replaceAll("\r\n", "\r\n> ")}\r\n> Bye\r\n`),
    want: read,
  },
  {
    file: "lost/base64-in-letter-beside-attachment.eml",
    content: multipartMail([part({ type: "text/plain", content: `Hello,\r\n\r\n${SECOND_LINES}\r\n\r\nBye` }), GOOD]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/report-in-a-link.eml",
    content: multipartMail([
      GOOD,
      part({
        type: "text/html",
        content: `<a href="data:application/gzip;base64,${btoa(binary(gzip(SECOND)))}">r</a>`,
      }),
    ]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/multipart-without-boundary-beside-good.eml",
    content: multipartMail([GOOD, `Content-Type: multipart/mixed\r\n\r\n${attached(gzip(SECOND), "x.xml.gz")}`]),
    want: { ...read, reports: 2 },
  },
  ...(
    [
      ["base64-of-json", inBase64(TLS_PASTED)],
      ["base64-of-xml-without-declaration", inBase64(SECOND.replace(/^<\?.*\?>\n/, ""))],
      ["tls-pasted-quoted", `> ${TLS_PASTED.replaceAll(",", ",\r\n> ")}`],
    ] as const
  ).map(
    ([name, content]): Quirk => ({
      file: `lost/${name}-in-letter.eml`,
      content: multipartMail([part({ type: "text/plain", content: `See:\r\n\r\n${content}\r\n` }), GOOD]),
      want: { ...read, reports: 2, passedOver: ["text"] },
    }),
  ),
  {
    file: "lost/two-tls-pasted-in-letter.eml",
    content: alone(`See:\r\n${TLS_PASTED}\r\nand\r\n${sampleTlsReport("b.example", "2026-01-02")}\r\n`),
    want: { reports: 2 },
  },
  {
    file: "lost/fragment-of-a-mail.eml",
    content: fromBinary(
      `${HEAD}Content-Type: message/partial; id="1@reporter.example"; number=2; total=2\r\n\r\n${SECOND_LINES.slice(78)}`,
    ),
    want: { problems: ["unsupported_format"] },
  },
  {
    file: "lost/multipart-without-any-boundary.eml",
    content: fromBinary(`${HEAD}Content-Type: multipart/mixed\r\n\r\n${GOOD}`),
    want: read,
  },
  {
    file: "failure/letter-shows-a-report.eml",
    content: failing(`It failed, and said:\r\n${SECOND}`),
    want: { report: { kind: "failure" }, passedOver: ["text", "evidence", "evidence"] },
  },
  {
    file: "failure/letter-shows-a-report-in-base64.eml",
    content: failing(`It failed, and said:\r\n\r\n${SECOND_LINES}`),
    want: { report: { kind: "failure" }, passedOver: ["text", "evidence", "evidence"] },
  },
  ...[
    "Content-Type: multipart/mixed boundary=b",
    "CONTENT-TYPE: MULTIPART/MIXED; BOUNDARY=b",
    "Content-Type: multipart/mixed (boundary=x); boundary = b",
    "Content-Type: multipart/mixed; boundary*=us-ascii''b",
    "Content-Type: multipart/mixed; boundary=B",
  ].map(
    (field, i): Quirk => ({
      file: `lost/boundary-spelt-${i + 1}.eml`,
      content: fromBinary(`${HEAD}${field}\r\n\r\n--b\r\n${COVER_TEXT}\r\n--b\r\n${GOOD}\r\n--b--\r\n`),
      want: { ...read, passedOver: ["text"] },
    }),
  ),
];
const encoded = (encoding: string, body: string): string =>
  `Content-Type: multipart/mixed; boundary="=_inner"\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`;
const INNER = `--=_inner\r\n${attached(SECOND, "second.xml", "text/xml")}\r\n--=_inner--\r\n`;

export const aroundParts: Quirk[] = [
  around("preamble-usual", "This is a multi-part message in MIME format.\r\n", "\r\n", {
    ...read,
    reports: 1,
    passedOver: ["text"],
  }),
  around("preamble-report", `See below.\r\n${SECOND}\r\n`, "", { reports: 2, passedOver: ["text", "text"] }),
  around("epilogue-report", "", `${SECOND}\r\n`, { ...read, reports: 2, passedOver: ["text", "text"] }),
  around("epilogue-report-in-base64", "", `Also:\r\n\r\n${inBase64(binary(gzip(SECOND)))}\r\n`, {
    ...read,
    reports: 2,
    passedOver: ["text"],
  }),
  around("preamble-cut-file", `${inBase64(binary(gzip(SECOND))).slice(0, 152)}\r\n`, "", {
    ...read,
    reports: 1,
    problems: ["truncated"],
    passedOver: ["text"],
  }),
  {
    file: "lost/external-body.eml",
    content: multipartMail([
      COVER_TEXT,
      GOOD,
      `Content-Type: message/external-body; access-type=URL; URL="https://reporter.example/r.xml.gz"; name="r.xml.gz"\r\n\r\nContent-Type: application/gzip\r\nContent-ID: <1@reporter.example>\r\n\r\n`,
    ]),
    want: { ...read, reports: 1, problems: ["unsupported_format"], passedOver: ["text"] },
  },
  around(
    "more-parts-after-the-end",
    "",
    `--=_boundary-0=\r\n${attached(SECOND, "second.xml")}\r\n--=_boundary-0=--\r\n`,
    {
      ...read,
      reports: 2,
      passedOver: ["text"],
    },
  ),
  {
    file: "lost/multipart-in-quoted-printable-plain-boundary.eml",
    content: multipartMail([
      COVER_TEXT,
      GOOD,
      part({
        type: 'multipart/mixed; boundary="inner"',
        encoding: "quoted-printable",
        content: INNER.replaceAll("=_inner", "inner"),
      }),
    ]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/bounce-with-epilogue.eml",
    content: fromBinary(
      `${HEAD}${PARTS_HEADER.replace("mixed", "report; report-type=delivery-status")}\r\n\r\n${PARTS_BODY.trimEnd()}\r\n${SECOND}\r\n`,
    ),
    want: { problems: ["delivery_notice"], passedOver: ["text", "evidence", "evidence"] },
  },
  {
    file: "lost/multipart-in-base64.eml",
    content: multipartMail([COVER_TEXT, GOOD, encoded("base64", inBase64(INNER))]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/multipart-in-quoted-printable.eml",
    content: multipartMail([COVER_TEXT, GOOD, encoded("quoted-printable", INNER.replaceAll("=", "=3D"))]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/multipart-declared-base64.eml",
    content: multipartMail([COVER_TEXT, GOOD, encoded("base64", INNER)]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
];
