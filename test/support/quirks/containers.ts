/** Support: reports in archives of every kind. */
import { gzip, joinBytes, toBytes, zip } from "../archives.ts";
import { numbered, ORDINARY } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const clean = { ...read, clean: true } as const;
const noted = (path: string) => ({ ...read, warnings: [`repaired_archive ${path}`] });
const XML = toBytes(ORDINARY);
const GZ = gzip(ORDINARY);
const half = XML.byteLength >> 1;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];
const RESOURCE_FORK = [0, 5, 0x16, 7, 0, 2, 0, 0, 0x4d, 0x61, 0x63];

export const containers: Quirk[] = [
  { file: "containers/gzip.xml.gz", content: GZ, want: clean },
  { file: "containers/gzip-no-extension", content: GZ, want: clean },
  { file: "containers/gzip-named-zip.zip", content: GZ, want: clean },
  {
    file: "containers/gzip-two-members.xml.gz",
    content: joinBytes(gzip(XML.subarray(0, half)), gzip(XML.subarray(half))),
    want: noted(""),
  },
  {
    file: "containers/gzip-empty-member-between.xml.gz",
    content: joinBytes(gzip(XML.subarray(0, 9)), gzip(""), gzip(XML.subarray(9))),
    want: noted(""),
  },
  { file: "containers/gzip-trailing-crlf.xml.gz", content: joinBytes(GZ, "\r\n"), want: noted("") },
  { file: "containers/gzip-trailing-zeros.xml.gz", content: joinBytes(GZ, new Uint8Array(512)), want: noted("") },
  { file: "containers/gzip-trailing-half-magic.xml.gz", content: joinBytes(GZ, [0x1f]), want: noted("") },
  { file: "containers/gzip-leading-crlf.xml.gz", content: joinBytes("\r\n", GZ), want: noted("") },
  { file: "containers/gzip-in-gzip.xml.gz.gz", content: gzip(GZ), want: clean },
  {
    file: "containers/gzip-truncated.xml.gz",
    content: GZ.subarray(0, GZ.byteLength - 60),
    want: { problems: ["truncated"] },
  },
  {
    file: "containers/gzip-without-trailer.xml.gz",
    content: GZ.subarray(0, GZ.byteLength - 8),
    want: { problems: ["truncated"] },
  },
  {
    file: "containers/gzip-wrong-crc.xml.gz",
    content: joinBytes(GZ.subarray(0, -8), [1, 2, 3, 4], GZ.subarray(-4)),
    want: { problems: ["corrupt_archive"] },
  },
  {
    file: "containers/gzip-damaged.xml.gz",
    content: joinBytes(GZ.subarray(0, 40), [0xff, 0xff, 0xff, 0xff], GZ.subarray(44)),
    want: { problems: ["corrupt_archive"] },
  },
  { file: "containers/gzip-of-unused.xml.gz", content: gzip("unused"), want: { problems: ["not_a_report"] } },
  { file: "containers/gzip-of-nothing.xml.gz", content: gzip(""), want: { problems: ["empty"] } },
  { file: "containers/gzip-three-deep.gz", content: gzip(gzip(GZ)), want: { problems: ["too_deep"] } },
  { file: "containers/zip.zip", content: zip([{ name: "r.xml", content: XML }]), want: clean },
  { file: "containers/zip-named-gz.gz", content: zip([{ name: "r.xml", content: XML }]), want: clean },
  { file: "containers/zip-stored.zip", content: zip([{ name: "r.xml", content: XML, method: 0 }]), want: clean },
  {
    file: "containers/zip-data-descriptor.zip",
    content: zip([{ name: "r.xml", content: XML, descriptor: true }]),
    want: clean,
  },
  {
    file: "containers/zip-trailing-crlf.zip",
    content: joinBytes(zip([{ name: "r.xml", content: XML }]), "\r\n"),
    want: noted(""),
  },
  {
    file: "containers/zip-with-comment.zip",
    content: zip([{ name: "r.xml", content: XML }], "made by hand"),
    want: clean,
  },
  {
    file: "containers/zip-bytes-before.zip",
    content: joinBytes([0, 0], zip([{ name: "r.xml", content: XML }])),
    want: noted(""),
  },
  {
    file: "containers/zip-folder-and-resource-fork.zip",
    content: zip([
      { name: "reports/", content: "", method: 0 },
      { name: "reports/r.xml", content: XML },
      { name: "__MACOSX/reports/._r.xml", content: Uint8Array.from(RESOURCE_FORK) },
    ]),
    want: clean,
  },
  {
    file: "containers/zip-letter-and-picture.zip",
    content: zip([
      { name: "readme.txt", content: "Dear all," },
      { name: "logo.png", content: Uint8Array.from(PNG) },
      { name: "r.xml", content: XML },
    ]),
    want: clean,
  },
  {
    file: "containers/zip-several-reports.zip",
    content: zip(["a", "b", "c"].map((id) => ({ name: `${id}.xml`, content: numbered(id) }))),
    want: { ...read, reports: 3 },
  },
  {
    file: "containers/zip-two-entries-of-one-name.zip",
    content: zip([
      { name: "r.xml", content: numbered("a") },
      { name: "r.xml", content: numbered("b") },
    ]),
    want: { ...read, reports: 2 },
  },
  { file: "containers/zip-name-climbs.zip", content: zip([{ name: "../../etc/passwd", content: XML }]), want: clean },
  {
    file: "containers/zip-name-with-line-end.zip",
    content: zip([{ name: "r\r\nBcc: x@y.example\u202elmx.xml", content: XML }]),
    want: clean,
  },
  { file: "containers/gzip-in-zip.zip", content: zip([{ name: "r.xml.gz", content: GZ }]), want: clean },
  { file: "containers/zip-in-gzip.zip.gz", content: gzip(zip([{ name: "r.xml", content: XML }])), want: clean },
  {
    file: "containers/zip-in-zip-in-zip.zip",
    content: zip([
      { name: "a.zip", content: zip([{ name: "b.zip", content: zip([{ name: "r.xml", content: XML }]) }]) },
    ]),
    want: { problems: ["too_deep"] },
  },
  {
    file: "containers/zip-good-and-broken.zip",
    content: zip([
      { name: "a.xml", content: XML.subarray(0, 900) },
      { name: "b.xml", content: XML },
    ]),
    want: { ...read, reports: 1, problems: ["truncated"] },
  },
  {
    file: "containers/zip-encrypted.zip",
    content: zip([{ name: "r.xml", content: XML, encrypted: true }]),
    want: { problems: ["encrypted_archive"] },
  },
  {
    file: "containers/zip-bzip2.zip",
    content: zip([{ name: "r.xml", content: XML, method: 12 }]),
    want: { problems: ["unsupported_compression"] },
  },
  {
    file: "containers/zip-wrong-crc.zip",
    content: zip([{ name: "r.xml", content: XML, says: { crc32: 7 } }]),
    want: { problems: ["corrupt_archive"] },
  },
  {
    file: "containers/zip-says-smaller.zip",
    content: zip([{ name: "r.xml", content: XML, says: { sizeBytes: 900 } }]),
    want: { problems: ["corrupt_archive"] },
  },
  {
    file: "containers/zip-says-larger.zip",
    content: zip([{ name: "r.xml", content: XML, says: { sizeBytes: 9000 } }]),
    want: { problems: ["corrupt_archive"] },
  },
  {
    file: "containers/zip-entries-overlap.zip",
    content: zip([
      { name: "a.xml", content: XML },
      { name: "b.xml", content: XML, offset: 0 },
    ]),
    want: { problems: ["corrupt_archive"] },
  },
  {
    file: "containers/zip-without-directory.zip",
    content: zip([{ name: "r.xml", content: XML }]).subarray(0, -40),
    want: { problems: ["corrupt_archive"] },
  },
  { file: "containers/zip-empty.zip", content: zip([]), want: { problems: ["empty"] } },
  {
    file: "containers/zip-of-pictures.zip",
    content: zip([{ name: "a.png", content: Uint8Array.from(PNG) }]),
    want: { problems: ["not_a_report"] },
  },
  { file: "containers/bare.xml", content: ORDINARY, want: clean },
  { file: "containers/bare-without-extension", content: ORDINARY, want: clean },
  {
    file: "containers/text-around-report.txt",
    content: `[External mail] Take care.\n\n${ORDINARY}\nSent from my gateway`,
    want: { ...read, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "containers/mail-in-zip.zip",
    content: zip([
      { name: "m.eml", content: `From: a@b.example\r\nSubject: x\r\nContent-Type: text/xml\r\n\r\n${ORDINARY}` },
    ]),
    want: clean,
  },
  { file: "containers/nothing", content: "", want: { problems: ["empty"] } },
  { file: "containers/blank", content: " \r\n\t ", want: { problems: ["empty"] } },
  { file: "containers/picture.xml", content: Uint8Array.from(PNG), want: { problems: ["not_a_report"] } },
  {
    file: "containers/noise.xml.gz",
    content: Uint8Array.from({ length: 300 }, (_, i) => (i * 167 + 129) % 251),
    want: { problems: ["not_a_report"] },
  },
];
