/** Support: the text of aggregate reports, for fixtures that change one thing about an ordinary one. */

/** An ordinary report of two records: 12 messages, 7 of them passed. Every value is from documentation ranges. */
export const ORDINARY = `<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>Reporter</org_name>
    <email>dmarc@reporter.example</email>
    <extra_contact_info>https://reporter.example/dmarc</extra_contact_info>
    <report_id>ordinary.1</report_id>
    <date_range><begin>1700000000</begin><end>1700086399</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>acme.example</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>quarantine</sp><pct>100</pct><fo>0</fo>
  </policy_published>
  <record>
    <row><source_ip>192.0.2.1</source_ip><count>7</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>acme.example</header_from></identifiers>
    <auth_results><dkim><domain>acme.example</domain><selector>s1</selector><result>pass</result></dkim>
      <spf><domain>bounce.example</domain><scope>mfrom</scope><result>pass</result></spf></auth_results>
  </record>
  <record>
    <row><source_ip>2001:db8::1</source_ip><count>5</count>
      <policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>acme.example</header_from></identifiers>
    <auth_results><spf><domain>spoof.example</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results>
  </record>
</feedback>
`;

/** The ordinary report with texts replaced, the first place each. @throws when a text is not there: the fixture is stale */
export function changed(...changes: [from: string | RegExp, to: string][]): string {
  return changes.reduce((xml, [from, to]) => {
    const next = xml.replace(from, () => to);
    if (next === xml) throw new Error(`the ordinary report does not hold ${from}`);
    return next;
  }, ORDINARY);
}

/** The ordinary report under another id, for files with several. */
export function numbered(id: string): string {
  return changed(["ordinary.1", id]);
}

/** The ordinary report with these records for its own. */
export function withRecords(...records: string[]): string {
  const from = ORDINARY.indexOf("  <record>");
  const to = ORDINARY.indexOf("</feedback>");
  return `${ORDINARY.slice(0, from)}${records.join("\n")}\n${ORDINARY.slice(to)}`;
}

/** A record of one message; `row`, `evaluated`, `identifiers` and `auth` are XML in the place of the ordinary. */
export function record(
  given: { ip?: string; count?: string; evaluated?: string; identifiers?: string; auth?: string } = {},
): string {
  const evaluated = given.evaluated ?? "<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>";
  return `<record><row><source_ip>${given.ip ?? "192.0.2.9"}</source_ip><count>${given.count ?? "1"}</count><policy_evaluated>${evaluated}</policy_evaluated></row>
<identifiers>${given.identifiers ?? "<header_from>acme.example</header_from>"}</identifiers>
<auth_results>${given.auth ?? ""}</auth_results></record>`;
}
