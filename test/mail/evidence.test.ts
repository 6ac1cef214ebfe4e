/** What a bounce returns and what a failure report is about is never counted, in mails of any size and any build. */
import { expect, test } from "vitest";
import { gzip } from "../support/archives.ts";
import { attached, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../support/mails.ts";
import { readAll } from "../support/read.ts";
import { numbered } from "../support/report-xml.ts";

const REPORT = multipartMail([COVER_TEXT, attached(gzip(numbered("inner")), "r.xml.gz")]);
const STATUS = part({ type: "message/delivery-status", content: "Action: failed\r\n" });
const FEEDBACK = part({
  type: "message/feedback-report",
  content: "Feedback-Type: auth-failure\r\nAuth-Failure: dmarc\r\nSource-IP: [192.0.2.7]\r\n",
});
const FEEDBACK_AS_TEXT = FEEDBACK.replace("message/feedback-report", "text/plain");
const STATUS_AS_TEXT = part({
  type: "text/plain",
  content: "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n",
});
const ORIGINAL = part({ type: "message/rfc822", content: REPORT });
const ENCODED = part({ type: "message/rfc822", encoding: "base64", content: REPORT });
const daemon = fromBinary(
  multipartMail([COVER_TEXT, ORIGINAL])
    .reduce((text, byte) => text + String.fromCharCode(byte), "")
    .replace("From: DMARC <dmarc@reporter.example>", "From: MAILER-DAEMON@mx.example")
    .replace(/Subject: .*/, "Subject: failure notice"),
);
const bounces: [string, Uint8Array][] = [
  ["a delivery status notice", multipartMail([COVER_TEXT, STATUS, ORIGINAL], "report; report-type=delivery-status")],
  ["one that does not say so", multipartMail([COVER_TEXT, STATUS, ORIGINAL])],
  ["one whose mail comes first", multipartMail([COVER_TEXT, ORIGINAL, STATUS])],
  ["one with an encoded mail", multipartMail([COVER_TEXT, STATUS, ENCODED], "report; report-type=delivery-status")],
  ["one of a mail server without MIME's words", daemon],
  ["one whose status is called text", multipartMail([COVER_TEXT, STATUS_AS_TEXT, ORIGINAL])],
  ["a receipt", multipartMail([COVER_TEXT, ORIGINAL], "report; report-type=disposition-notification")],
];
const failures: [string, Uint8Array][] = [
  ["a failure report", multipartMail([COVER_TEXT, FEEDBACK, ORIGINAL], "report; report-type=feedback-report")],
  ["one with an encoded mail", multipartMail([COVER_TEXT, FEEDBACK, ENCODED], "report; report-type=feedback-report")],
  ["one that does not say so", multipartMail([COVER_TEXT, FEEDBACK, ORIGINAL])],
  ["one whose fields are called text", multipartMail([COVER_TEXT, FEEDBACK_AS_TEXT, ORIGINAL])],
  ["one whose mail comes first", multipartMail([COVER_TEXT, ORIGINAL, FEEDBACK])],
  [
    "one in a list's wrapping",
    multipartMail([multipart([COVER_TEXT, FEEDBACK, ORIGINAL], "report; report-type=feedback-report"), COVER_TEXT]),
  ],
  [
    "one that is forwarded",
    multipartMail([
      COVER_TEXT,
      part({
        type: "message/rfc822",
        content: multipartMail([COVER_TEXT, FEEDBACK, ORIGINAL], "report; report-type=feedback-report"),
      }),
    ]),
  ],
];
const sizes: [string, number | undefined][] = [
  ["held whole", undefined],
  ["as it streams", 0],
];

for (const [size, maxParsedMessageBytes] of sizes) {
  const read = (mail: Uint8Array) =>
    readAll(mail, undefined, maxParsedMessageBytes === undefined ? {} : { maxParsedMessageBytes });

  test.each(bounces)(`%s, ${size}: nothing is counted`, async (_name, mail) => {
    const { reports, problems, passedOver } = await read(mail);
    expect(reports).toEqual([]);
    expect(problems.map(({ code }) => code)).toEqual(["delivery_notice"]);
    expect(passedOver.map(({ kind }) => kind)).toContain("evidence");
  });

  test.each(failures)(`%s, ${size}: the failure alone, about the From domain`, async (_name, mail) => {
    const { reports, problems } = await read(mail);
    expect(problems).toEqual([]);
    expect(reports.map(({ report }) => report)).toMatchObject([
      { kind: "failure", reportedDomain: "reporter.example", sourceIp: "192.0.2.7" },
    ]);
  });

  test(`a report forwarded beside a bounce counts, ${size}`, async () => {
    const bounce = multipartMail([COVER_TEXT, STATUS, ORIGINAL], "report; report-type=delivery-status");
    const good = multipartMail([attached(gzip(numbered("good")), "good.xml.gz")]);
    const wrap = (mail: Uint8Array) => part({ type: "message/rfc822", content: mail });
    const { reports } = await read(multipartMail([wrap(bounce), wrap(good)]));
    expect(reports.map(({ report }) => report)).toMatchObject([{ metadata: { reportId: "good" } }]);
  });
}

test("a letter that only reads like a bounce counts nothing", async () => {
  const { reports } = await readAll(simpleMail({ content: "Hi. This is the qmail-send program." }));
  expect(reports).toEqual([]);
});
