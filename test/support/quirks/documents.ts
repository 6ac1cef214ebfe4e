/** Support: XML as reporters write it, well-formed or not. */
import { joinBytes, toBytes } from "../archives.ts";
import { fromBinary } from "../mails.ts";
import { changed, ORDINARY, record, withRecords } from "../report-xml.ts";
import { ORDINARY_TOTALS, type Quirk } from "./quirk.ts";

const read = { report: ORDINARY_TOTALS };
const clean = { ...read, clean: true } as const;
const repaired = (path = "feedback") => ({ ...read, warnings: [`repaired_xml ${path}`] });
const BODY = ORDINARY.slice(ORDINARY.indexOf("<feedback>"));
const utf16le = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"));
const utf16be = (text: string) => new Uint8Array(Buffer.from(text, "utf16le").swap16());
const org = (name: string) => changed(["Reporter", name]);
const named = (orgName: string, more: object = {}) => ({ report: { metadata: { orgName } }, ...more });
const prefixed = BODY.replace(/<(\/?)/g, "<$1ns1:").replace(
  "<ns1:feedback>",
  '<ns1:feedback xmlns:ns1="http://dmarc.org/dmarc-xml/0.1">',
);
const deep = (levels: number) => "<x>".repeat(levels) + "</x>".repeat(levels);

