/** Support: records as reporters write them. */
import { changed, ORDINARY, record, withRecords } from "../report-xml.ts";
import type { Quirk, Wanted } from "./quirk.ts";

const GOOD = record({ count: "11" });
const one = (file: string, text: string, wanted: object, more: Wanted = {}): Quirk => ({
  file: `records/${file}.xml`,
  content: withRecords(text),
  want: { records: [wanted], ...more },
});
const skipped = (file: string, count: string): Quirk => ({
  file: `records/count-${file}.xml`,
  content: withRecords(record({ count }), GOOD),
  want: { report: { totals: { records: 1, skippedRecords: 1, messages: 11 } }, warnings: ["record_skipped record[0]"] },
});
const ip = (file: string, raw: string, sourceIp: string, more: Wanted = {}) =>
  one(`ip-${file}`, record({ ip: raw }), { sourceIp }, more);
const noAddress = (file: string, ip: string): Quirk => ({
  file: `records/ip-${file}.xml`,
  content: withRecords(record({ ip }), GOOD),
  want: { report: { totals: { records: 1, skippedRecords: 1, messages: 11 } }, warnings: ["record_skipped record[0]"] },
});
const evaluated = (dkim: string, spf: string, disposition = "none", rest = "") =>
  record({ evaluated: `<disposition>${disposition}</disposition><dkim>${dkim}</dkim><spf>${spf}</spf>${rest}` });
const dkim = (selector: string, result: string, domain = "acme.example") =>
  `<dkim><domain>${domain}</domain>${selector}<result>${result}</result></dkim>`;
const spf = (result: string, scope = "<scope>mfrom</scope>") =>
  `<spf><domain>acme.example</domain>${scope}<result>${result}</result></spf>`;
const UNKNOWN_IP = ["invalid_value record[0]/row/source_ip"];
const failed: Wanted = { report: { totals: { passed: 0, messages: 1 } } };

