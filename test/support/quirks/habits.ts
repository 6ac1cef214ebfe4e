/** Support: habits of real reporters and mail servers: who sends a report and under which subject, lines of spaces, wrong types. */
import { gzip } from "../archives.ts";
import { attached, fromBinary, multipartMail, part, simpleMail } from "../mails.ts";
import { ORDINARY } from "../report-xml.ts";
import type { Quirk, Wanted } from "./quirk.ts";
import { ORDINARY_TOTALS } from "./quirk.ts";

const FIELDS = [
  "Feedback-Type: auth-failure",
  "User-Agent: Reporter/1.0",
  "Version: 1",
  "Authentication-Results: mx.receiver.example;\r\n dmarc=fail (p=none; dis=none) header.from=acme.example",
  "Source-IP: 192.0.2.1",
  "Auth-Failure: dmarc",
];
const HEADER = "Received: from a.example\r\nFrom: Person <person@acme.example>\r\nSubject: private matter\r\n";
const failureMail = (fields: string[], original: string[] = []): Uint8Array =>
  multipartMail(
    [
      part({ type: "text/plain", content: "An authentication failure." }),
      part({ type: "message/feedback-report", content: `${fields.join("\r\n")}\r\n` }),
      ...original,
    ],
    "report; report-type=feedback-report",
  );
/** As an editor or a mail program stores it that indents empty lines. */
const emptyLinesAs = (mail: Uint8Array, spaces: string): Uint8Array =>
  fromBinary(Buffer.from(mail).toString("latin1").replaceAll("\r\n\r\n", `\r\n${spaces}\r\n`));
/** As mail servers send of their own accord: Exim's `dsn_from`, and the null return path. */
const fromDaemon = (subject: string, mail: Uint8Array): Uint8Array =>
  fromBinary(
    Buffer.from(mail)
      .toString("latin1")
      .replace(
        /^From: .*\r\n/m,
        "Return-Path: <>\r\nFrom: Mail Delivery System <Mailer-Daemon@mx.reporter.example>\r\nAuto-Submitted: auto-replied\r\n",
      )
      .replace(/^Subject: .*$/m, `Subject: ${subject}`),
  );
const EXIM_SUBJECT = "DMARC Forensic Report for acme.example from IP 192.0.2.1";
const EXIM_NOTICE = `A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: acme.example
  Sender IP Address: 192.0.2.1
  Received Date: Mon, 07 Apr 2025 23:16:09 +0200
  SPF Alignment: no
  DKIM Alignment: no
  DMARC Results: Reject

------ This is a copy of the headers that were received before the error
       was detected.

Received: from [192.0.2.1] by mx.reporter.example with esmtp (Exim 4.98)
From: Person <person@acme.example>
`;
const read: Wanted = { report: { kind: "failure", reportedDomain: "acme.example", sourceIp: "192.0.2.1" } };
const withoutDomain: Wanted = { ...read, warnings: ["missing_value Reported-Domain"] };
const withDomain = [...FIELDS, "Reported-Domain: acme.example"];
const withoutResults = FIELDS.filter((line) => !line.startsWith("Authentication-Results"));
const originalOf = (type: string): string => part({ type, content: `${HEADER}\r\nvery private\r\n` });
const quirk = (name: string, content: Uint8Array, want: Wanted): Quirk => ({
  file: `failure/${name}.eml`,
  content,
  want,
});

const GZ = attached(gzip(ORDINARY), "r.xml.gz");
const LETTER = part({ type: "text/plain", content: "A report." });

/** Aggregate reports that call themselves failure reports, and archives that call themselves multiparts. */
const mislabelled: Quirk[] = [
  {
    file: "carried/aggregate-report-labelled-feedback.eml",
    content: multipartMail([LETTER, GZ], "report; report-type=feedback-report"),
    want: { report: ORDINARY_TOTALS, passedOver: ["text"] },
  },
  {
    file: "carried/aggregate-report-as-feedback-part.eml",
    content: multipartMail(
      [LETTER, part({ type: "message/feedback-report", content: ORDINARY })],
      "report; report-type=feedback-report",
    ),
    want: { report: ORDINARY_TOTALS, passedOver: ["text"] },
  },
  {
    file: "carried/gzip-called-multipart.eml",
    content: multipartMail([LETTER, GZ.replace(/^Content-Type: [^;\r]*/m, "Content-Type: multipart/x-gzip")]),
    want: { report: ORDINARY_TOTALS, passedOver: ["text"] },
  },
];

