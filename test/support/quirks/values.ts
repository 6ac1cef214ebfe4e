/** Support: values as reporters write them: metadata, policy, records, and the new words of RFC 9990. */
import { changed, ORDINARY, record, withRecords } from "../report-xml.ts";
import type { Quirk, Wanted } from "./quirk.ts";

const meta = (metadata: object, more: Wanted = {}): Wanted => ({ report: { metadata }, ...more });
const policy = (wanted: object, more: Wanted = {}): Wanted => ({ report: { policy: wanted }, ...more });
const BEGIN = "<begin>1700000000</begin>";
const END = "<end>1700086399</end>";
const id = (text: string) => changed(["ordinary.1", text]);
const dates = (begin: string, end: string) => changed([`${BEGIN}${END}`, ` <begin>${begin}</begin><end>${end}</end>`]);
const metadata: Quirk[] = [
  ...["1709600619.487850", "28327321193681154911721360029", "012345", "1e5", "0x1F", "a:b!c@d.example"].map(
    (reportId) => ({
      file: `metadata/report-id-${reportId.replace(/[^\w.]/g, "_")}.xml`,
      content: id(reportId),
      want: meta({ reportId }, { clean: true }),
    }),
  ),
  {
    file: "metadata/report-id-in-brackets.xml",
    content: id("&lt;1@r.example&gt;"),
    want: meta({ reportId: "<1@r.example>" }),
  },
  {
    file: "metadata/report-id-empty.xml",
    content: id(""),
    want: meta({ reportId: "" }, { warnings: ["missing_value report_metadata/report_id"] }),
  },
  {
    file: "metadata/org-name-empty.xml",
    content: changed(["<org_name>Reporter</org_name>", "<org_name/>"]),
    want: meta({ orgName: "reporter.example" }, { warnings: ["missing_value report_metadata/org_name"] }),
  },
  {
    file: "metadata/org-name-missing.xml",
    content: changed(["<org_name>Reporter</org_name>", ""]),
    want: meta({ orgName: "reporter.example" }),
  },
  {
    file: "metadata/email-missing.xml",
    content: changed(["<email>dmarc@reporter.example</email>", ""]),
    want: meta({ email: "" }, { warnings: ["missing_value report_metadata/email"] }),
  },
  {
    file: "metadata/org-name-padded.xml",
    content: changed(["Reporter", "  Reporter \n "]),
    want: meta({ orgName: "Reporter" }),
  },
  { file: "metadata/org-name-is-a-number.xml", content: changed(["Reporter", "163"]), want: meta({ orgName: "163" }) },
  {
    file: "metadata/dates-as-floats.xml",
    content: dates("1700000000.0", "1700086399.5"),
    want: meta(
      { beginSeconds: 1_700_000_000, endSeconds: 1_700_086_399 },
      { warnings: ["invalid_value report_metadata/date_range/begin"] },
    ),
  },
  {
    file: "metadata/dates-padded.xml",
    content: dates(" 1700000000\n", "1700086399 "),
    want: meta({ beginSeconds: 1_700_000_000, endSeconds: 1_700_086_399 }, { clean: true }),
  },
  {
    file: "metadata/dates-equal.xml",
    content: dates("1700000000", "1700000000"),
    want: meta({ beginSeconds: 1_700_000_000, endSeconds: 1_700_000_000 }, { clean: true }),
  },
  {
    file: "metadata/dates-reversed.xml",
    content: dates("1700086399", "1700000000"),
    want: meta({ beginSeconds: 1_700_086_399 }, { warnings: ["invalid_value report_metadata/date_range"] }),
  },
  {
    file: "metadata/dates-of-weeks.xml",
    content: dates("1700000000", "1703024000"),
    want: meta({ endSeconds: 1_703_024_000 }, { warnings: ["period_spread report_metadata/date_range"] }),
  },
  {
    file: "metadata/dates-of-more-than-35-days.xml",
    content: dates("1700000000", "1703024001"),
    want: { problems: ["implausible_period"] },
  },
  {
    file: "metadata/dates-reversed-by-years.xml",
    content: dates("1700000000", "1500000000"),
    want: { problems: ["implausible_period"] },
  },
  {
    file: "metadata/dates-in-the-future.xml",
    content: dates("2540000000", "2540086399"),
    want: { problems: ["implausible_period"] },
  },
  {
    file: "metadata/dates-begin-in-the-future.xml",
    content: dates("2540000000", "1700000000"),
    want: { problems: ["implausible_period"] },
  },
  ...[
    ["milliseconds", "1700000000000"],
    ["empty", ""],
    ["negative", "-5"],
    ["zero", "0"],
    ["sixty-digits", "1".repeat(60)],
  ].map(([name, begin]) => ({
    file: `metadata/dates-${name}.xml`,
    content: dates(begin ?? "", "1700086399"),
    want: { problems: ["missing_dates"] },
  })),
  {
    file: "metadata/dates-missing.xml",
    content: changed([`<date_range>${BEGIN}${END}</date_range>`, ""]),
    want: { problems: ["missing_dates"] },
  },
  {
    file: "metadata/several-errors-with-lang.xml",
    content: changed(["</report_metadata>", '<error lang="en">one</error><error>two</error></report_metadata>']),
    want: meta({ errors: ["one", "two"] }, { clean: true }),
  },
  {
    file: "metadata/two-report-ids.xml",
    content: changed(["</report_metadata>", "<report_id>second</report_id></report_metadata>"]),
    want: meta({ reportId: "ordinary.1" }, { warnings: ["duplicate_element report_metadata/report_id"] }),
  },
  {
    file: "metadata/missing.xml",
    content: ORDINARY.replace(/<report_metadata>[\s\S]*<\/report_metadata>/, ""),
    want: { problems: ["missing_dates"] },
  },
  {
    file: "metadata/and-policy-missing.xml",
    content: ORDINARY.replace(/<report_metadata>[\s\S]*<\/policy_published>/, ""),
    want: { problems: ["no_metadata"] },
  },
  {
    file: "metadata/version-two.xml",
    content: changed(["<version>1.0</version>", "<version>2.0</version>"]),
    want: meta({ version: "2.0", format: "rfc7489" }),
  },
  {
    file: "metadata/hostile-strings.xml",
    content: changed(["Reporter", "&lt;script>alert(1)&lt;/script>"], ["ordinary.1", "'); DROP TABLE reports;--"]),
    want: meta({ orgName: "<script>alert(1)</script>", reportId: "'); DROP TABLE reports;--" }),
  },
];