export const records: Quirk[] = [
  {
    file: "records/none.xml",
    content: withRecords(),
    want: { report: { totals: { records: 0, messages: 0 } }, records: [], warnings: ["missing_value record"] },
  },
  {
    file: "records/one.xml",
    content: withRecords(GOOD),
    want: { report: { totals: { records: 1, messages: 11 } }, clean: true },
  },
  one("count-zero", record({ count: "0" }), { count: 0 }, { report: { totals: { records: 1, messages: 0 } } }),
  one("count-padded", record({ count: " \n42 " }), { count: 42 }),
  one("count-leading-zeros", record({ count: "007" }), { count: 7 }),
  one("count-of-a-billion", record({ count: "1000000000" }), { count: 1_000_000_000 }, { clean: true }),
  skipped("past-a-billion", "1000000001"),
  skipped("past-2-32", "4294967296"),
  skipped("negative", "-3"),
  skipped("fraction", "1.5"),
  skipped("past-2-53", "9007199254740993"),
  skipped("400-digits", "9".repeat(400)),
  skipped("exponent", "1e3"),
  skipped("hexadecimal", "0x10"),
  skipped("empty", ""),
  skipped("word", "many"),
  skipped("full-width-digits", "１２"),
  skipped("thousands-separator", "1,234"),
  {
    file: "records/without-row.xml",
    content: withRecords("<record><identifiers/></record>", GOOD),
    want: { report: { totals: { records: 1, skippedRecords: 1 } }, warnings: ["record_skipped record[0]"] },
  },
  one(
    "row-left-out",
    record({ count: "7", auth: "<dkim><domain>acme.example</domain><result>pass</result></dkim>" }).replace(
      /<\/?row>/g,
      "",
    ),
    {
      count: 7,
      dkim: "pass",
      dkimResults: [{ domain: "acme.example" }],
    },
    {
      report: { totals: { records: 1, skippedRecords: 0, messages: 7 } },
      warnings: ["unknown_element record[0]/source_ip", "unknown_element record[0]/count"],
    },
  ),
  {
    file: "records/source-ip-misspelt.xml",
    content: withRecords(record().replaceAll("source_ip>", "sourceIp>"), GOOD),
    want: {
      report: { totals: { records: 1, skippedRecords: 1, messages: 11 } },
      warnings: ["unknown_element record[0]/row/sourceIp", "record_skipped record[0]"],
    },
  },
  {
    file: "records/rows-in-a-record.xml",
    content: withRecords(record().replace("<row>", "<rows><row>").replace("</row>", "</row></rows>"), GOOD),
    want: {
      report: { totals: { records: 1, skippedRecords: 1, messages: 11 } },
      warnings: ["unknown_element record[0]/rows", "record_skipped record[0]"],
    },
  },
  {
    file: "records/broken-among-good.xml",
    content: withRecords(GOOD, "<record><row><count>1</row></count></record>", GOOD),
    want: {
      report: { totals: { records: 2, skippedRecords: 1, messages: 22 } },
      warnings: ["record_skipped record[1]"],
    },
  },
  {
    file: "records/same-twice-adds-up.xml",
    content: withRecords(GOOD, GOOD),
    want: { report: { totals: { records: 2, messages: 22 } } },
  },
  ip("v6-upper-case-and-zeros", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1", { clean: true }),
  ip("v6-literal-of-smtp", "[IPv6:2001:db8::1]", "2001:db8::1"),
  ip("v4-mapped", "::FFFF:192.0.2.1", "192.0.2.1"),
  ip("v4-compatible", "::192.0.2.1", "::192.0.2.1"),
  ip("v4-in-brackets", "[192.0.2.1]", "192.0.2.1"),
  ip("v6-in-brackets", "[2001:DB8::1]", "2001:db8::1"),
  ip("v4-with-port", "192.0.2.1:25", "192.0.2.1"),
  ip("v4-mapped-in-hex", "::ffff:c000:201", "192.0.2.1"),
  ip("padded", " 192.0.2.1\n", "192.0.2.1"),
  noAddress("empty", ""),
  noAddress("no-address", "999.1.2.3"),
  ip("leading-zeros", "010.0.0.1", "010.0.0.1", { warnings: UNKNOWN_IP }),
  ip("prefix", "192.0.2.0/24", "192.0.2.0/24", { warnings: UNKNOWN_IP }),
  ip("zone", "fe80::1%eth0", "fe80::1%eth0", { warnings: UNKNOWN_IP }),
  noAddress("name", "mail.example"),
  noAddress("name-with-prefix", "mail.example/24"),
  {
    file: "records/ip-missing.xml",
    content: withRecords(record().replace(/<source_ip>.*<\/source_ip>/, ""), GOOD),
    want: {
      report: { totals: { records: 1, skippedRecords: 1, messages: 11 } },
      warnings: ["record_skipped record[0]"],
    },
  },
  one(
    "results-in-capitals",
    evaluated("PASS", "Fail", "None"),
    { dkim: "pass", spf: "fail", disposition: "none" },
    { report: { totals: { passed: 1 } } },
  ),
  one(
    "spf-none",
    evaluated("fail", "none"),
    { spf: "fail" },
    { ...failed, warnings: ["unknown_value record[0]/row/policy_evaluated/spf"] },
  ),
  one("spf-softfail", evaluated("fail", "softfail"), { spf: "fail" }, failed),
  one(
    "dkim-empty",
    evaluated("", "fail"),
    { dkim: "unknown" },
    { ...failed, warnings: ["missing_value record[0]/row/policy_evaluated/dkim"] },
  ),
  one("result-unknown-is-no-pass", evaluated("passed", "pass?"), { dkim: "unknown", spf: "unknown" }, failed),
  one(
    "result-named-as-a-prototype",
    evaluated("constructor", "__proto__", "toString"),
    { dkim: "unknown", spf: "unknown", disposition: "unknown" },
    failed,
  ),
  one("disposition-pass", evaluated("pass", "fail", "pass"), { disposition: "pass" }),
  one("disposition-empty", evaluated("pass", "fail", ""), { disposition: "unknown", rawDisposition: "" }),
  one("disposition-backtick", evaluated("pass", "fail", "`15"), { disposition: "unknown", rawDisposition: "`15" }),
  one(
    "policy-evaluated-missing",
    record().replace(/<policy_evaluated>.*<\/policy_evaluated>/, ""),
    { dkim: "unknown", spf: "unknown" },
    failed,
  ),
  one("reason-empty-type", evaluated("fail", "fail", "none", "<reason><type></type><comment/></reason>"), {
    reasons: [],
  }),
  one(
    "reason-empty",
    evaluated("fail", "fail", "none", "<reason/><reason> </reason>"),
    { reasons: [] },
    { clean: true },
  ),
  one(
    "reason-type-is-an-attribute",
    evaluated("fail", "fail", "none", '<reason type="forwarded"/>'),
    { reasons: [{ type: "forwarded", rawType: "forwarded", comment: "" }] },
    { warnings: ["unknown_element record[0]/row/policy_evaluated/reason/@type"] },
  ),
  one(
    "values-are-attributes",
    '<record><row source_ip="192.0.2.9" count="4"><policy_evaluated disposition="none" dkim="pass" spf="fail"/></row><identifiers header_from="acme.example"/></record>',
    { sourceIp: "192.0.2.9", count: 4, dkim: "pass", spf: "fail", headerFrom: "acme.example" },
  ),
  one(
    "attributes-beside-values",
    record().replace("<source_ip>", '<source_ip type="v4">').replace("<record>", '<record id="7">'),
    { count: 1 },
    { clean: true },
  ),
  ...["mailing-list", "Mailing List", "MAILING_LIST"].map((word, i) =>
    one(`reason-spelt-${i}`, evaluated("fail", "fail", "none", `<reason><type>${word}</type></reason>`), {
      reasons: [{ type: "mailing_list", rawType: word }],
    }),
  ),
  ...["soft-fail", "Soft Fail", "softfail (not designated)"].map((word, i) =>
    one(
      `auth-result-spelt-${i}`,
      record({ auth: `<spf><domain>a.example</domain><result>${word}</result></spf>` }),
      { spfResults: [{ result: "softfail", rawResult: word }] },
      { warnings: ["unknown_value record[0]/auth_results/spf/result"] },
    ),
  ),
  one(
    "auth-result-bare-text",
    record({ auth: "<spf>pass</spf><dkim>fail</dkim>" }),
    { spfResults: [{ result: "pass", rawResult: "pass" }], dkimResults: [{ result: "fail", rawResult: "fail" }] },
    { warnings: ["unknown_element record[0]/auth_results/spf", "unknown_element record[0]/auth_results/dkim"] },
  ),
  one("count-with-plus-sign", record({ count: "+5" }), { count: 5 }, { clean: true }),
  one(
    "count-with-fraction-of-zeros",
    record({ count: "5.0" }),
    { count: 5 },
    { warnings: ["invalid_value record[0]/row/count"] },
  ),
  one("reason-bare-text", evaluated("fail", "fail", "none", "<reason>sampled_out</reason>"), {
    reasons: [{ type: "sampled_out", rawType: "sampled_out", comment: "" }],
  }),
  one(
    "reason-bare-text-unknown",
    evaluated("fail", "fail", "none", "<reason>Because</reason>"),
    { reasons: [{ type: "unknown", rawType: "Because", comment: "" }] },
    { warnings: ["unknown_value record[0]/row/policy_evaluated/reason/type"] },
  ),
  one(
    "reason-comment-only",
    evaluated("fail", "fail", "none", "<reason><comment>by hand</comment></reason>"),
    { reasons: [{ type: "unknown", rawType: "", comment: "by hand" }] },
    { warnings: ["missing_value record[0]/row/policy_evaluated/reason/type"] },
  ),
  one("reason-unknown-type", evaluated("fail", "fail", "none", "<reason><type>ARC</type></reason>"), {
    reasons: [{ type: "unknown", rawType: "ARC" }],
  }),
  one(
    "reasons-several",
    evaluated(
      "fail",
      "fail",
      "none",
      "<reason><type>forwarded</type></reason><reason><type>Local_Policy</type><comment>arc=pass</comment></reason>",
    ),
    { reasons: [{ type: "forwarded" }, { type: "local_policy", comment: "arc=pass" }] },
  ),
  one(
    "dkim-several-results",
    record({
      auth:
        dkim("<selector>a</selector>", "pass") +
        dkim("<selector>b</selector>", "fail") +
        dkim("<selector>c</selector>", "neutral"),
    }),
    {
      dkimResults: [
        { selector: "a", result: "pass" },
        { selector: "b", result: "fail" },
        { selector: "c", result: "neutral" },
      ],
    },
  ),
  one(
    "dkim-selector-missing",
    record({ auth: dkim("", "pass") }),
    { dkimResults: [{ selector: "" }] },
    { clean: true },
  ),
  one("dkim-selector-numeric", record({ auth: dkim("<selector>20230601</selector>", "pass") }), {
    dkimResults: [{ selector: "20230601" }],
  }),
  one("dkim-domain-empty", record({ auth: dkim("<selector/>", "none", "") }), {
    dkimResults: [{ domain: "", result: "none" }],
  }),
  one("spf-helo-before-mfrom", record({ auth: spf("none", "<scope>helo</scope>") + spf("pass") }), {
    spfResults: [
      { scope: "helo", result: "none" },
      { scope: "mfrom", result: "pass" },
    ],
  }),
  one("spf-scope-missing", record({ auth: spf("pass", "") }), { spfResults: [{ scope: "mfrom" }] }, { clean: true }),
  one("spf-hardfail", record({ auth: spf("hardfail") }), { spfResults: [{ result: "fail", rawResult: "hardfail" }] }),
  one("auth-result-unknown", record({ auth: spf("Unknown") + dkim("", "unknown") }), {
    spfResults: [{ result: "temperror", rawResult: "Unknown" }],
    dkimResults: [{ result: "unknown", rawResult: "unknown" }],
  }),
  one("auth-result-error", record({ auth: spf("error") + dkim("", "error") }), {
    spfResults: [{ result: "permerror", rawResult: "error" }],
    dkimResults: [{ result: "temperror", rawResult: "error" }],
  }),
  ...["invalid", "", "not.evaluated", "constructor"].map((word) =>
    one(`auth-result-${word.replace(".", "-") || "empty"}`, record({ auth: spf(word) + dkim("", word) }), {
      spfResults: [{ result: "unknown", rawResult: word }],
      dkimResults: [{ result: "unknown", rawResult: word }],
    }),
  ),
  one(
    "auth-results-one-for-each-result",
    record({ auth: `${dkim("", "pass")}</auth_results><auth_results>${spf("fail")}` }),
    { dkimResults: [{ result: "pass" }], spfResults: [{ result: "fail" }] },
    { clean: true },
  ),
  one(
    "two-rows",
    record({ count: "4" }).replace("</row>", "</row><row><count>5</count></row>"),
    { count: 4 },
    {
      warnings: ["duplicate_element record[0]/row"],
    },
  ),
  one("auth-results-empty", record(), { dkimResults: [], spfResults: [] }, { clean: true }),
  one("auth-results-missing", record().replace("<auth_results></auth_results>", ""), {
    dkimResults: [],
    spfResults: [],
  }),
  one(
    "identifiers-missing",
    record().replace(/<identifiers>.*<\/identifiers>/, ""),
    { headerFrom: "" },
    { warnings: ["missing_value record[0]/identifiers/header_from"] },
  ),
  {
    // Of the same shape as the one before it.
    file: "records/header-from-empty.xml",
    content: withRecords(
      record({ identifiers: "<header_from>acme.example</header_from>" }),
      record({ identifiers: "<header_from></header_from>" }),
    ),
    want: {
      records: [{ headerFrom: "acme.example" }, { headerFrom: "" }],
      warnings: ["missing_value record[1]/identifiers/header_from"],
    },
  },
  one("header-from-mixed-case", record({ identifiers: "<header_from>Mail.ACME.example.</header_from>" }), {
    headerFrom: "mail.acme.example",
  }),
  one(
    "envelope-from-and-to",
    record({
      identifiers:
        "<envelope_to>Rcpt.example</envelope_to><envelope_from></envelope_from><header_from>acme.example</header_from>",
    }),
    { envelopeFrom: "", envelopeTo: "rcpt.example" },
  ),
  one(
    "every-field-but-the-address-empty",
    "<record><row><source_ip>192.0.2.1</source_ip><count>0</count><policy_evaluated><disposition/><dkim/><spf/></policy_evaluated></row><identifiers><header_from/></identifiers><auth_results><dkim><domain/><result/></dkim></auth_results></record>",
    { count: 0, dkim: "unknown" },
    { report: { totals: { passed: 0 } } },
  ),
  one(
    "unknown-elements",
    record().replace("</row>", "<asn>64496</asn></row><geo>nl</geo>"),
    { count: 1 },
    { warnings: ["unknown_element record[0]/row/asn", "unknown_element record[0]/geo"] },
  ),
  {
    file: "records/long-value-is-cut.xml",
    content: changed(["<header_from>acme.example<", `<header_from>${"a".repeat(9000)}<`]),
    want: { records: [{ headerFrom: "a".repeat(8192) }] },
  },
  {
    file: "records/elements-in-any-order.xml",
    content: ORDINARY.replace(
      /(<row>[\s\S]*?<\/row>)\s*(<identifiers>.*?<\/identifiers>)\s*(<auth_results>[\s\S]*?<\/auth_results>)/,
      "$3$2$1",
    ),
    want: { records: [{ count: 7, dkim: "pass", headerFrom: "acme.example" }] },
  },
];
