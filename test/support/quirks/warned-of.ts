/** Support: elements and members that occur twice, hold others or have unknown values: each is a warning, none is ignored. */
import { COVER_TEXT, multipartMail, part, simpleMail } from "../mails.ts";
import { changed } from "../report-xml.ts";
import type { Quirk, Wanted } from "./quirk.ts";

const EVALUATED = "<spf>fail</spf></policy_evaluated>";
const DOMAIN = "<dkim><domain>acme.example</domain>";
const reason = (content: string): string =>
  changed([EVALUATED, `<spf>fail</spf><reason>${content}</reason></policy_evaluated>`]);
const of = (file: string, content: string, want: Wanted): Quirk => ({ file, content, want });

const elements: Quirk[] = [
  of(
    "records/header-from-twice.xml",
    changed([
      "<header_from>acme.example</header_from>",
      "<header_from>acme.example</header_from><header_from>b.example</header_from>",
    ]),
    { records: [{ headerFrom: "acme.example" }], warnings: ["duplicate_element record[0]/identifiers/header_from"] },
  ),
  ...(
    [
      ["address", "someone@acme.example", "acme.example"],
      ["address-in-brackets", "&lt;someone@Acme.example&gt;", "acme.example"],
      ["no-name", "Acme, Inc. (sales)", "acme, inc. (sales)"],
      ["label-too-empty", "acme..example", "acme..example"],
    ] as const
  ).map(([name, text, headerFrom]) =>
    of(`records/header-from-${name}.xml`, changed(["<header_from>acme.example", `<header_from>${text}`]), {
      records: [{ headerFrom }],
      warnings: ["invalid_value record[0]/identifiers/header_from"],
    }),
  ),
  of("records/header-from-trailing-dot.xml", changed(["<header_from>acme.example", "<header_from>Acme.Example."]), {
    records: [{ headerFrom: "acme.example" }],
    clean: true,
  }),
  of("records/dkim-domain-twice.xml", changed([DOMAIN, `${DOMAIN}<domain>b.example</domain>`]), {
    warnings: ["duplicate_element record[0]/auth_results/dkim/domain"],
  }),
  of(
    "records/disposition-twice.xml",
    changed(["<disposition>none", "<disposition>none</disposition><disposition>reject"]),
    {
      records: [{ disposition: "none" }],
      warnings: ["duplicate_element record[0]/row/policy_evaluated/disposition"],
    },
  ),
  of("records/reason-of-two-types.xml", reason("<type>forwarded</type><type>local_policy</type>"), {
    records: [{ reasons: [{ type: "forwarded" }] }],
    warnings: ["duplicate_element record[0]/row/policy_evaluated/reason/type"],
  }),
  of("records/reason-written-together.xml", reason("<type>MailingList</type>"), {
    records: [{ reasons: [{ type: "mailing_list", rawType: "MailingList" }] }],
    warnings: ["unknown_value record[0]/row/policy_evaluated/reason/type"],
  }),
  of("records/comment-with-elements.xml", reason("<type>other</type><comment>a <b>bold</b> word</comment>"), {
    warnings: ["unknown_element record[0]/row/policy_evaluated/reason/comment/b"],
  }),
  of("records/ip-after-its-name.xml", changed(["<source_ip>192.0.2.1", "<source_ip>mx.example (192.0.2.1)"]), {
    records: [{ sourceIp: "192.0.2.1" }],
    warnings: ["invalid_value record[0]/row/source_ip"],
  }),
  of("records/ip-spf-spelling.xml", changed(["<source_ip>192.0.2.1", "<source_ip>ip6:2001:DB8::9"]), {
    records: [{ sourceIp: "2001:db8::9" }],
    warnings: ["invalid_value record[0]/row/source_ip"],
  }),
  of("records/ip-two-of-them.xml", changed(["<source_ip>192.0.2.1", "<source_ip>192.0.2.1, 192.0.2.2"]), {
    report: { totals: { records: 1, skippedRecords: 1 } },
    warnings: ["record_skipped record[0]"],
  }),
  of("policy/pct-with-a-sign.xml", changed(["<pct>100</pct>", "<pct>50 %</pct>"]), {
    report: { policy: { pct: 50 } },
    warnings: ["invalid_value policy_published/pct"],
  }),
  ...["yes", "true", "1"].map((word) =>
    of(`rfc9990/testing-${word}.xml`, changed(["<pct>100</pct>", `<testing>${word}</testing>`]), {
      report: { policy: { testing: true } },
      warnings: ["unknown_value policy_published/testing"],
    }),
  ),
  of("rfc9990/testing-unknown.xml", changed(["<pct>100</pct>", "<testing>maybe</testing>"]), {
    report: { policy: { testing: false } },
    warnings: ["unknown_value policy_published/testing"],
  }),
  of("rfc9990/discovery-unknown.xml", changed(["<pct>100</pct>", "<discovery_method>guess</discovery_method>"]), {
    report: { policy: { discoveryMethod: "guess" } },
    warnings: ["unknown_value policy_published/discovery_method"],
  }),
];

