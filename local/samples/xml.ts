/** Writes one sample report as XML, after RFC 7489 or RFC 9990. Its values are the samples' own, free of markup. */
import type { SamplePolicy, SampleReporter, SampleSource } from "./data.ts";

export interface SampleRow {
  source: SampleSource;
  ip: string;
  count: number;
}

export interface SampleReport {
  domain: string;
  policy: SamplePolicy;
  reporter: SampleReporter;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  rows: SampleRow[];
}

/** The report as a document. */
export function sampleReportXml(report: SampleReport): string {
  const { domain, policy, reporter, reportId, beginSeconds, endSeconds, rows } = report;
  const root = reporter.rfc9990 ? '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">' : "<feedback>";
  return `<?xml version="1.0" encoding="UTF-8"?>
${root}
  <version>1.0</version>
  <report_metadata>
    <org_name>${reporter.orgName}</org_name>
    <email>${reporter.email}</email>
    <report_id>${reportId}</report_id>
    <date_range>
      <begin>${beginSeconds}</begin>
      <end>${endSeconds}</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>${domain}</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>${policy.p}</p>
    <sp>${policy.sp}</sp>
    ${reporter.rfc9990 ? `<np>${policy.np}</np>\n    <testing>n</testing>` : "<pct>100</pct>"}
  </policy_published>
${rows.map((row) => recordXml(row, report)).join("")}</feedback>
`;
}

function recordXml({ source, ip, count }: SampleRow, { policy, reporter }: SampleReport): string {
  const { dkim, spf, headerFrom, envelopeFrom, dkimResults, spfResult } = source;
  const isAsked = dkim !== "pass" && spf !== "pass" && policy.p !== "none";
  // Nothing is overridden where nothing is asked.
  const reason = isAsked ? source.reason : undefined;
  // RFC 9990 has a separate word for mail that passed an enforcing policy.
  const accepted = reporter.rfc9990 && policy.p !== "none" && !isAsked ? "pass" : "none";
  const disposition = isAsked && reason === undefined ? policy.p : accepted;
  const reasonXml =
    reason === undefined ? "" : `<reason><type>${reason.type}</type><comment>${reason.comment}</comment></reason>`;
  const dkimXml = dkimResults.map(
    (r) => `<dkim><domain>${r.domain}</domain><selector>${r.selector}</selector><result>${r.result}</result></dkim>`,
  );
  const spfXml = `<spf><domain>${spfResult.domain}</domain><scope>mfrom</scope><result>${spfResult.result}</result></spf>`;
  return `  <record>
    <row>
      <source_ip>${ip}</source_ip>
      <count>${count}</count>
      <policy_evaluated><disposition>${disposition}</disposition><dkim>${dkim}</dkim><spf>${spf}</spf>${reasonXml}</policy_evaluated>
    </row>
    <identifiers><envelope_from>${envelopeFrom}</envelope_from><header_from>${headerFrom}</header_from></identifiers>
    <auth_results>${dkimXml.join("")}${spfXml}</auth_results>
  </record>
`;
}
