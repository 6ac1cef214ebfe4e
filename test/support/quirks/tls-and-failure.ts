/** Support: SMTP TLS reports and failure reports. */
import { gzip, toBytes, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipart, multipartMail, part, simpleMail } from "../mails.ts";
import type { Quirk, Wanted } from "./quirk.ts";

const TLS = {
  "organization-name": "Reporter Inc.",
  "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
  "contact-info": "tls@reporter.example",
  "report-id": "2026-01-01T00:00:00Z_acme.example",
  policies: [
    {
      policy: {
        "policy-type": "sts",
        "policy-string": ["version: STSv1", "mode: testing"],
        "policy-domain": "acme.example",
        "mx-host": ["*.acme.example"],
      },
      summary: { "total-successful-session-count": 20, "total-failure-session-count": 3 },
      "failure-details": [
        {
          "result-type": "certificate-expired",
          "sending-mta-ip": "2001:DB8::0:1",
          "receiving-mx-hostname": "mx.acme.example",
          "failed-session-count": 3,
        },
      ],
    },
  ],
};
const [POLICY] = TLS.policies;
const tls = (change: object = {}) => JSON.stringify({ ...TLS, ...change });
const sums = (successfulSessionCount: number, failedSessionCount: number) => ({
  report: { kind: "tls", policies: [{ successfulSessionCount, failedSessionCount }] },
});
const policyWith = (policy: object, more: object = {}) =>
  tls({ policies: [{ ...POLICY, policy: { ...POLICY?.policy, ...policy }, ...more }] });

