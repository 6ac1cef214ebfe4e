/** Support: aggregate reports as text, with the figures a test wants. */

export interface SampleRecord {
  sourceIp: string;
  count: number;
  pass: boolean;
}

export interface SampleReport {
  reportId?: string;
  orgName?: string;
  domain?: string;
  records?: SampleRecord[];
  /** Seconds since 1970 UTC. */
  period?: [begin: number, end: number];
}

const RECORDS: SampleRecord[] = [
  { sourceIp: "192.0.2.1", count: 5, pass: true },
  { sourceIp: "192.0.2.1", count: 2, pass: false },
  { sourceIp: "2001:db8::1", count: 1, pass: true },
];

/** A report of 3 records, 8 messages, 6 passed, 2 sources by default. */
export function sampleReport(given: SampleReport = {}): string {
  const { reportId = "id-1", orgName = "Reporter", domain = "acme.example", records = RECORDS } = given;
  const [begin, end] = given.period ?? [1_700_000_000, 1_700_086_399];
  return `<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <report_metadata><org_name>${orgName}</org_name><email>dmarc@reporter.example</email><report_id>${reportId}</report_id>
    <date_range><begin>${begin}</begin><end>${end}</end></date_range></report_metadata>
  <policy_published><domain>${domain}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
${records.map(sampleRecord).join("\n")}
</feedback>
`;
}

function sampleRecord({ sourceIp, count, pass }: SampleRecord): string {
  const result = pass ? "pass" : "fail";
  return `  <record><row><source_ip>${sourceIp}</source_ip><count>${count}</count>
    <policy_evaluated><disposition>none</disposition><dkim>${result}</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>acme.example</header_from></identifiers>
    <auth_results><dkim><domain>acme.example</domain><selector>s</selector><result>${result}</result></dkim></auth_results></record>`;
}

/** A mail with these attachments, base64, lines ending in CRLF. */
export function sampleMail(attachments: { name: string; content: Uint8Array }[]): Buffer {
  const parts = attachments.map(({ name, content }) =>
    [
      "--b",
      "Content-Type: application/octet-stream",
      `Content-Disposition: attachment; filename="${name}"`,
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(content).toString("base64"),
    ].join("\r\n"),
  );
  const head =
    "From: a@reporter.example\r\nTo: dmarc@acme.example\r\nSubject: Report\r\nMessage-ID: <1@reporter.example>\r\n";
  const body = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join("\r\n")}\r\n--b--\r\n`;
  return Buffer.from(head + body);
}

/** A TLS report about one domain and day (`YYYY-MM-DD`): five sessions, and one that failed. */
export function sampleTlsReport(domain: string, day: string): string {
  return JSON.stringify({
    "organization-name": "Sender",
    "date-range": { "start-datetime": `${day}T00:00:00Z`, "end-datetime": `${day}T23:59:59Z` },
    "contact-info": "tls@reporter.example",
    "report-id": day,
    policies: [
      {
        policy: { "policy-type": "sts", "policy-domain": domain },
        summary: { "total-successful-session-count": 5, "total-failure-session-count": 1 },
      },
    ],
  });
}
