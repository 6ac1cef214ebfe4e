/**
 * Support: mails that are cheap to send and made to be dear to read, of every kind a reader of mail has to go through:
 * lines, headers, names, parts, encodings, text. Deterministic.
 */
import { attached, binary, fromBinary, multipartMail, part } from "./mails.ts";

export interface HostileMail {
  kind: string;
  bytes: Uint8Array;
  /** Records that come out of it, each of a report whose container is what is hostile; 0 = a dead letter. */
  records: number;
}

const MAX_HEADER_CHARS = 1_900_000;
const HEADER = "From: a@attacker.example\r\nMIME-Version: 1.0\r\n";

/** @param chars size of what is repeated; a report that comes along is added */
export function hostileMails(chars: number, report: { xml: string; records: number }): HostileMail[] {
  const times = (text: string, size: number): string => text.repeat(Math.max(1, Math.floor(size / text.length)));
  const many = (text: string): string => times(text, chars);
  // What a header may have at most.
  const some = (text: string): string => times(text, Math.min(chars, MAX_HEADER_CHARS));
  const nothing = (kind: string, text: string): HostileMail => ({ kind, bytes: fromBinary(text), records: 0 });
  const body = (kind: string, text: string): HostileMail => nothing(`body of ${kind}`, `${HEADER}\r\n${text}`);
  const beside = (kind: string, parts: string[]): HostileMail => ({
    kind,
    bytes: multipartMail([...parts, attached(report.xml, "report.xml", "text/xml")]),
    records: report.records,
  });
  const header = (kind: string, field: string): HostileMail => ({
    kind: `header of ${kind}`,
    bytes: fromBinary(
      `Received: by mx.example\r\n${field}\r\n${binary(multipartMail([attached(report.xml, "report.xml", "text/xml")]))}`,
    ),
    records: report.records,
  });
  const named = (kind: string, disposition: string): HostileMail => ({
    kind: `name of ${kind}`,
    bytes: multipartMail([part({ type: "text/xml", disposition, encoding: "base64", content: report.xml })]),
    records: report.records,
  });
  const html = (kind: string, content: string): HostileMail =>
    beside(`HTML of ${kind}`, [part({ content: "text" }), part({ type: "text/html", content })]);
  const oneByOne = (name: string): string =>
    Array.from({ length: Math.min(chars, MAX_HEADER_CHARS) / 25 }, (_, i) => `;${name}*${i}=a`).join("");
  return [
    body("empty lines", many("\n")),
    body("CRLF", many("\r\n")),
    body("bare CR", many("\r")),
    body("lines of a dash", many("-\n")),
    body("lines that begin a mail", many("From: a\n")),
    body("lines that begin a mail of a mailbox", many("From a\n")),
    body("lines of colons", many(":\n")),
    body("lines that may begin a report", many("eyJ\n")),
    body("beginnings of gzip in base64", many(`H4sI${"A".repeat(20)}\n`)),
    body("beginnings of gzip in links", many(`;base64,H4sI${"A".repeat(16)}`)),
    body("blanks before base64", many(`${" ".repeat(19)}\n`)),
    body("lines of two dashes", many("--\n")),
    body("uuencoded beginnings", many("begin 644 a\n")),
    body("brackets", many("[")),
    body("root tags", many("<feedback ")),
    body("root tags with long prefixes", many(`<${"a".repeat(1000)}`)),
    body("end tags that do not end", many("<feedback></feedback ")),
    body("spaces", many(" ")),
    ...["To", "Cc", "From", "Reply-To", "Received", "Subject", "Message-ID"].flatMap((name) =>
      ["a:", "(", '"', "<a@", "\\", ",", "=?utf-8?b?YQ==?= "].map((text) =>
        header(`${name} full of ${text}`, `${name}: ${some(text)}`),
      ),
    ),
    header("folds", `X: a${some("\r\n\t")}`),
    header("fields", some("a:\r\n").trimEnd()),
    header("lines without a colon", some("a\r\n").trimEnd()),
    header("Content-Disposition of pieces", `Content-Disposition: attachment${oneByOne("filename")}`),
    ...[
      '"',
      "\\",
      " ",
      "%",
      ".",
      "(",
      "\t",
      ";",
      "=",
      "'",
      "=?utf-8?q?a?=",
      "%20",
      ";filename=",
      ";filename*=",
      "a.b",
    ].map((text) => named(`${text} time and again`, `attachment; filename=${some(text)}`)),
    ...["\\\\", " ", "%", ".", "(", "/", "../", "=?utf-8?b?YQ==?= ", "é"].map((text) =>
      named(`quoted ${text} time and again`, `attachment; filename="a${some(text)}a"`),
    ),
    named("pieces", `attachment${oneByOne("filename")}`),
    nothing("empty parts", `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n${many("--b\r\n\r\n")}`),
    nothing(
      "multiparts side by side",
      `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n${many("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n")}`,
    ),
    ...["--a\n", "<feed\n", "{\n", "LS0\n"].flatMap((line) => [
      nothing(
        `lines of ${line} before the parts`,
        `${HEADER}Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n${many(line)}`,
      ),
      nothing(
        `lines of ${line} after the parts`,
        `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n${many(line)}`,
      ),
    ]),
    nothing("nested multiparts", `${HEADER}${many("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")}`),
    nothing("nested mails", `${HEADER}${many("Content-Type: message/rfc822\r\n\r\n")}`),
    nothing("a boundary without end", `${HEADER}Content-Type: multipart/mixed; boundary="${many("b")}"\r\n\r\n--b`),
    nothing(
      "lines like a boundary",
      `${HEADER}Content-Type: multipart/mixed; boundary=${"b".repeat(70)}\r\n\r\n${many(`--${"b".repeat(69)}\r\n`)}`,
    ),
    beside("base64 without line ends", [part({ encoding: "base64", content: "" }) + many("QUJD")]),
    beside("padding", [part({ encoding: "base64", content: "" }) + many("=A")]),
    beside("soft breaks", [part({ encoding: "quoted-printable", content: "" }) + many("=\r\n")]),
    beside("equals signs", [part({ encoding: "quoted-printable", content: "" }) + many("=")]),
    beside("equals signs and spaces", [part({ encoding: "quoted-printable", content: "" }) + many("= ")]),
    html("tags", many("<b>")),
    html("tags that do not end", many("<a ")),
    html("links that do not end", `<a ${many("href=x")}`),
    html("comments that do not end", many("<!--")),
    html("entities", many("&lt;feedback&gt;")),
    html("quotes in base64", many('"')),
  ];
}