export const habits: Quirk[] = [
  ...mislabelled,
  quirk("lines-of-a-space", emptyLinesAs(failureMail(withDomain, [originalOf("message/rfc822")]), " "), {
    ...read,
    clean: true,
  }),
  quirk("lines-of-a-tab", emptyLinesAs(failureMail(withDomain, [originalOf("text/rfc822-headers")]), "\t"), {
    ...read,
    clean: true,
  }),
  {
    file: "tls/lines-of-a-space-in-mail.eml",
    content: emptyLinesAs(
      multipartMail([
        part({ type: "text/plain", content: "A report." }),
        part({
          type: "application/tlsrpt+json",
          content: `{"organization-name":"Reporter","date-range":{"start-datetime":"2026-01-01T00:00:00Z",
"end-datetime":"2026-01-01T23:59:59Z"},"contact-info":"tls@reporter.example","report-id":"1","policies":[{"policy":
{"policy-type":"sts","policy-domain":"acme.example"},"summary":{"total-successful-session-count":5,
"total-failure-session-count":0}}]}`,
        }),
      ]),
      "  ",
    ),
    want: {
      report: { kind: "tls", policies: [{ policyDomain: "acme.example", successfulSessionCount: 5 }] },
      clean: true,
    },
  },
  {
    file: "mail/lines-of-a-space-before-xml.eml",
    content: emptyLinesAs(
      multipartMail([
        part({ type: "text/plain", content: "A report." }),
        part({ type: "text/xml", content: ORDINARY }),
      ]),
      " ",
    ),
    want: { report: ORDINARY_TOTALS },
  },
  {
    file: "mail/line-of-a-space-before-parameters.eml",
    content: multipartMail([
      part({
        type: "application/octet-stream;\r\n \r\n\tname=report.xml",
        disposition: "attachment",
        content: ORDINARY,
      }),
    ]),
    want: { report: ORDINARY_TOTALS },
  },
  {
    file: "carried/complaint-of-hotmail.eml",
    content: fromBinary(
      Buffer.from(
        multipartMail([
          part({
            type: "message/rfc822",
            disposition: "inline",
            content: multipartMail([part({ type: "text/xml", content: ORDINARY })]),
          }),
        ]),
      )
        .toString("latin1")
        .replace(/^Subject: .*$/m, "Subject:  complaint about message from 192.0.2.222"),
    ),
    want: { problems: ["delivery_notice"] },
  },
  quirk("of-exim-by-default", fromDaemon(EXIM_SUBJECT, simpleMail({ type: "text/plain", content: EXIM_NOTICE })), {
    ...read,
    passedOver: ["text"],
  }),
  quirk(
    "of-a-returned-mail-from-postmaster",
    fromDaemon("FW: Returned mail: see transcript", failureMail(withDomain)),
    {
      ...read,
      clean: true,
    },
  ),
  quirk(
    "notice-that-came-back",
    fromDaemon(
      "Mail delivery failed: returning message to sender",
      simpleMail({ type: "text/plain", content: `A message that you sent could not be delivered.\n\n${EXIM_NOTICE}` }),
    ),
    { problems: ["delivery_notice"] },
  ),
  ...[
    "DMARC aggregate report for acme.example",
    "acme.example DMARC Report (2023-11-14)",
    "Rapport DMARC pour acme.example",
    "EXTERNAL: Report Domain: acme.example Submitter: reporter.example",
    "[EXT] [Bulk] Report Domain: acme.example Submitter: reporter.example",
  ].map(
    (subject, i): Quirk => ({
      file: `carried/report-from-mailer-daemon-${i + 1}.eml`,
      content: fromDaemon(subject, simpleMail({ type: "text/xml", content: ORDINARY })),
      want: { report: ORDINARY_TOTALS },
    }),
  ),
  ...[
    "Undeliverable DMARC report",
    "Your DMARC report could not be delivered",
    "Mail to dmarc@acme.example was returned",
    "Mail to rua@dmarc.acme.example was returned",
    "[EXTERNAL] Undeliverable: Report Domain: acme.example Submitter: reporter.example",
  ].map(
    (subject, i): Quirk => ({
      file: `carried/report-returned-by-mailer-daemon${i === 0 ? "" : `-${i + 1}`}.eml`,
      content: fromDaemon(subject, simpleMail({ type: "text/xml", content: ORDINARY })),
      want: { problems: ["delivery_notice"] },
    }),
  ),
  quirk("original-as-rfc822-header", failureMail(withoutResults, [originalOf("text/rfc822-header")]), withoutDomain),
  quirk(
    "original-as-a-file",
    failureMail(withoutResults, [originalOf("application/octet-stream; name=original.eml")]),
    withoutDomain,
  ),
  ...["text/rfc822-headers", "message/rfc822"].map((type, i) =>
    quirk(
      `original-with-a-fold-of-spaces-${i + 1}`,
      failureMail(withoutResults, [
        part({
          type,
          content: `Received: from a.example\r\n  \r\n\tby b.example\r\n \r\n${HEADER}\r\nvery private\r\n`,
        }),
      ]),
      withoutDomain,
    ),
  ),
  quirk("domain-in-authentication-results", failureMail(FIELDS), withoutDomain),
  quirk(
    "domain-of-an-address-in-authentication-results",
    failureMail(FIELDS.map((line) => line.replace("=acme", ' = "person@acme'))),
    withoutDomain,
  ),
];