export const documents: Quirk[] = [
  { file: "xml/no-declaration.xml", content: BODY, want: clean },
  { file: "xml/bom-utf8.xml", content: joinBytes([0xef, 0xbb, 0xbf], ORDINARY), want: clean },
  { file: "xml/bom-blank-line-declaration.xml", content: joinBytes([0xef, 0xbb, 0xbf], "\r\n", ORDINARY), want: read },
  {
    file: "xml/utf16-le-bom.xml",
    content: joinBytes([0xff, 0xfe], utf16le(org("Répôrter").replace("UTF-8", "UTF-16"))),
    want: named("Répôrter"),
  },
  {
    file: "xml/utf16-be-bom.xml",
    content: joinBytes([0xfe, 0xff], utf16be(org("Répôrter").replace("UTF-8", "UTF-16"))),
    want: named("Répôrter"),
  },
  { file: "xml/utf16-le-no-bom.xml", content: utf16le(ORDINARY.replace("UTF-8", "UTF-16")), want: read },
  {
    file: "xml/declared-iso-8859-1.xml",
    content: fromBinary(org("Soci\xe9t\xe9").replace("UTF-8", "ISO-8859-1")),
    want: named("Société", { clean: true }),
  },
  {
    file: "xml/declared-windows-1252.xml",
    content: fromBinary(org("\x93Mail\x94 \x80").replace("UTF-8", "windows-1252")),
    want: named("“Mail” €", { clean: true }),
  },
  {
    file: "xml/declared-utf16-is-utf8.xml",
    content: ORDINARY.replace("UTF-8", "UTF-16"),
    want: { ...read, warnings: ["repaired_encoding feedback"] },
  },
  {
    file: "xml/declared-unknown-encoding.xml",
    content: ORDINARY.replace("UTF-8", "x-klingon"),
    want: { ...read, warnings: ["repaired_encoding feedback"] },
  },
  {
    file: "xml/invalid-utf8.xml",
    content: fromBinary(org("Soci\xe9t\xe9 \x91x\x92")),
    want: named("Société ‘x’", { warnings: ["repaired_encoding feedback"] }),
  },
  {
    file: "xml/utf8-and-latin1-mixed.xml",
    content: joinBytes(org("@@").split("@@")[0] ?? "", "Zoë ", [0xeb], org("@@").split("@@")[1] ?? ""),
    want: named("Zoë ë"),
  },
  {
    file: "xml/declaration-single-quotes.xml",
    content: ORDINARY.replace('version="1.0" encoding="UTF-8"', "version='1.0' encoding='UTF-8'"),
    want: clean,
  },
  { file: "xml/declaration-after-space.xml", content: `  \n${ORDINARY}`, want: clean },
  { file: "xml/declaration-stray-quote.xml", content: ORDINARY.replace("?>", '?>"'), want: read },
  { file: "xml/declaration-without-question-mark.xml", content: ORDINARY.replace("?>", ">"), want: read },
  ...(
    [
      ["iso-8859-9", [0xfe], "\u015f"],
      ["windows-1253", [0xe1], "\u03b1"],
      ["ISO_8859-1", [0xe9], "\u00e9"],
      ["latin-1", [0xe9], "\u00e9"],
      ["cp1251", [0xcf], "\u041f"],
      ["windows-31j", [0x83, 0x41], "\u30a2"],
      ["TIS-620", [0xa1], "\u0e01"],
    ] as const
  ).map(([label, bytes, orgName]): Quirk => {
    const [before = "", after = ""] = ORDINARY.replace("UTF-8", label).split("Reporter<");
    const content = joinBytes(before, [...bytes], `<${after}`);
    return { file: `xml/declared-${label}.xml`, content, want: { report: { metadata: { orgName } }, clean: true } };
  }),
  {
    file: "xml/utf-16-after-a-line-end.xml",
    content: new Uint8Array(Buffer.from(`\n${ORDINARY.replace("UTF-8", "UTF-16")}`, "utf16le")),
    want: read,
  },
  {
    file: "xml/html-after-the-end.xml",
    content: `${ORDINARY}<br/><p>A <b>footer</b></p>`,
    want: { ...read, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "xml/record-after-the-end.xml",
    content: `${ORDINARY}<more><record><row/></record></more>`,
    want: { problems: ["malformed_xml"] },
  },
  { file: "xml/nul-before-document.xml", content: joinBytes([0], ORDINARY), want: read },
  { file: "xml/crlf-and-tabs.xml", content: ORDINARY.replaceAll("  ", "\t").replaceAll("\n", "\r\n"), want: clean },
  { file: "xml/one-line.xml", content: ORDINARY.replace(/\n\s*/g, ""), want: clean },
  {
    file: "xml/default-namespace.xml",
    content: ORDINARY.replace("<feedback>", '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">'),
    want: { report: { ...ORDINARY_TOTALS, metadata: { format: "rfc7489" } }, clean: true },
  },
  {
    file: "xml/microsoft-xsd-xsi.xml",
    content: ORDINARY.replace(
      "<feedback>",
      '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    ),
    want: clean,
  },
  { file: "xml/prefixed-elements.xml", content: prefixed, want: clean },
  {
    file: "xml/embedded-schema.xml",
    content: ORDINARY.replace(
      "<feedback>",
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="x"><xs:element name="feedback"/></xs:schema>\n<feedback>',
    ),
    want: read,
  },
  {
    file: "xml/embedded-schema-unclosed.xml",
    content: ORDINARY.replace(
      "<feedback>",
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://dmarc.org/dmarc-xml/0.1">\n<feedback>',
    ),
    want: read,
  },
  { file: "xml/soap-around.xml", content: `<Envelope><Body>${BODY}</Body></Envelope>`, want: read },
  {
    file: "xml/cdata.xml",
    content: org("<![CDATA[Mail & <Co> &amp;]]>").replace("<count>7<", "<count><![CDATA[7]]><"),
    want: { report: { ...ORDINARY_TOTALS, metadata: { orgName: "Mail & <Co> &amp;" } }, clean: true },
  },
  {
    file: "xml/cdata-with-end-tags.xml",
    content: changed(["<selector>s1<", "<selector><![CDATA[</record></feedback>]]><"]),
    want: read,
  },
  {
    file: "xml/comments.xml",
    content: changed(
      ["<record>", "<!-- <record> --><record><!-- </record> -->"],
      ["<count>7<", "<count><!-- seven -->7<"],
    ),
    want: read,
  },
  {
    file: "xml/comment-within-value.xml",
    content: changed(["<count>7<", "<count>7<!-- x -->0<"]),
    want: { report: { totals: { messages: 75 } } },
  },
  { file: "xml/instructions.xml", content: changed(["<record>", '<?render fast="yes"?><record>']), want: read },
  {
    file: "xml/entities-in-id.xml",
    content: changed(["ordinary.1", "&lt;id&amp;1&gt;&#x40;&#114;.example"]),
    want: { report: { metadata: { reportId: "<id&1>@r.example" } }, clean: true },
  },
  { file: "xml/double-escaped.xml", content: org("A &amp;amp; B"), want: named("A &amp; B") },
  {
    file: "xml/unknown-entity.xml",
    content: org("A&nbsp;B"),
    want: named("A&nbsp;B", { warnings: ["repaired_xml feedback"] }),
  },
  {
    file: "xml/raw-ampersand.xml",
    content: org("Black & White"),
    want: named("Black & White", { warnings: ["repaired_xml feedback"] }),
  },
  {
    file: "xml/raw-ampersand-in-record.xml",
    content: changed(["<selector>s1<", "<selector>a&b<"]),
    want: { records: [{ dkimResults: [{ selector: "a&b" }] }], warnings: ["repaired_xml record[0]"] },
  },
  {
    file: "xml/raw-less-than-in-email.xml",
    content: changed(["dmarc@reporter.example", "<dmarc@reporter.example>"]),
    want: { report: { metadata: { email: "<dmarc@reporter.example>" } }, warnings: ["repaired_xml feedback"] },
  },
  {
    file: "xml/raw-less-than-in-url.xml",
    content: changed(["https://reporter.example/dmarc", "https://reporter.example/?a<b"]),
    want: { report: { metadata: { extraContactInfo: "https://reporter.example/?a<b" } } },
  },
  {
    file: "xml/control-characters.xml",
    content: org("Re\u0001por\u0000ter"),
    want: named("Reporter", { warnings: ["repaired_xml feedback"] }),
  },
  {
    file: "xml/control-characters-by-reference.xml",
    content: org("Re&#7;por&#x1b;[31mter"),
    want: named("Repor[31mter"),
  },
  {
    file: "xml/direction-marks-kept.xml",
    content: org("a\u202eb\u200bc 組織 📧"),
    want: named("a\u202eb\u200bc 組織 📧", { clean: true }),
  },
  {
    file: "xml/text-between-elements.xml",
    content: changed(["<sp>quarantine</sp>", "<sp>quarantine</sp>11"]),
    want: { report: { policy: { sp: "quarantine" } } },
  },
  { file: "xml/text-after-document.xml", content: `${ORDINARY}\nkind regards`, want: repaired() },
  { file: "xml/end-tag-cut.xml", content: BODY.trimEnd().slice(0, -1), want: repaired() },
  { file: "xml/end-tag-cut-to-letters.xml", content: BODY.trimEnd().slice(0, -5), want: repaired() },
  {
    file: "xml/cut-between-records.xml",
    content: BODY.trimEnd().slice(0, -"</feedback>".length),
    want: { problems: ["truncated"] },
  },
  {
    file: "xml/cut-within-record.xml",
    content: BODY.slice(0, BODY.indexOf("2001:db8")),
    want: { problems: ["truncated"] },
  },
  {
    file: "xml/cut-within-record-end-tag.xml",
    content: BODY.slice(0, BODY.lastIndexOf("</record>") + 5),
    want: { problems: ["truncated"] },
  },
  {
    file: "xml/cut-within-metadata.xml",
    content: BODY.slice(0, BODY.indexOf("<date_range>")),
    want: { problems: ["truncated"] },
  },
  {
    file: "xml/odd-order.xml",
    content: withRecords()
      .replace("<version>1.0</version>", `${record({ count: "3" })}<version>1.0</version>`)
      .replace("<org_name>Reporter</org_name>", "")
      .replace("</report_metadata>", "<org_name>Reporter</org_name></report_metadata>"),
    want: { report: { metadata: { orgName: "Reporter" }, totals: { messages: 3 } }, clean: true },
  },
  {
    file: "xml/identities-for-identifiers.xml",
    content: ORDINARY.replaceAll("identifiers", "identities"),
    want: { records: [{ headerFrom: "acme.example" }, { headerFrom: "acme.example" }] },
  },
  { file: "xml/html-before-report.xml", content: `<!DOCTYPE html><html><body>${BODY}</body></html>`, want: read },
  {
    file: "xml/record-inside-extension.xml",
    content: changed(["<record>", "<extension><x:record xmlns:x='urn:x'>no</x:record></extension><record>"]),
    want: read,
  },
  {
    file: "xml/empty-report-elements.xml",
    content: changed(
      ["<extra_contact_info>https://reporter.example/dmarc</extra_contact_info>", "<extra_contact_info/>"],
      ["<aspf>r</aspf>", "<aspf />"],
    ),
    want: { report: { policy: { aspf: "r" } }, clean: true },
  },
  {
    file: "xml/attributes-everywhere.xml",
    content: ORDINARY.replaceAll("<count>", "<count a='1' b=\"</count>\">").replaceAll("<record>", '<record id="7">'),
    want: read,
  },
  {
    file: "xml/doctype.xml",
    content: ORDINARY.replace("<feedback>", "<!DOCTYPE feedback>\n<feedback>"),
    want: { problems: ["doctype_refused"] },
  },
  {
    file: "xml/external-entity.xml",
    content: org("&x;").replace(
      "<feedback>",
      '<!DOCTYPE feedback [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>',
    ),
    want: { problems: ["doctype_refused"] },
  },
  {
    file: "xml/billion-laughs.xml",
    content: org("&b;").replace("<feedback>", '<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><feedback>'),
    want: { problems: ["doctype_refused"] },
  },
  {
    file: "xml/mismatched-tags.xml",
    content: changed(["</report_metadata>", "</policy_published>"]),
    want: { problems: ["malformed_xml"] },
  },
  {
    file: "xml/record-within-record.xml",
    content: changed(["  </record>\n  <record>", "  <record>"]),
    want: { problems: ["malformed_xml"] },
  },
  { file: "xml/two-roots.xml", content: BODY + BODY, want: { reports: 2 } },
  {
    file: "xml/elements-too-deep.xml",
    content: changed(["<record>", `<extension>${deep(100)}</extension><record>`]),
    want: { problems: ["too_deep"] },
  },
  {
    file: "xml/other-root.xml",
    content: "<?xml version='1.0'?><invoice><total>1</total></invoice>",
    want: { problems: ["not_a_report"] },
  },
  {
    file: "xml/html-page.xml",
    content: "<html><head><title>404</title></head><body>Not here</body></html>",
    want: { problems: ["not_a_report"] },
  },
  {
    file: "xml/prototype-names.xml",
    content: changed(["acme.example</domain>", "__proto__</domain>"], ["ordinary.1", "constructor"]),
    want: { report: { policy: { domain: "__proto__" }, metadata: { reportId: "constructor" } } },
  },
  {
    file: "xml/xinclude-not-followed.xml",
    content: org('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'),
    want: { report: { metadata: { orgName: "reporter.example" } } },
  },
];

/** A document of a million elements that hold nothing: too large for a file of the repository. */
export const emptyElements = (name: string): Uint8Array =>
  toBytes(`<feedback>${`<${name}/>`.repeat(1_000_000)}</feedback>`);
