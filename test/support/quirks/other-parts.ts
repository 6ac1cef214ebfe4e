/** Support: mails with parts that are no reports, or that nothing here can read: none of them may vanish. */
import { gzip, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../mails.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const GZ = gzip(ORDINARY);
const NAME = "reporter.example!acme.example!1700000000!1700086399.xml.gz";
const GOOD = attached(GZ, NAME);
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
const read = { report: ORDINARY_TOTALS };
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const padded = (start: string, length = 600): Uint8Array => bytes(start.padEnd(length, "\x01"));
const tarOf = (name: string): Uint8Array => bytes(`${name.padEnd(257, "\0")}ustar\x0000${"\0".repeat(300)}`);

/** File name, what its bytes start with, and the type a mail program declares. */
const UNREAD: [name: string, content: Uint8Array, type: string][] = [
  ["report.msg", padded("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/vnd.ms-outlook"],
  ["report.7z", padded("7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed"],
  ["report.rar", padded("Rar!\x1a\x07\x01\0"), "application/vnd.rar"],
  ["report.xml.bz2", padded("BZh91AY&SY"), "application/x-bzip2"],
  ["report.xml.xz", padded("\xfd7zXZ\0"), "application/x-xz"],
  ["report.xml.zst", padded("\x28\xb5\x2f\xfd"), "application/zstd"],
  ["report.xml.Z", padded("\x1f\x9d\x90"), "application/x-compress"],
  ["report.xml.lz4", padded("\x04\x22\x4d\x18"), "application/octet-stream"],
  ["report.cab", padded("MSCF\0\0\0\0"), "application/octet-stream"],
  ["reports.tar", tarOf("report.xml"), "application/x-tar"],
  ["mails.tar", tarOf("a.eml\nFrom: a@b.example\n"), "application/x-tar"],
  ["reports.tar.gz", gzip(tarOf("report.xml")), "application/gzip"],
  ["report.pdf", padded("%PDF-1.7"), "application/pdf"],
  ["report.rtf", padded("{\\rtf1 "), "application/rtf"],
  ["winmail.dat", padded("\x78\x9f\x3e\x22"), "application/ms-tnef"],
  ["smime.p7m", padded("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"), "application/pkcs7-mime"],
  ["encrypted.asc", bytes("-----BEGIN PGP MESSAGE-----\n\nhQ==\n"), "application/octet-stream"],
  ["report.exe", padded("MZ\x90\0"), "application/octet-stream"],
  ["report.docx", zip([{ name: "[Content_Types].xml", content: "<Types/>" }]), "application/octet-stream"],
];

const unread: Quirk[] = UNREAD.map(([name, content, type]) => ({
  file: `lost/unread-${name}.eml`,
  content: multipartMail([COVER_TEXT, GOOD, attached(content, name, type)]),
  want: { ...read, reports: 1, problems: ["unsupported_format"], passedOver: ["text"] },
}));

const beside = (file: string, other: string, want: Quirk["want"]): Quirk => ({
  file: `lost/${file}.eml`,
  content: multipartMail([COVER_TEXT, GOOD, other]),
  want: { ...read, reports: 1, ...want },
});
const text = (fileName: string, content: string, type = "text/plain"): string =>
  part({ type, disposition: `attachment; filename="${fileName}"`, content });

const besides: Quirk[] = [
  beside("unknown-bytes", attached(padded("\x07\x08\x09"), "data.bin", "application/octet-stream"), {
    problems: ["not_a_report"],
  }),
  beside("encrypted-zip", attached(zip([{ name: "r.xml", content: ORDINARY, encrypted: true }]), "r.zip"), {
    problems: ["encrypted_archive"],
  }),
  beside("empty-file", attached("", "second.xml.gz"), { problems: ["empty"], passedOver: ["text"] }),
  beside("unused-named-as-report", attached("unused", "second.xml.gz"), { problems: ["not_a_report"] }),
  beside("table-of-text", text("rows.csv", "a,b\n1,2\n", "text/csv"), { problems: ["not_a_report"] }),
  beside("disclaimer", text("disclaimer.txt", "This mail is confidential."), {
    problems: [],
    passedOver: ["text", "text"],
  }),
  beside("disclaimer-without-name", part({ type: "text/html", content: "<p>Confidential.</p>" }), {
    problems: [],
    passedOver: ["text", "text"],
  }),
  beside("picture", attached(PNG, "logo.png", "image/png"), { problems: [], passedOver: ["text", "picture"] }),
  beside("picture-labelled-data", attached(PNG, "logo", "application/octet-stream"), {
    problems: [],
    passedOver: ["text", "picture"],
  }),
  beside("drawing", attached("<svg xmlns='http://www.w3.org/2000/svg'/>", "logo.svg", "image/svg+xml"), {
    problems: [],
    passedOver: ["text", "picture"],
  }),
  beside("calendar", text("invite.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar"), {
    problems: [],
    passedOver: ["text", "calendar"],
  }),
  beside("card", text("me.vcf", "BEGIN:VCARD\r\nEND:VCARD\r\n", "text/vcard"), {
    problems: [],
    passedOver: ["text", "calendar"],
  }),
  beside("pgp-signature", text("signature.asc", "-----BEGIN PGP SIGNATURE-----\n", "application/pgp-signature"), {
    problems: [],
    passedOver: ["text", "signature"],
  }),
  beside("gzip-labelled-signature", attached(gzip(numbered("b")), "smime.p7s", "application/pkcs7-signature"), {
    reports: 2,
    problems: [],
  }),
  beside("gzip-as-the-letter", part({ type: "text/plain", encoding: "base64", content: gzip(numbered("b")) }), {
    reports: 2,
    problems: [],
  }),
  beside("json-as-the-letter", part({ type: "text/plain", content: '{"a":["b"]}' }), { problems: ["not_a_report"] }),
];

const MAIL = (id: string): Uint8Array => multipartMail([COVER_TEXT, attached(gzip(numbered(id)), `${id}.xml.gz`)]);
const FROM = "From dmarc@reporter.example Fri Jan  2 03:04:05 2026\n";
const mailbox = (mails: Uint8Array[], end = "\n", from = FROM): string =>
  mails
    .map(
      (mail) =>
        `${from}${binary(mail)
          .replaceAll("\r\n", "\n")
          .replace(/^From /gm, ">From ")}${end}`,
    )
    .join("");
const THREE = [MAIL("a"), MAIL("b"), MAIL("c")];
const broken = multipartMail([COVER_TEXT, attached(padded("BZh91AY&SY"), "r.xml.bz2")]);

const mailboxes: Quirk[] = [
  { file: "lost/three.mbox", content: mailbox(THREE), want: { reports: 3 } },
  { file: "lost/three-crlf.mbox", content: mailbox(THREE).replaceAll("\n", "\r\n"), want: { reports: 3 } },
  { file: "lost/no-empty-lines-between.mbox", content: mailbox(THREE, ""), want: { reports: 3 } },
  { file: "lost/no-dates.mbox", content: mailbox(THREE, "\n", "From ???@???\n"), want: { reports: 3 } },
  {
    file: "lost/sentence-that-begins-with-from.mbox",
    content: mailbox([fromBinary(`${binary(MAIL("a"))}\r\nFrom here\r\nNote: it goes on\r\n`), MAIL("b")]).replace(
      ">From here",
      "From here",
    ),
    want: { reports: 2 },
  },
  {
    file: "lost/three.mmdf",
    content: THREE.map((mail) => `\x01\x01\x01\x01\n${binary(mail).replaceAll("\r\n", "\n")}\x01\x01\x01\x01\n`).join(
      "",
    ),
    want: { reports: 3 },
  },
  {
    file: "lost/other-dates.mbox",
    content: mailbox(THREE, "\n", "From MAILER 2026-01-02T03:04:05Z\n"),
    want: { reports: 3 },
  },
  {
    file: "lost/one-broken.mbox",
    content: mailbox([MAIL("a"), broken, MAIL("c")]),
    want: { reports: 2, problems: ["unsupported_format"] },
  },
  {
    file: "lost/one-letter.mbox",
    content: mailbox([MAIL("a"), simpleMail({ content: "hello" })]),
    want: { reports: 1, problems: ["not_a_report"] },
  },
  { file: "lost/mailbox.mbox.gz", content: gzip(mailbox(THREE)), want: { reports: 3 } },
  {
    file: "lost/mailbox-in-a.zip",
    content: zip([{ name: "all.mbox", content: mailbox(THREE) }]),
    want: { reports: 3 },
  },
  {
    file: "lost/attached-mailbox-crlf.eml",
    content: multipartMail([
      COVER_TEXT,
      attached(mailbox(THREE).replaceAll("\n", "\r\n"), "r", "application/octet-stream"),
    ]),
    want: { reports: 3 },
  },
  {
    file: "lost/attached-mailbox.eml",
    content: multipartMail([COVER_TEXT, attached(mailbox(THREE), "reports.mbox", "application/mbox")]),
    want: { reports: 3 },
  },
  {
    file: "lost/attached-mailbox-as-text.eml",
    content: multipartMail([
      GOOD,
      part({ type: "text/plain", disposition: "attachment; filename=old", content: mailbox(THREE) }),
    ]),
    want: { reports: 4 },
  },
];

const wrapped = (mail: Uint8Array): string => part({ type: "message/rfc822", content: mail });
const mails: Quirk[] = [
  {
    file: "lost/forwarded-twice-and-beside.eml",
    content: multipartMail([
      COVER_TEXT,
      wrapped(multipartMail([wrapped(MAIL("a")), wrapped(MAIL("b"))])),
      attached(gzip(numbered("c")), "c.xml.gz"),
    ]),
    want: { reports: 3 },
  },
  {
    file: "lost/digest.eml",
    content: multipartMail([
      COVER_TEXT,
      multipart(
        THREE.map((mail) => `\r\n${binary(mail)}`),
        "digest",
      ),
    ]),
    want: { reports: 3 },
  },
  {
    file: "lost/attached-zip-of-mails.eml",
    content: multipartMail([
      COVER_TEXT,
      attached(zip(["a", "b"].map((id) => ({ name: `${id}.eml`, content: MAIL(id) }))), "mails.zip"),
    ]),
    want: { reports: 2 },
  },
  {
    file: "lost/bounce-with-zip.eml",
    content: multipartMail(
      [
        COVER_TEXT,
        part({ type: "message/delivery-status", content: "Reporting-MTA: dns; mx.example\r\n\r\nAction: failed\r\n" }),
        attached(zip([{ name: "r.xml", content: ORDINARY }]), "r.zip"),
      ],
      "report; report-type=delivery-status",
    ),
    want: { reports: 0, problems: ["delivery_notice"] },
  },
  {
    file: "lost/forwarded-unreadable.eml",
    content: multipartMail([wrapped(broken), GOOD]),
    want: { reports: 1, problems: ["unsupported_format"] },
  },
  {
    file: "lost/attached-eml-without-label.eml",
    content: multipartMail([COVER_TEXT, attached(MAIL("a"), "report.eml", "application/octet-stream"), GOOD]),
    want: { reports: 2 },
  },
];

const column0 = (mail: Uint8Array, from: string, to: string): string => binary(mail).replace(from, to);
const headers: Quirk[] = [
  {
    file: "lost/boundary-at-column-0.eml",
    content: column0(MAIL("a"), "mixed; boundary", "mixed;\r\nboundary"),
    want: { reports: 1, problems: [] },
  },
  {
    file: "lost/boundary-missing.eml",
    content: binary(MAIL("a")).replace(/; boundary="[^"]*"/, ""),
    want: { reports: 1, problems: [] },
  },
  {
    file: "lost/boundary-wrong.eml",
    content: binary(MAIL("a")).replace(/; boundary="[^"]*"/, '; boundary="other"'),
    want: { reports: 1, problems: [] },
  },
  {
    file: "lost/boundary-quote-open.eml",
    content: binary(MAIL("a")).replace(/(; boundary="[^"]*)"/, "$1"),
    want: { reports: 1, problems: [] },
  },
  {
    file: "lost/file-name-at-column-0.eml",
    content: column0(MAIL("a"), "attachment; filename", "attachment;\r\nfilename"),
    want: { reports: 1, problems: [] },
  },
];

export const otherParts: Quirk[] = [...unread, ...besides, ...mailboxes, ...mails, ...headers];