const DETAIL = { "result-type": "certificate-expired", "failed-session-count": 3 };
const POLICY = {
  policy: { "policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "acme.example" },
  summary: { "total-successful-session-count": 20, "total-failure-session-count": 3 },
  "failure-details": [DETAIL] as unknown,
};
const tls = (change: object = {}): string =>
  JSON.stringify(
    {
      "organization-name": "Reporter Inc.",
      "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
      "contact-info": "tls@reporter.example",
      "report-id": "told",
      policies: [POLICY],
      ...change,
    },
    null,
    1,
  );
const withDetail = (change: object): string =>
  tls({ policies: [{ ...POLICY, "failure-details": [{ ...DETAIL, ...change }] }] });
const withPolicy = (change: object): string =>
  tls({ policies: [{ ...POLICY, policy: { ...POLICY.policy, ...change } }] });
const sums = (warnings: string[]): Wanted => ({
  report: { kind: "tls", policies: [{ successfulSessionCount: 20, failedSessionCount: 3 }] },
  warnings,
});
const dates = (start: string, end: string): string =>
  tls({ "date-range": { "start-datetime": start, "end-datetime": end } });
const january1 = { report: { beginSeconds: 1_767_225_600 } };

const members: Quirk[] = [
  of("tls/comments.json", `// A report\n${tls().replace("{", "{ /* of // one day */")}`, sums(["repaired_archive "])),
  of(
    "tls/commas-after-the-last.json",
    tls()
      .replace(/\n\s*\]/, ",$&")
      .replace(/\n\}$/, ",$&"),
    sums(["repaired_archive "]),
  ),
  of("tls/comma-and-comment-in-texts.json", tls({ "report-id": "a,} // b /* c */" }).replace(/\n\}$/, ",$&"), {
    report: { reportId: "a,} // b /* c */" },
  }),
  of("tls/single-quotes.json", tls().replaceAll('"', "'"), { problems: ["malformed_json"] }),
  of("tls/names-without-quotes.json", tls().replace(/"([a-z-]+)":/g, "$1:"), { problems: ["malformed_json"] }),
  of("tls/policies-in-a-list-of-lists.json", tls({ policies: [[POLICY], [POLICY]] }), {
    report: { kind: "tls", policies: [{ successfulSessionCount: 20 }, { successfulSessionCount: 20 }] },
  }),
  of("tls/policies-under-numbers.json", tls({ policies: { "0": POLICY, "1": POLICY } }), {
    report: { kind: "tls", policies: [{ successfulSessionCount: 20 }, { successfulSessionCount: 20 }] },
  }),
  of("tls/empty-lists-are-objects.json", tls({ policies: [{ ...POLICY, "failure-details": {} }] }), {
    report: { policies: [{ failureDetails: [] }] },
    clean: true,
  }),
  of("tls/policy-string-is-an-object.json", withPolicy({ "policy-string": { version: "STSv1" } }), {
    ...sums(["invalid_value policies[0]/policy/policy-string"]),
  }),
  of("tls/mx-hosts-are-objects.json", withPolicy({ "mx-host": [{ name: "mx.example" }] }), {
    ...sums(["invalid_value policies[0]/policy/mx-host"]),
  }),
  of("tls/policy-type-missing.json", withPolicy({ "policy-type": undefined }), {
    ...sums(["missing_value policies[0]/policy/policy-type"]),
  }),
  of("tls/policy-type-unknown.json", withPolicy({ "policy-type": "DANE" }), {
    ...sums(["unknown_value policies[0]/policy/policy-type"]),
  }),
  of("tls/result-type-missing.json", withDetail({ "result-type": undefined }), {
    ...sums(["missing_value policies[0]/failure-details[0]/result-type"]),
  }),
  of("tls/addresses-in-a-list.json", withDetail({ "sending-mta-ip": ["192.0.2.1", "192.0.2.2"] }), {
    report: { policies: [{ failureDetails: [{ sendingMtaIp: "192.0.2.1, 192.0.2.2" }] }] },
    warnings: ["invalid_value policies[0]/failure-details[0]/sending-mta-ip"],
  }),
  of("tls/domains-in-a-list.json", withPolicy({ "policy-domain": ["acme.example", "b.example"] }), {
    problems: ["missing_domain"],
  }),
  of("tls/dates-in-basic-format.json", dates("20260101T000000Z", "20260101T235959Z"), january1),
  of("tls/dates-with-slashes.json", dates("2026/1/1 00:00:00", "2026/01/01 23:59:59"), january1),
  of("tls/dates-zone-of-go.json", dates("2026-01-01 00:00:00 +0000 UTC", "2026-01-01 23:59:59 +0000 UTC"), january1),
];