const POLICY = "<sp>quarantine</sp>";
const policies: Quirk[] = [
  {
    file: "policy/sp-missing.xml",
    content: changed([POLICY, ""]),
    want: policy({ p: "reject", sp: "reject", np: "reject" }, { clean: true }),
  },
  {
    file: "policy/sp-empty.xml",
    content: changed([POLICY, "<sp></sp>"]),
    want: policy({ sp: "reject", np: "reject" }),
  },
  {
    file: "policy/sp-nil.xml",
    content: changed([POLICY, "<sp>nil</sp>"]),
    want: policy({ sp: "unknown" }, { warnings: ["unknown_value policy_published/sp"] }),
  },
  {
    file: "policy/p-invalid.xml",
    content: changed(["<p>reject</p>", "<p>invalid</p>"]),
    want: policy({ p: "unknown" }, { warnings: ["unknown_value policy_published/p"] }),
  },
  {
    file: "policy/p-missing.xml",
    content: changed(["<p>reject</p>", ""]),
    want: policy({ p: "unknown", sp: "quarantine" }, { warnings: ["missing_value policy_published/p"] }),
  },
  {
    file: "policy/words-in-capitals.xml",
    content: changed(["<p>reject</p>", "<p>REJECT</p>"], ["<adkim>r<", "<adkim>S<"]),
    want: policy({ p: "reject", adkim: "s" }),
  },
  {
    file: "policy/alignment-missing.xml",
    content: changed(["<adkim>r</adkim><aspf>r</aspf>", ""]),
    want: policy({ adkim: "r", aspf: "r" }, { clean: true }),
  },
  {
    file: "policy/alignment-in-words.xml",
    content: changed(["<adkim>r<", "<adkim>strict<"], ["<aspf>r<", "<aspf>relaxed<"]),
    want: policy({ adkim: "s", aspf: "r" }),
  },
  {
    file: "policy/pct-missing.xml",
    content: changed(["<pct>100</pct>", ""]),
    want: policy({ pct: 100 }, { clean: true }),
  },
  { file: "policy/pct-zero.xml", content: changed(["<pct>100<", "<pct>0<"]), want: policy({ pct: 0 }) },
  {
    file: "policy/pct-absurd.xml",
    content: changed(["<pct>100<", "<pct>250<"]),
    want: policy({ pct: 100 }, { warnings: ["invalid_value policy_published/pct"] }),
  },
  {
    file: "policy/unknown-tags.xml",
    content: changed(["<fo>0</fo>", "<fo>1:d</fo><ri>86400</ri><rf>afrf</rf><psd>u</psd><t>y</t>"]),
    want: policy({ fo: "1:d" }),
  },
  {
    file: "policy/published-twice.xml",
    content: changed([
      "</policy_published>",
      "</policy_published><policy_published><domain>other.example</domain><p>none</p></policy_published>",
    ]),
    want: policy({ domain: "acme.example" }, { warnings: ["duplicate_element policy_published"] }),
  },
  {
    file: "policy/missing.xml",
    content: ORDINARY.replace(/<policy_published>[\s\S]*<\/policy_published>/, ""),
    want: { problems: ["missing_domain"] },
  },
  {
    file: "policy/domain-empty.xml",
    content: changed(["<domain>acme.example</domain>", "<domain/>"]),
    want: { problems: ["missing_domain"] },
  },
  {
    file: "policy/domain-is-markup.xml",
    content: changed(["<domain>acme.example<", "<domain>&lt;b>acme&lt;/b><"]),
    want: { problems: ["missing_domain"] },
  },
  {
    file: "policy/domain-spelling.xml",
    content: changed(["<domain>acme.example<", "<domain> ACME.Example. <"]),
    want: policy({ domain: "acme.example" }),
  },
  {
    file: "policy/domain-idn.xml",
    content: changed(["<domain>acme.example<", "<domain>Bücher.example<"]),
    want: policy({ domain: "xn--bcher-kva.example" }),
  },
];

