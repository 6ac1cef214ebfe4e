/** Support: mails with reports where RFC 2046 has none: before and after the parts, elsewhere, in an encoded multipart. */
import { gzip } from "../archives.ts";
import { attached, binary, fromBinary, LETTER, multipart, multipartMail, part } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const GOOD = attached(gzip(ORDINARY), "reporter.example!acme.example!1700000000!1700086399.xml.gz");
const PARTS = multipart([LETTER, GOOD]);
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
      LETTER,
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
      LETTER,
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
    content: multipartMail([LETTER, GOOD, encoded("base64", inBase64(INNER))]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/multipart-in-quoted-printable.eml",
    content: multipartMail([LETTER, GOOD, encoded("quoted-printable", INNER.replaceAll("=", "=3D"))]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
  {
    file: "lost/multipart-declared-base64.eml",
    content: multipartMail([LETTER, GOOD, encoded("base64", INNER)]),
    want: { ...read, reports: 2, passedOver: ["text"] },
  },
];