const FIELDS = [
  "Feedback-Type: auth-failure",
  "Version: 1",
  "User-Agent: Reporter/1",
  "Source-IP: 192.0.2.7",
  "Reported-Domain: acme.example",
  "Auth-Failure: dmarc",
];
const NOTE = part({ type: "text/plain", content: "This is an authentication failure report." });
const ORIGINAL = "From: Someone <a@acme.example>\r\nSubject: hello\r\nMessage-ID: <1@acme.example>\r\n";
const ORIGINAL_PART = part({ type: "text/rfc822-headers", content: ORIGINAL });
const arf = (fields: readonly string[], original = ORIGINAL_PART, lineEnd = "\r\n"): Uint8Array =>
  multipartMail(
    [NOTE, part({ type: "message/feedback-report", content: `${fields.join(lineEnd)}${lineEnd}` }), original],
    "report; report-type=feedback-report",
  );
const without = (name: string): string[] => FIELDS.filter((field) => !field.startsWith(name));
const said = {
  report: { kind: "failure", reportedDomain: "acme.example", sourceIp: "192.0.2.7", authFailure: "dmarc" },
};
const failure = (file: string, content: Uint8Array, warnings: string[] = []): Quirk => ({
  file: `failure/${file}.eml`,
  content,
  want: { ...said, warnings },
});

const failures: Quirk[] = [
  failure("fields-end-in-carriage-returns", arf(FIELDS, ORIGINAL_PART, "\r")),
  failure(
    "fields-with-underscores",
    arf(FIELDS.map((field) => field.replace(/^[^:]+/, (name) => name.replaceAll("-", "_")))),
  ),
  failure("reported-domain-twice", arf([...FIELDS, "Reported-Domain: b.example"]), [
    "duplicate_element reported-domain",
  ]),
  failure("auth-failure-is-a-list", arf([...without("Auth-Failure"), "Auth-Failure: dmarc, spf"]), [
    "invalid_value auth-failure",
  ]),
  failure("source-ip-two-of-them", arf([...without("Source-IP"), "Source-IP: 192.0.2.7, 192.0.2.8"]), [
    "invalid_value Source-IP",
  ]),
  failure("original-as-text", arf(without("Reported-Domain"), part({ type: "text/plain", content: ORIGINAL })), [
    "missing_value Reported-Domain",
  ]),
  failure(
    "original-as-message-headers",
    arf(without("Reported-Domain"), part({ type: "message/rfc822-headers", content: ORIGINAL })),
    ["missing_value Reported-Domain"],
  ),
  failure(
    "original-from-with-comment",
    arf(
      without("Reported-Domain"),
      part({ type: "text/rfc822-headers", content: ORIGINAL.replace("example>", "example> (via x@b.example)") }),
    ),
    ["missing_value Reported-Domain"],
  ),
  failure(
    "fields-in-utf-16",
    multipartMail(
      [
        NOTE,
        part({
          type: "message/feedback-report; charset=utf-16",
          encoding: "base64",
          content: new Uint8Array(Buffer.from(`\ufeff${FIELDS.join("\r\n")}`, "utf16le")),
        }),
        ORIGINAL_PART,
      ],
      "report; report-type=feedback-report",
    ),
  ),
  failure(
    "fields-in-the-letter",
    simpleMail({ type: "text/plain", content: `A failure report.\r\n\r\n${FIELDS.join("\r\n")}\r\n\r\n${ORIGINAL}` }),
  ),
  failure(
    "fields-in-the-letter-quoted",
    multipartMail([
      COVER_TEXT,
      fromQuoted(`A failure report.\r\n\r\n${without("Reported-Domain").join("\r\n")}\r\n\r\n${ORIGINAL}`),
    ]),
  ),
];

function fromQuoted(text: string): string {
  return part({
    type: "text/plain",
    content: text
      .split("\r\n")
      .map((line) => `> ${line}`)
      .join("\r\n"),
  });
}

export const warnedOf: Quirk[] = [...elements, ...members, ...failures];
