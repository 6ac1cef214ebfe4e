/** Support: small aggregate reports about one day, as text. */

const DAY_SECONDS = 86_400;

/** Who sent how much on a day, and what became of it. */
export interface DaySender {
  ip: string;
  count: number;
  /** Domain that DKIM passes for; aligned if it is the report's. */
  signedBy: string;
  disposition?: "none" | "reject";
  /** DKIM does not pass. */
  isBroken?: boolean;
}

/** A report about one day (days since 1970-01-01 UTC). */
export function dayReport(given: { reportId: string; domain: string; day: number; senders: DaySender[] }): string {
  const { reportId, domain, day, senders } = given;
  const records = senders.map(({ ip, count, signedBy, disposition = "none", isBroken = false }) => {
    const result = isBroken ? "fail" : "pass";
    const auth = `<dkim><domain>${signedBy}</domain><selector>s1</selector><result>${result}</result></dkim>`;
    const spf = `<spf><domain>${signedBy}</domain><result>pass</result></spf>`;
    const isPass = signedBy === domain && !isBroken;
    const text = record({ ip, count, isPass, domain, auth: isBroken ? auth + spf : auth });
    return text.replace("<disposition>none<", `<disposition>${disposition}<`);
  });
  return feedback({ org: "Good Reporter", reportId, domain, records, beginSeconds: day * DAY_SECONDS });
}

/** A whole report. */
export function feedback(given: {
  org: string;
  reportId: string;
  domain: string;
  records: string[];
  beginSeconds: number;
}): string {
  const { beginSeconds } = given;
  const range = `<begin>${beginSeconds}</begin><end>${beginSeconds + DAY_SECONDS - 1}</end>`;
  return `<?xml version="1.0"?><feedback><report_metadata><org_name>${given.org}</org_name><email>a@reporter.example</email>
<report_id>${given.reportId}</report_id><date_range>${range}</date_range></report_metadata>
<policy_published><domain>${given.domain}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
${given.records.join("\n")}</feedback>`;
}

/** One record; it fails SPF. @param given.auth elements of `auth_results` */
export function record(given: { ip: string; count: number; isPass: boolean; domain: string; auth: string }): string {
  const dkim = given.isPass ? "pass" : "fail";
  return `<record><row><source_ip>${given.ip}</source_ip><count>${given.count}</count><policy_evaluated>
<disposition>none</disposition><dkim>${dkim}</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>${given.domain}</header_from></identifiers><auth_results>${given.auth}</auth_results></record>`;
}