const tlsReports: Quirk[] = [
  { file: "tls/plain.json", content: tls(), want: { ...sums(20, 3), clean: true } },
  { file: "tls/gzip.json.gz", content: gzip(tls()), want: sums(20, 3) },
  {
    file: "tls/in-mail.eml",
    content: multipartMail(
      [COVER_TEXT, attached(gzip(tls()), "r.json.gz", "application/tlsrpt+gzip")],
      "report; report-type=tlsrpt",
    ),
    want: sums(20, 3),
  },
  { file: "tls/bom.json", content: `\ufeff${tls()}`, want: sums(20, 3) },
  {
    file: "tls/counts-in-strings.json",
    content: policyWith(
      {},
      { summary: { "total-successful-session-count": "20", "total-failure-session-count": " 3 " } },
    ),
    want: sums(20, 3),
  },
  {
    file: "tls/count-negative.json",
    content: policyWith(
      {},
      { summary: { "total-successful-session-count": -4, "total-failure-session-count": { toString: 1 } } },
    ),
    want: {
      ...sums(0, 0),
      warnings: [
        "invalid_value policies[0]/summary/total-successful-session-count",
        "invalid_value policies[0]/summary/total-failure-session-count",
      ],
    },
  },
  {
    file: "tls/counts-missing.json",
    content: policyWith({}, { summary: {} }),
    want: {
      ...sums(0, 3),
      warnings: [
        "missing_value policies[0]/summary/total-successful-session-count",
        "missing_value policies[0]/summary/total-failure-session-count",
      ],
    },
  },
  {
    file: "tls/contact-null.json",
    content: tls({ "contact-info": null }),
    want: { report: { contactInfo: "" }, warnings: ["missing_value contact-info"] },
  },
  {
    file: "tls/no-organization.json",
    content: tls({ "organization-name": undefined }),
    want: { report: { orgName: "reporter.example" } },
  },
  {
    file: "tls/mx-host-is-string.json",
    content: policyWith({ "mx-host": "*.acme.example", "policy-string": "version: STSv1" }),
    want: { report: { policies: [{ mxHosts: ["*.acme.example"], policyStrings: ["version: STSv1"] }] } },
  },
  {
    file: "tls/mx-host-pattern.json",
    content: policyWith({ "mx-host": undefined, "mx-host-pattern": ["mx.acme.example"] }),
    want: { report: { policies: [{ mxHosts: ["mx.acme.example"] }] } },
  },
  {
    file: "tls/policy-domain-missing.json",
    content: policyWith({ "policy-domain": undefined }),
    want: { problems: ["missing_domain"] },
  },
  {
    file: "tls/policy-domain-trailing-dot.json",
    content: policyWith({ "policy-domain": "ACME.example." }),
    want: { report: { policies: [{ policyDomain: "acme.example" }] } },
  },
  {
    file: "tls/a-null-among-policies.json",
    content: tls({ policies: [null, POLICY] }),
    want: { ...sums(20, 3), warnings: ["invalid_value policies[0]"] },
  },
  ...["list", "lines", "one-after-the-other", "wrapped"].map((form): Quirk => {
    const two = [tls(), tls({ "report-id": "second" })];
    const texts: Record<string, string> = {
      list: `[${two.join(",")}]`,
      lines: `${two.join("\n")}\n`,
      "one-after-the-other": two.join(""),
      wrapped: `{"reports":[${two.join(",")}]}`,
    };
    return { file: `tls/two-reports-${form}.json`, content: texts[form] ?? "", want: { ...sums(20, 3), reports: 2 } };
  }),
  {
    file: "tls/empty-list-in-mail.eml",
    content: multipartMail([COVER_TEXT, attached("[]", "r.json", "application/tlsrpt+json")]),
    want: { problems: ["not_a_report"] },
  },
  {
    file: "tls/one-of-two-without-dates.json",
    content: `[${tls()},${tls({ "date-range": {}, "report-id": "second" })}]`,
    want: { ...sums(20, 3), reports: 1, problems: ["missing_dates"] },
  },
  {
    file: "tls/second-report-is-cut.json",
    content: `${tls()}\n${tls().slice(0, -20)}`,
    want: { problems: ["malformed_json"] },
  },
  {
    file: "tls/text-after-the-end.json",
    content: `${tls()}\r\n--\r\n\0`,
    want: { ...sums(20, 3), warnings: ["repaired_archive "] },
  },
  {
    file: "tls/line-end-within-a-text.json",
    content: tls().replace("Reporter Inc.", "Reporter\nInc."),
    want: { report: { orgName: "Reporter Inc." } },
  },
  {
    file: "tls/latin1.json",
    content: Uint8Array.from(tls({ "organization-name": "Caf\u00e9" }), (char) => char.charCodeAt(0)),
    want: { report: { orgName: "Caf\u00e9" }, warnings: ["repaired_encoding "] },
  },
  {
    // JSON.parse keeps the last one and says nothing.
    file: "tls/count-stands-twice.json",
    content: tls().replace(/("total-successful-session-count"):20/, "$1:500,$1:20"),
    want: { ...sums(20, 3), warnings: ["duplicate_element total-successful-session-count"] },
  },
  {
    file: "tls/details-within-summary.json",
    content: policyWith(
      {},
      { summary: { ...POLICY?.summary, "failure-details": POLICY?.["failure-details"] }, "failure-details": undefined },
    ),
    want: { report: { policies: [{ failedSessionCount: 3, failureDetails: [{ failedSessionCount: 3 }] }] } },
  },
  {
    file: "tls/policy-domain-is-a-list.json",
    content: policyWith({ "policy-domain": ["acme.example"] }),
    want: { report: { policies: [{ policyDomain: "acme.example" }] } },
  },
  ...[
    // RFC 3339 allows any number of digits.
    ["fraction-of-twelve-digits", "2026-01-01T00:00:00.123456789012Z", "2026-01-01T23:59:59.999999999999Z"],
    ["offset-of-hours", "2026-01-01T00:00:00+00", "2026-01-01T23:59:59+00"],
    ["seconds-since-1970", 1_767_225_600, 1_767_311_999],
    ["milliseconds-since-1970", 1_767_225_600_000, 1_767_311_999_000],
    ["zone-of-java", "2026-01-01T00:00:00Z[UTC]", "2026-01-01T23:59:59Z[UTC]"],
  ].map(
    ([name, start, end]): Quirk => ({
      file: `tls/dates-${name}.json`,
      content: tls({ "date-range": { "start-datetime": start, "end-datetime": end } }),
      want: { report: { beginSeconds: 1_767_225_600, endSeconds: 1_767_311_999 } },
    }),
  ),
  {
    file: "tls/dates-beside-the-rest.json",
    content: tls({ ...TLS["date-range"], "date-range": undefined }),
    want: { report: { beginSeconds: 1_767_225_600, endSeconds: 1_767_311_999 } },
  },
  {
    file: "tls/dates-reversed.json",
    content: tls({
      "date-range": { "start-datetime": "2026-01-02T00:00:00Z", "end-datetime": "2026-01-01T00:00:00Z" },
    }),
    want: { warnings: ["invalid_value date-range"] },
  },
  ...[
    ["header-in-brackets", "TLS-Report-Domain: <ACME.example> (our)", "r.json.gz"],
    ["header-empty-file-named", 'TLS-Report-Domain: ""', "reporter.example!acme.example!1767225600!1767311999.json.gz"],
    ["archive-named", "X-Other: 1", "reporter.example!acme.example!1767225600!1767311999.zip"],
  ].map(([name, header = "", fileName = ""]): Quirk => {
    const report = policyWith({ "policy-domain": undefined });
    const content = fileName.endsWith(".zip") ? zip([{ name: "report.json", content: report }]) : gzip(report);
    return {
      file: `tls/domain-of-${name}.eml`,
      content: fromBinary(`${header}\r\n${binary(multipartMail([COVER_TEXT, attached(content, fileName)]))}`),
      want: { report: { policies: [{ policyDomain: "acme.example" }] } },
    };
  }),
  { file: "tls/policies-is-an-object.json", content: tls({ policies: POLICY }), want: sums(20, 3) },
  {
    file: "tls/policy-and-summary-are-lists.json",
    content: tls({ policies: [{ ...POLICY, policy: [POLICY?.policy], summary: [POLICY?.summary] }] }),
    want: { ...sums(20, 3), warnings: ["invalid_value policies[0]/policy", "invalid_value policies[0]/summary"] },
  },
  {
    file: "tls/policies-are-called-policy.json",
    content: tls({ policies: undefined, policy: [POLICY, POLICY] }),
    want: {
      report: {
        policies: [
          { policyDomain: "acme.example", successfulSessionCount: 20 },
          { policyDomain: "acme.example", failedSessionCount: 3 },
        ],
      },
      warnings: ["unknown_element policy"],
    },
  },
  {
    file: "tls/draft-with-a-list-of-one.json",
    content: tls({ policies: undefined, policy: [POLICY?.policy], summary: POLICY?.summary }),
    want: { ...sums(20, 3), warnings: ["invalid_value policy"] },
  },
  {
    file: "tls/unknown-result-type.json",
    content: policyWith({}, { "failure-details": [{ "result-type": "Quantum-Flux", "failed-session-count": 1 }] }),
    want: { report: { policies: [{ failureDetails: [{ resultType: "quantum-flux", sendingMtaIp: "" }] }] } },
  },
  {
    file: "tls/dates-without-zone.json",
    content: tls({
      "date-range": { "start-datetime": "2026-01-01T00:00:00", "end-datetime": "2026-01-01T23:59:59+00:00" },
    }),
    want: { report: { beginSeconds: 1_767_225_600, endSeconds: 1_767_311_999 } },
  },
  {
    file: "tls/control-characters.json",
    content: tls({ "organization-name": "Re\u0000por\u001bter\ud800" }),
    want: { report: { orgName: "Reporter\ufffd" } },
  },
  {
    file: "tls/proto-members.json",
    content: tls().replace("{", '{"__proto__":{"policies":[]},"constructor":1,'),
    want: sums(20, 3),
  },
  {
    file: "tls/dates-missing.json",
    content: tls({ "date-range": { "start-datetime": "today" } }),
    want: { problems: ["missing_dates"] },
  },
  { file: "tls/dates-left-out.json", content: tls({ "date-range": undefined }), want: { problems: ["missing_dates"] } },
  { file: "tls/dates-null.json", content: tls({ "date-range": null }), want: { problems: ["missing_dates"] } },
  {
    file: "tls/neither-organization-nor-id.json",
    content: tls({ "organization-name": undefined, "report-id": undefined }),
    want: {
      report: { ...sums(20, 3).report, orgName: "reporter.example", reportId: "" },
      warnings: ["missing_value organization-name", "missing_value report-id"],
    },
  },
  { file: "tls/truncated.json", content: tls().slice(0, 200), want: { problems: ["malformed_json"] } },
  { file: "tls/other-json.json", content: '{"hello":["world"]}', want: { problems: ["not_a_report"] } },
];

