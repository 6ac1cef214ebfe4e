/** Support: mails that are in a file one after the other, without a line that separates them. */
import { gzip, joinBytes } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipartMail, simpleMail } from "../mails.ts";
import { numbered } from "../report-xml.ts";
import type { Quirk } from "./quirk.ts";

const inMultipart = (id: string): Uint8Array =>
  multipartMail([COVER_TEXT, attached(gzip(numbered(id)), `${id}.xml.gz`)]);
const asWhole = (id: string): Uint8Array =>
  simpleMail({ type: `application/gzip; name=${id}.xml.gz`, encoding: "base64", content: gzip(numbered(id)) });
const asXml = (id: string): Uint8Array => simpleMail({ type: "text/xml", content: numbered(id) });
/** Another boundary, and no end of it. */
const unclosed = (mail: Uint8Array): Uint8Array =>
  fromBinary(
    binary(mail)
      .replaceAll("=_boundary-0=", "another")
      .replace(/--another--\r\n$/, ""),
  );
const both: Quirk["want"] = { reports: 2, problems: [] };

const EXIM = `A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: acme.example
  Sender IP Address: 192.0.2.68

The message was:

`;
const NOTICE = simpleMail({ type: "text/plain", content: "Delivery failed. This is a copy of your mail:\r\n" });
const fromDaemon = (mail: Uint8Array): Uint8Array =>
  fromBinary(
    binary(mail)
      .replace("DMARC <dmarc@reporter.example>", "MAILER-DAEMON@mx.example")
      .replace(/Subject: [^\r]*/, "Subject: failure notice"),
  );

export const oneAfterAnother: Quirk[] = [
  { file: "lost/mails-in-a-row.eml", content: joinBytes(inMultipart("a"), inMultipart("b")), want: both },
  {
    file: "lost/mails-in-a-row-dashes-between.eml",
    content: joinBytes(inMultipart("a"), `\r\n${"-".repeat(40)}\r\n\r\n`, inMultipart("b"), inMultipart("c")),
    want: { reports: 3, problems: [] },
  },
  { file: "lost/mails-in-a-row-base64.eml", content: joinBytes(asWhole("a"), asWhole("b")), want: both },
  {
    file: "lost/mails-in-a-row-traced.eml",
    content: joinBytes("Received: from a by b\r\n", asWhole("a"), "\r\nReceived: from a by b\r\n", asWhole("b")),
    want: both,
  },
  { file: "lost/mails-in-a-row-xml.eml", content: joinBytes(asXml("a"), asXml("b")), want: both },
  { file: "lost/mails-in-a-row-of-two-forms.eml", content: joinBytes(inMultipart("a"), asXml("b")), want: both },
  {
    file: "lost/mails-in-a-row-first-not-closed.eml",
    content: joinBytes(unclosed(inMultipart("a")), inMultipart("b")),
    want: both,
  },
  {
    file: "lost/mails-in-a-row-letter-first.eml",
    content: joinBytes(simpleMail({ type: "text/plain", content: "Good morning." }), inMultipart("b")),
    want: { reports: 1, problems: [] },
  },
  // What follows is shown, not delivered.
  {
    file: "lost/text-failure-shows-a-mail.eml",
    content: simpleMail({ type: "text/plain", content: joinBytes(EXIM, inMultipart("b")) }),
    want: { reports: 1, report: { kind: "failure", reportedDomain: "acme.example" } },
  },
  {
    file: "lost/text-bounce-shows-a-mail.eml",
    content: joinBytes(fromDaemon(NOTICE), "\r\n", inMultipart("b")),
    want: { problems: ["delivery_notice"] },
  },
];
