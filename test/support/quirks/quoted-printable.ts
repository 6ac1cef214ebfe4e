/** Support: reports in quoted-printable that no header declares. */
import { COVER_TEXT, multipartMail, part } from "../mails.ts";
import { ORDINARY } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const encoded = (content: string): string =>
  part({ encoding: "quoted-printable", content: content.replaceAll('="', '=3D"') })
    .split("\r\n\r\n")
    .slice(1)
    .join("\r\n\r\n");
const undeclared = (body: string, type = "text/xml"): Uint8Array =>
  multipartMail([COVER_TEXT, `Content-Type: ${type}; name=r.xml\r\n\r\n${body}`]);
const withoutDeclaration = ORDINARY.slice(ORDINARY.indexOf("<feedback>"));
const read = { report: ORDINARY_TOTALS };

export const quotedPrintable: Quirk[] = [
  {
    file: "carried/quoted-printable-after-blank-lines.eml",
    content: undeclared(`\r\n \r\n${encoded(ORDINARY)}`),
    want: read,
  },
  {
    file: "carried/quoted-printable-byte-order-mark.eml",
    content: undeclared(`=EF=BB=BF${encoded(ORDINARY)}`),
    want: read,
  },
  {
    file: "carried/quoted-printable-namespace-first.eml",
    content: undeclared(
      encoded(withoutDeclaration.replace("<feedback>", '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">')),
    ),
    want: read,
  },
  {
    file: "carried/quoted-printable-one-line.eml",
    content: undeclared(encoded(withoutDeclaration.replaceAll("\n", " "))),
    want: read,
  },
  {
    file: "carried/quoted-printable-json.eml",
    content: undeclared(
      `{=22organization-name=22:=22R=22,=22contact-info=22:=22t@r.example=22,=22report-id=22:=221=22,=
=22date-range=22:{=22start-datetime=22:=222026-01-01T00:00:00Z=22,=22end-datetime=22:=222026-01-01T23:59:59Z=22},=
=22policies=22:[{=22policy=22:{=22policy-type=22:=22sts=22,=22policy-domain=22:=22acme.example=22},=
=22summary=22:{=22total-successful-session-count=22:2,=22total-failure-session-count=22:0}}]}`.replaceAll("\n", "\r\n"),
      "application/tlsrpt+json",
    ),
    want: { report: { kind: "tls", policies: [{ successfulSessionCount: 2 }] } },
  },
];