const FIELDS = [
  "Feedback-Type: auth-failure",
  "User-Agent: Reporter/1.0",
  "Version: 1",
  "Original-Mail-From: <bounce+42@mail.acme.example>",
  "Original-Rcpt-To: <person@receiver.example>",
  "Arrival-Date: 8 Oct 2023 20:15:58 -0500 (CDT)",
  "Source-IP: 192.0.2.1",
  "Reported-Domain: ACME.example",
  "Reporting-MTA: dns; mx.receiver.example",
  "Auth-Failure: dmarc (really)",
  "Identity-Alignment: dkim, spf",
  "Delivery-Result: reject",
  "DKIM-Domain: acme.example; other.example",
  "DKIM-Selector: s1",
  "Incidents: 4",
];
const HEADER = "From: Person <person@acme.example>\r\nTo: secret@receiver.example\r\nSubject: private matter\r\n";
const feedback = (
  fields: string[],
  original = part({ type: "text/rfc822-headers", content: HEADER }),
  encoding: "7bit" | "base64" = "7bit",
) => [
  part({ type: "text/plain", content: "An authentication failure." }),
  part({ type: "message/feedback-report", encoding, content: `${fields.join("\r\n")}\r\n` }),
  original,
];
const arf = (...args: Parameters<typeof feedback>) =>
  multipartMail(feedback(...args), "report; report-type=feedback-report");