const NEW = '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">';
const rfc9990: Quirk[] = [
  {
    file: "rfc9990/in-full.xml",
    content: rfc9990Report(),
    want: {
      report: {
        metadata: { format: "rfc9990", generator: "gen 1.0", errors: ["none"] },
        policy: { np: "none", testing: true, discoveryMethod: "treewalk", pct: 100 },
        totals: { messages: 2, passed: 1 },
      },
      records: [{ disposition: "pass", envelopeFrom: "" }, { reasons: [{ type: "policy_test_mode", comment: "t=y" }] }],
      clean: true,
    },
  },
  {
    file: "rfc9990/namespace-only.xml",
    content: ORDINARY.replace("<feedback>", NEW),
    want: meta({ format: "rfc9990" }, { clean: true }),
  },
  {
    file: "rfc9990/fields-only.xml",
    content: changed(["<fo>0</fo>", "<fo>0</fo><discovery_method>psl</discovery_method>"]),
    want: meta({ format: "rfc9990" }),
  },
  {
    file: "rfc9990/np-missing-inherits-sp.xml",
    content: ORDINARY,
    want: policy({ sp: "quarantine", np: "quarantine" }),
  },
  {
    file: "rfc9990/extensions-of-drafts.xml",
    content: changed(
      ["<record>", '<extensions><extension name="x" definition="urn:x"><y>1</y></extension></extensions><record>'],
      ["</auth_results>", "</auth_results><extensions><extension name='z'/></extensions>"],
    ),
    want: { clean: true },
  },
];

function rfc9990Report(): string {
  const passed = record({
    evaluated: "<disposition>pass</disposition><dkim>pass</dkim><spf>fail</spf>",
    identifiers: "<envelope_from/><header_from>acme.example</header_from>",
    auth: '<dkim><domain>acme.example</domain><selector>s</selector><result>pass</result><human_result lang="de">gut</human_result></dkim>',
  });
  const tested = record({
    evaluated:
      '<disposition>none</disposition><dkim>fail</dkim><spf>fail</spf><reason><type>policy_test_mode</type><comment lang="en">t=y</comment></reason>',
    auth: "<spf><domain>x.example</domain><result>policy</result></spf>",
  });
  return withRecords(passed, tested.replace("</record>", '<e:more xmlns:e="urn:e">x</e:more></record>'))
    .replace("<feedback>", NEW)
    .replace("</report_metadata>", '<error lang="en">none</error><generator>gen 1.0</generator></report_metadata>')
    .replace("<pct>100</pct>", "<np>none</np><testing>y</testing><discovery_method>treewalk</discovery_method>")
    .replace("</policy_published>", '</policy_published><extension><v:a xmlns:v="urn:v">1</v:a></extension>');
}

export const values: Quirk[] = [...metadata, ...policies, ...rfc9990];
