/** SMTP TLS reports about a domain: how often mail to it could be delivered encrypted, and why not. */
import {
  type TlsDay,
  type TlsFailureTotals,
  type TlsPolicyTotals,
  tlsDaysQuery,
  tlsFailuresQuery,
  tlsPoliciesQuery,
} from "../../../shared/analytics/queries-reports.ts";
import { isoDay } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { formatCount, formatShare, shareOf } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { DayChart } from "../parts/chart-view.tsx";
import { DomainHead, domainCrumbs } from "../parts/domain-frame.tsx";
import { Figure, ShareBar } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { domainScope, type PageRequest, periodOf } from "../parts/request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

/** What the result types of RFC 8460 section 4.3 mean. */
const RESULT_WORDS: Record<string, string> = {
  "starttls-not-supported": "The receiving server did not offer encryption.",
  "certificate-host-mismatch": "The server's certificate is for another name.",
  "certificate-expired": "The server's certificate has expired.",
  "certificate-not-trusted": "No authority the sender trusts signed the certificate.",
  "validation-failure": "Encryption failed for another reason; the code may say which.",
  "tlsa-invalid": "The TLSA record (DANE) does not fit the certificate.",
  "dnssec-invalid": "The DNS answer could not be validated (DNSSEC).",
  "dane-required": "The sender demands DANE and found no TLSA record.",
  "sts-policy-fetch-error": "The MTA-STS policy could not be fetched.",
  "sts-policy-invalid": "The MTA-STS policy could not be read.",
  "sts-webpki-invalid": "The certificate of the MTA-STS web server is not valid.",
};

export async function tlsPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = domainScope(request, domain, period);
  const [days, policies, failures] = await Promise.all([
    request.ask(tlsDaysQuery(scope)),
    request.ask(tlsPoliciesQuery(scope)),
    request.ask(tlsFailuresQuery(scope)),
  ]);
  const tables = [failuresTable(failures), policiesTable(policies)];
  return {
    tables,
    content: {
      title: `TLS reports about ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <DomainHead
            {...{ request, domain, period, tab: "tls", title: `TLS reports about ${domain}` }}
            lead={explain("SMTP TLS report")}
          />
          {policies.length === 0 ? (
            <section class="card">
              <h2>No TLS report about this period</h2>
              <p class="lead">Reports are sent to the address that this record of your domain names:</p>
              <pre>{`_smtp._tls.${domain}  TXT  "v=TLSRPTv1; rua=mailto:dmarc@example.com"`}</pre>
            </section>
          ) : (
            <>
              <Sessions days={days} period={period} domain={domain} />
              {tables.map((table) => table.view(request.url))}
            </>
          )}
        </>
      ),
    },
  };
}

function Sessions({ days, period, domain }: { days: TlsDay[]; period: Period; domain: string }) {
  const known = new Map(days.map((day) => [day.day, day]));
  const filled = Array.from({ length: period.lastDay - period.firstDay + 1 }, (_, i) => {
    const { successful = 0, failed = 0 } = known.get(period.firstDay + i) ?? {};
    return { day: period.firstDay + i, values: { successful, failed } };
  });
  const successful = days.reduce((sum, day) => sum + day.successful, 0);
  const failed = days.reduce((sum, day) => sum + day.failed, 0);
  return (
    <>
      <dl class="figures">
        <Figure label="Sessions" value={formatCount(successful + failed)} />
        <Figure label="Encrypted" value={formatShare(successful, successful + failed)} />
        <Figure label="Failed" value={formatCount(failed)} />
      </dl>
      <section class="card" aria-labelledby="sessions">
        <h2 id="sessions">Sessions by day</h2>
        <DayChart
          id="tls"
          label={`Sessions of mail servers to ${domain} by day: ${formatCount(successful)} encrypted, ${formatCount(failed)} failed.`}
          days={filled}
          series={[
            { name: "successful", label: "Encrypted", look: "pass" },
            { name: "failed", label: "Failed", look: "fail" },
          ]}
          unit="sessions"
        />
      </section>
    </>
  );
}

function failuresTable(rows: TlsFailureTotals[]): BoundTable {
  return bindTable<TlsFailureTotals>({
    id: "failures",
    caption: "Failures",
    rows,
    sort: "-sessions",
    empty: "No sender reported a failure in detail.",
    columns: [
      {
        key: "result",
        label: "What failed",
        value: ({ resultType }) => resultType,
        cell: ({ resultType }) => (
          <span class="stack">
            <span>{resultType}</span>
            <span class="small muted">{RESULT_WORDS[resultType] ?? "A result no standard names."}</span>
          </span>
        ),
      },
      { key: "code", label: "Code", value: ({ failureReasonCode }) => failureReasonCode },
      { key: "sender", label: "Sending server", value: ({ sendingMtaIp }) => sendingMtaIp },
      { key: "receiver", label: "Receiving server", value: ({ receivingMxHostname }) => receivingMxHostname },
      { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter },
      { key: "sessions", label: "Sessions", align: "end", value: ({ sessions }) => sessions },
      { key: "last_seen", label: "Last seen", value: ({ lastDay }) => isoDay(lastDay) },
    ],
  });
}

function policiesTable(rows: TlsPolicyTotals[]): BoundTable {
  return bindTable<TlsPolicyTotals>({
    id: "policies",
    caption: "By reporter and policy",
    rows,
    sort: "-sessions",
    empty: "No policy was reported.",
    columns: [
      { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter },
      { key: "policy", label: "Policy", value: ({ policyType }) => policyType },
      { key: "mx", label: "Servers (MX)", value: ({ mxHosts }) => mxHosts.replaceAll("\n", ", ") },
      { key: "sessions", label: "Sessions", align: "end", value: ({ successful, failed }) => successful + failed },
      {
        key: "encrypted",
        label: "Encrypted",
        align: "end",
        value: ({ successful, failed }) => shareOf(successful, successful + failed),
        cell: ({ successful, failed }) => <ShareBar part={successful} total={successful + failed} />,
      },
      { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
      { key: "last_seen", label: "Last seen", value: ({ lastDay }) => isoDay(lastDay) },
    ],
  });
}
