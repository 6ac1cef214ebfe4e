/** Support: elements of other namespaces, in other places, and by other names: none is taken for what it is not. */
import { changed, ORDINARY, record, withRecords } from "../report-xml.ts";
import type { Quirk, Wanted } from "./quirk.ts";

const OWN = "urn:ietf:params:xml:ns:dmarc-2.0";
const GOOD = record({ count: "11" });
const inNamespace = (xml: string, declarations: string): string =>
  xml.replace("<feedback>", `<feedback ${declarations}>`);
const prefixed = (xml: string, prefix: string): string => xml.replace(/<(\/?)([a-z_]+)/g, `<$1${prefix}:$2`);
const counted = (messages: number, records = 1): object => ({ totals: { messages, records, skippedRecords: 0 } });
const quirk = (name: string, content: string, want: Wanted): Quirk => ({
  file: `structure/${name}.xml`,
  content,
  want,
});

const DKIM = "<dkim><domain>other.example</domain><result>pass</result></dkim>";
const arc = (prefix: string): string => prefixed(`<auth_results>${DKIM}</auth_results>`, prefix);
const extended = (extension: string): string => GOOD.replace("</record>", `${extension}</record>`);
const noResults: Wanted = { report: counted(11), records: [{ dkimResults: [] }] };
const xml = (declarations: string, ...records: string[]): string => inNamespace(withRecords(...records), declarations);

const namespaces: Quirk[] = [
  quirk("arc-of-another-prefix", xml(`xmlns="${OWN}" xmlns:arc="urn:x:arc"`, extended(arc("arc"))), noResults),
  quirk(
    "arc-declared-where-it-stands",
    xml(`xmlns="${OWN}"`, extended(arc("arc").replace(">", ' xmlns:arc="urn:x:arc">'))),
    noResults,
  ),
  quirk(
    "arc-by-default-namespace",
    xml(`xmlns="${OWN}"`, extended(`<auth_results xmlns="urn:x:arc">${DKIM}</auth_results>`)),
    noResults,
  ),
  quirk("arc-first", xml(`xmlns="${OWN}" xmlns:arc="urn:x"`, GOOD.replace("<row>", `${arc("arc")}<row>`)), noResults),
  quirk(
    "row-of-another-namespace",
    xml(`xmlns="${OWN}" xmlns:x="urn:x"`, GOOD.replace("<row>", "<x:row><x:count>99</x:count></x:row><row>")),
    noResults,
  ),
  quirk(
    "count-of-another-namespace",
    xml(`xmlns="${OWN}" xmlns:x="urn:x"`, GOOD.replace("<count>", "<x:count>99</x:count><count>")),
    noResults,
  ),
  quirk(
    "dkim-within-results",
    xml(`xmlns="${OWN}" xmlns:x="urn:x"`, GOOD.replace("<auth_results>", `<auth_results>${prefixed(DKIM, "x")}`)),
    noResults,
  ),
  quirk(
    "record-of-another-namespace",
    xml(`xmlns="${OWN}" xmlns:x="urn:x"`, prefixed(record({ count: "99" }), "x"), GOOD),
    { report: counted(11) },
  ),
  quirk(
    "record-of-another-default",
    xml(`xmlns="${OWN}"`, record({ count: "99" }).replace("<record>", '<record xmlns="urn:x">'), GOOD),
    { report: counted(11) },
  ),
  quirk(
    "records-in-an-extension",
    xml(`xmlns="${OWN}" xmlns:x="urn:x"`, `<x:more>${record({ count: "99" })}</x:more>`, GOOD),
    { report: counted(11) },
  ),
  quirk("undeclared-prefix", withRecords(extended(arc("arc"))), noResults),
  quirk(
    "metadata-of-another-namespace",
    inNamespace(ORDINARY, `xmlns="${OWN}" xmlns:x="urn:x"`).replace(
      "<report_metadata>",
      "<x:report_metadata><x:org_name>Other</x:org_name></x:report_metadata><report_metadata>",
    ),
    { report: { metadata: { orgName: "Reporter" } } },
  ),
  quirk(
    "all-prefixed",
    prefixed(withRecords(GOOD, GOOD), "d").replace("<d:feedback>", `<d:feedback xmlns:d="${OWN}">`),
    { report: counted(22, 2) },
  ),
  quirk("all-prefixed-undeclared", prefixed(withRecords(GOOD, GOOD), "d"), { report: counted(22, 2) }),
  quirk(
    "prefixed-root-unqualified-rest",
    withRecords(GOOD, GOOD)
      .replace("<feedback>", '<d:feedback xmlns:d="http://dmarc.org/dmarc-xml/0.1">')
      .replace("</feedback>", "</d:feedback>"),
    { report: counted(22, 2) },
  ),
  quirk(
    "prefixed-root-other-default",
    prefixed(withRecords(GOOD), "d").replace(
      "<d:feedback>",
      `<d:feedback xmlns:d="${OWN}" xmlns="urn:x">${record({ count: "99" })}`,
    ),
    { report: counted(11) },
  ),
  quirk("same-namespace-two-prefixes", xml(`xmlns="${OWN}" xmlns:d="${OWN}"`, GOOD, prefixed(GOOD, "d")), {
    report: counted(22, 2),
  }),
  quirk("no-namespace-within", xml(`xmlns="${OWN}"`, GOOD.replace("<record>", '<record xmlns="">')), {
    report: counted(11),
  }),
];