const without = (name: string) => FIELDS.filter((line) => !line.startsWith(name));
const facts: Wanted = {
  report: {
    kind: "failure",
    reportedDomain: "acme.example",
    sourceIp: "192.0.2.1",
    authFailure: "dmarc",
    arrivalSeconds: 1_696_814_158,
    deliveryResult: "reject",
    identityAlignment: "dkim, spf",
    dkimDomain: "acme.example",
    mailFromDomain: "mail.acme.example",
    reportingMta: "mx.receiver.example",
    incidents: 4,
  },
};
const failure = (report: object, more: Wanted = {}): Wanted => ({ report: { kind: "failure", ...report }, ...more });
const EXIM = `A message claiming to be from you has failed the published DMARC policy for your domain.

  Sender Domain: acme.example
  Sender IP Address: 192.0.2.68
  Received date: Mon, 07 Apr 2025 23:16:09 +0200
  SPF Alignment: no
  DKIM Alignment: no
  DMARC Results: None, Accept

------ This is a copy of the headers that were received before the error was detected.

From: <user@acme.example>
`;

const failures: Quirk[] = [
  { file: "failure/rfc6591.eml", content: arf(FIELDS), want: { ...facts, clean: true } },
  {
    file: "failure/base64-part-in-mixed.eml",
    content: multipartMail(feedback(FIELDS, undefined, "base64"), "mixed"),
    want: facts,
  },
  {
    file: "failure/whole-original-mail.eml",
    content: arf(FIELDS, part({ type: "message/rfc822", content: `${HEADER}\r\nvery private\r\n` })),
    want: facts,
  },
  {
    file: "failure/original-holds-a-report.eml",
    content: arf(
      FIELDS,
      part({ type: "message/rfc822", content: multipartMail([COVER_TEXT, attached(gzip("<feedback/>"), "r.xml.gz")]) }),
    ),
    want: facts,
  },
  {
    file: "failure/smime-signed.eml",
    content: multipartMail(
      [
        multipart(feedback(FIELDS), "report; report-type=feedback-report"),
        attached(Uint8Array.from([0x30, 0x82]), "smime.p7s", "application/pkcs7-signature"),
      ],
      "signed",
    ),
    want: facts,
  },
  {
    file: "failure/forwarded.eml",
    content: multipartMail([part({ type: "message/rfc822", content: arf(FIELDS) })]),
    want: facts,
  },
  {
    file: "failure/netease-no-auth-failure.eml",
    content: arf(without("Auth-Failure")),
    want: failure({ authFailure: "", reportedDomain: "acme.example" }, { warnings: ["missing_value Auth-Failure"] }),
  },
  {
    file: "failure/no-reported-domain.eml",
    content: arf(without("Reported-Domain")),
    want: failure({ reportedDomain: "acme.example" }, { warnings: ["missing_value Reported-Domain"] }),
  },
  {
    file: "failure/source-ip-with-comment.eml",
    content: arf([...without("Source-IP"), "Source-IP: IPv6:2001:DB8:0::1 (mx.example)"]),
    want: failure({ sourceIp: "2001:db8::1" }),
  },
  {
    file: "failure/source-ip-missing.eml",
    content: arf(without("Source-IP")),
    want: failure({ sourceIp: "" }, { warnings: ["missing_value Source-IP"] }),
  },
  {
    file: "failure/null-mail-from.eml",
    content: arf([...without("Original-Mail-From"), "Original-Mail-From: <>"]),
    want: failure({ mailFromDomain: "" }),
  },
  {
    file: "failure/received-date-unzoned.eml",
    content: arf([...without("Arrival-Date"), "Received-Date: Sun, 8 Oct 2023 20:15:58"]),
    want: failure({ arrivalSeconds: 1_696_796_158 }),
  },
  {
    file: "failure/date-is-no-date.eml",
    content: arf([...without("Arrival-Date"), "Arrival-Date: yesterday"]),
    want: failure({ arrivalSeconds: null, arrivalDate: "yesterday" }),
  },
  {
    file: "failure/hostile-values.eml",
    content: arf([
      ...without("Reported-Domain"),
      "Reported-Domain: <script>alert(1)</script>",
      "Constructor: x",
      "__proto__: y",
    ]),
    want: failure({ reportedDomain: "acme.example" }),
  },
  {
    file: "failure/exim-plain-text.eml",
    content: simpleMail({ type: "text/plain", content: EXIM }),
    want: failure({
      reportedDomain: "acme.example",
      sourceIp: "192.0.2.68",
      arrivalSeconds: 1_744_060_569,
      authFailure: "dmarc",
    }),
  },
  {
    file: "failure/abuse-is-none.eml",
    content: arf(["Feedback-Type: abuse", ...FIELDS.slice(1, 9)]),
    want: { problems: ["not_a_report"] },
  },
  {
    file: "failure/bounce-is-none.eml",
    content: multipartMail(
      [
        COVER_TEXT,
        part({
          type: "message/delivery-status",
          content: toBytes("Reporting-MTA: dns; x.example\r\n\r\nAction: failed\r\n"),
        }),
        part({ type: "text/rfc822-headers", content: fromBinary(HEADER) }),
      ],
      "report; report-type=delivery-status",
    ),
    want: { problems: ["delivery_notice"] },
  },
];

export const tlsAndFailure: Quirk[] = [...tlsReports, ...failures];
