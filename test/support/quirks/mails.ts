/** Support: reports in mails of every build. */
import { gzip, joinBytes, toBytes, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const GZ = gzip(ORDINARY);
const ZIP = zip([{ name: "r.xml", content: ORDINARY }]);
const NAME = "reporter.example!acme.example!1700000000!1700086399.xml.gz";
const USUAL = multipartMail([COVER_TEXT, attached(GZ, NAME)]);
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
const gz64 = (headers: { type?: string; disposition?: string; headers?: string[] }) =>
  part({ ...headers, encoding: "base64", content: GZ });
const nest = (mail: Uint8Array, levels: number): Uint8Array =>
  levels === 0 ? mail : nest(multipartMail([part({ type: "message/rfc822", content: mail })], "mixed"), levels - 1);
const deepMultipart = (levels: number): string =>
  levels === 0 ? attached(GZ, NAME) : multipart([deepMultipart(levels - 1)]);

export const mails: Quirk[] = [
  { file: "mail/letter-and-gzip.eml", content: USUAL, want: { ...read, clean: true } },
  {
    // A first line of spaces, to which a server on the way has added its own header.
    file: "mail/line-of-spaces-in-header.eml",
    content: joinBytes("Received: from mx.example\r\n   \r\n", USUAL),
    want: { ...read, clean: true },
  },
  {
    file: "mail/whole-mail-is-zip.eml",
    content: simpleMail({ type: 'application/zip; name="r.zip"', encoding: "base64", content: ZIP }),
    want: read,
  },
  { file: "mail/whole-mail-is-xml.eml", content: simpleMail({ type: "text/xml", content: ORDINARY }), want: read },
  {
    file: "mail/octet-stream.eml",
    content: multipartMail([COVER_TEXT, attached(GZ, "report", "application/octet-stream")]),
    want: read,
  },
  {
    file: "mail/zip-labelled-gzip-trailing-crlf.eml",
    content: multipartMail([attached(joinBytes(ZIP, "\r\n"), NAME)]),
    want: { ...read, warnings: [`repaired_archive ${NAME}`] },
  },
  {
    file: "mail/gzip-labelled-zip.eml",
    content: multipartMail([attached(GZ, "r.zip", "application/zip")]),
    want: read,
  },
  { file: "mail/gzip-labelled-image.eml", content: multipartMail([attached(GZ, "logo.png", "image/png")]), want: read },
  { file: "mail/gzip-labelled-text.eml", content: multipartMail([attached(GZ, NAME, "text/plain")]), want: read },
  { file: "mail/xml-labelled-gzip.eml", content: multipartMail([attached(ORDINARY, NAME)]), want: read },
  {
    file: "mail/no-content-type.eml",
    content: multipartMail([COVER_TEXT, gz64({ disposition: `attachment; filename="${NAME}"` })]),
    want: read,
  },
  {
    file: "mail/content-type-without-dash.eml",
    content: multipartMail([
      COVER_TEXT,
      gz64({ headers: [`ContentType: application/gzip; name="${NAME}"`], disposition: "attachment" }),
    ]),
    want: read,
  },
  {
    file: "mail/no-disposition.eml",
    content: multipartMail([COVER_TEXT, gz64({ type: `application/gzip; name="${NAME}"` })]),
    want: read,
  },
  {
    file: "mail/no-file-name.eml",
    content: multipartMail([COVER_TEXT, gz64({ type: "application/gzip" })]),
    want: read,
  },
  {
    file: "mail/disposition-inline.eml",
    content: multipartMail([COVER_TEXT, gz64({ type: "application/gzip", disposition: `inline; filename="${NAME}"` })]),
    want: read,
  },
  {
    file: "mail/file-name-rfc2231-split.eml",
    content: multipartMail([
      COVER_TEXT,
      gz64({
        type: "application/octet-stream",
        disposition: 'attachment;\r\n filename*0="reporter.example!acme.example!17.xm";\r\n filename*1="l.gz"',
      }),
    ]),
    want: read,
  },
  {
    file: "mail/file-name-rfc2231-utf8.eml",
    content: multipartMail([
      gz64({ type: "application/gzip", disposition: "attachment; filename*=UTF-8''r%C3%A9.xml.gz" }),
    ]),
    want: read,
  },
  {
    file: "mail/file-name-with-line-end.eml",
    content: multipartMail([
      gz64({ type: "application/gzip", disposition: "attachment; filename*=UTF-8''r%0D%0ABcc%3A%20x.gz" }),
    ]),
    want: read,
  },
  { file: "mail/file-name-proto.eml", content: multipartMail([attached(GZ, "__proto__")]), want: read },
  {
    file: "mail/two-attachments-of-one-name.eml",
    content: multipartMail([attached(gzip(numbered("a")), NAME), attached(gzip(numbered("b")), NAME)]),
    want: { ...read, reports: 2 },
  },
  {
    file: "mail/picture-first.eml",
    content: multipartMail([attached(PNG, "logo.png", "image/png"), attached(GZ, NAME)]),
    want: read,
  },
  {
    file: "mail/good-and-truncated.eml",
    content: multipartMail([attached(GZ.subarray(0, 200), "a.gz"), attached(GZ, "b.gz")]),
    want: { ...read, reports: 1, problems: ["truncated"] },
  },
  {
    file: "mail/xml-7bit.eml",
    content: multipartMail([
      part({ type: "text/xml", disposition: "attachment; filename=r.xml", encoding: "7bit", content: ORDINARY }),
    ]),
    want: read,
  },
  {
    file: "mail/xml-8bit.eml",
    content: multipartMail([
      part({
        type: "text/xml; charset=utf-8",
        disposition: "attachment; filename=r.xml",
        encoding: "8bit",
        content: ORDINARY.replace("Reporter", "Rapporté"),
      }),
    ]),
    want: { report: { metadata: { orgName: "Rapporté" } } },
  },
  {
    file: "mail/xml-quoted-printable.eml",
    content: multipartMail([
      part({
        type: "text/xml",
        disposition: "attachment; filename=r.xml",
        encoding: "quoted-printable",
        content: ORDINARY.replace("Reporter", "Rapporté = oui"),
      }),
    ]),
    want: { report: { metadata: { orgName: "Rapporté = oui" } } },
  },
  {
    file: "mail/xml-inline-text-plain.eml",
    content: multipartMail([
      COVER_TEXT,
      part({ type: "text/plain", disposition: "inline; filename=r.xml", content: ORDINARY }),
    ]),
    want: read,
  },
  {
    file: "mail/pasted-in-body.eml",
    content: simpleMail({ type: "text/plain; charset=utf-8", content: `See below.\n\n${ORDINARY}\n-- \nRegards` }),
    want: read,
  },
  {
    file: "mail/pasted-in-body-latin1.eml",
    content: simpleMail({
      type: "text/plain; charset=iso-8859-1",
      content: fromBinary(ORDINARY.replace("UTF-8", "ISO-8859-1").replace("Reporter", "Rapport\xe9")),
    }),
    want: { report: { metadata: { orgName: "Rapporté" } } },
  },
  {
    file: "mail/pasted-in-html.eml",
    content: simpleMail({
      type: "text/html; charset=utf-8",
      content: `<html><body><pre>${ORDINARY.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}</pre></body></html>`,
    }),
    want: read,
  },
  {
    file: "mail/two-pasted.eml",
    content: simpleMail({ type: "text/plain", content: `${numbered("a")}\n\n${numbered("b")}` }),
    want: { ...read, reports: 2 },
  },
  {
    file: "mail/pasted-and-cut.eml",
    content: simpleMail({ type: "text/plain", content: ORDINARY.slice(0, 1400) }),
    want: { problems: ["truncated"] },
  },
  {
    file: "mail/talks-about-feedback.eml",
    content: simpleMail({ type: "text/plain", content: "Should the root be <feedback> or something else?\n" }),
    want: { problems: ["not_a_report"] },
  },
  { file: "mail/mail-in-mail.eml", content: nest(USUAL, 1), want: read },
  {
    file: "mail/mail-in-mail-base64.eml",
    content: multipartMail([
      part({ type: "message/rfc822", disposition: "attachment", encoding: "base64", content: USUAL }),
    ]),
    want: read,
  },
  { file: "mail/mail-in-mail-three-deep.eml", content: nest(USUAL, 3), want: read },
  { file: "mail/mails-too-deep.eml", content: nest(USUAL, 25), want: { problems: ["too_deep"] } },
  {
    file: "mail/multiparts-too-deep.eml",
    content: multipartMail([deepMultipart(30)]),
    want: { problems: ["too_deep"] },
  },
  {
    file: "mail/too-many-attachments.eml",
    content: multipartMail(Array.from({ length: 60 }, (_, i) => attached(gzip(numbered(`${i}`)), `${i}.gz`))),
    want: { problems: ["too_many_parts"] },
  },
  {
    file: "mail/smime-signed.eml",
    content: multipartMail(
      [
        multipart([COVER_TEXT, attached(GZ, NAME)]),
        attached(Uint8Array.from([0x30, 0x82, 1, 0, 6, 9]), "smime.p7s", "application/pkcs7-signature"),
      ],
      'signed; protocol="application/pkcs7-signature"; micalg=sha-256',
    ),
    want: read,
  },
  {
    file: "mail/multipart-alternative.eml",
    content: multipartMail([COVER_TEXT, attached(GZ, NAME)], "alternative"),
    want: read,
  },
  {
    file: "mail/multipart-related.eml",
    content: multipartMail([COVER_TEXT, attached(GZ, NAME)], "related"),
    want: read,
  },
  {
    file: "mail/list-footer-after.eml",
    content: multipartMail([
      multipart([COVER_TEXT, attached(GZ, NAME)]),
      part({ type: "text/plain", content: "____\nlist@acme.example" }),
    ]),
    want: read,
  },
  {
    file: "mail/no-closing-boundary.eml",
    content: fromBinary(binary(USUAL).replace("--=_boundary-0=--\r\n", "")),
    want: read,
  },
  { file: "mail/bare-line-feeds.eml", content: fromBinary(binary(USUAL).replaceAll("\r\n", "\n")), want: read },
  {
    file: "mail/mbox-from-line.eml",
    content: joinBytes("From dmarc@reporter.example Wed Nov 15 06:00:00 2023\n", USUAL),
    want: read,
  },
  { file: "mail/bom-before-header.eml", content: joinBytes([0xef, 0xbb, 0xbf], USUAL), want: read },
  {
    file: "mail/no-report.eml",
    content: multipartMail([COVER_TEXT, attached(PNG, "logo.png", "image/png")]),
    want: { problems: ["not_a_report"] },
  },
  {
    file: "mail/headers-only.eml",
    content: toBytes("From: a@b.example\r\nSubject: nothing\r\n\r\n"),
    want: { problems: ["not_a_report"] },
  },
];