const warned = (...paths: string[]): string[] => paths.map((path) => `unknown_element ${path}`);
const renamed = (from: string, to: string): string =>
  GOOD.replaceAll(`<${from}>`, `<${to}>`).replaceAll(`</${from}>`, `</${to}>`);

const places: Quirk[] = [
  quirk("capital-record", withRecords(renamed("record", "Record"), renamed("record", "RECORD"), GOOD), {
    report: counted(33, 3),
  }),
  quirk(
    "capitals-throughout",
    ORDINARY.replace(/<(\/?)([a-z_]+)/g, (_, slash: string, name: string) => `<${slash}${name.toUpperCase()}`),
    { report: { totals: { records: 2, messages: 12 } } },
  ),
  quirk("capital-count", withRecords(renamed("count", "Count")), { report: counted(11) }),
  quirk("two-counts-of-two-cases", withRecords(GOOD.replace("<count>", "<Count>99</Count><count>")), {
    report: counted(11),
  }),
  quirk("misspelt-record", withRecords(renamed("record", "recrod")), {
    report: counted(0, 0),
    warnings: [...warned("recrod"), "missing_value record"],
  }),
  quirk("misspelt-record-beside-good", withRecords(renamed("record", "records"), GOOD), {
    report: counted(11),
    warnings: warned("records"),
  }),
  quirk("rows-without-record", withRecords(GOOD.replace(/<\/?record>/g, "")), {
    report: counted(0, 0),
    warnings: ["missing_value record"],
  }),
  quirk("nested-records", withRecords(`<records>${GOOD}${GOOD}</records>`), {
    report: counted(22, 2),
    warnings: warned("records"),
  }),
  quirk("misspelt-count", withRecords(renamed("count", "cnt"), GOOD), {
    report: { totals: { records: 1, skippedRecords: 1 } },
    warnings: ["record_skipped record[0]"],
  }),
  quirk(
    "identifiers-in-row",
    withRecords(GOOD.replace("</row>", "").replace("</auth_results>", "</auth_results></row>")),
    {
      report: counted(11),
      records: [{ headerFrom: "acme.example" }],
      warnings: warned("record[0]/row/identifiers", "record[0]/row/auth_results"),
    },
  ),
  quirk(
    "unknown-in-each-place",
    changed(["<org_name>", "<x1/><org_name>"], ["<adkim>", "<x2/><adkim>"], ["<begin>", "<x3/><begin>"]),
    {
      warnings: warned("report_metadata/x1", "report_metadata/date_range/x3", "policy_published/x2"),
    },
  ),
  quirk(
    "unknown-in-every-record",
    withRecords(...Array<string>(5).fill(GOOD.replace("</row>", "<geo>nl</geo></row>"))),
    {
      report: counted(55, 5),
      warnings: warned("record[0]/row/geo", "record[4]/row/geo"),
    },
  ),
];

export const structure: Quirk[] = [...namespaces, ...places];
