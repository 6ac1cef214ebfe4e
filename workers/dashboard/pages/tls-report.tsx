/** One SMTP TLS report whole: who sent it, each policy with its sessions, every failure with what it means. */
import type { TlsFigure } from "../../../shared/ledger/figures.ts";
import { reportRowsQuery, type StoredReport } from "../../../shared/ledger/report-list.ts";
import { TLS_LIMITS, tlsReportFailuresQuery } from "../../../shared/ledger/tls.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { shareWithBar } from "../parts/columns.tsx";
import { FirstOf, ForeignText, Name } from "../parts/foreign-text.tsx";
import { limitNote, Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { ReportHead, reportCrumbs, reportPairs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { MoreInDetails, SessionFigures, tlsPolicyColumn, tlsResultColumn } from "./tls-parts.tsx";

export async function tlsReportPage(request: PageRequest, stored: Stored<"tls">): Promise<PageResult> {
  const { report, details } = stored;
  const { domain } = report;
  const [sender, day] = [report.reporter || "an unnamed sender", isoDay(dayOfSeconds(report.beginSeconds))];
  const rows = await allRows(request, stored);
  const failures = await Promise.all(rows.map((row) => request.ask(tlsReportFailuresQuery(row))));
  const shown = new Set(rows.map((row) => row.domain));
  const reasons = allFailures(failures.flat());
  const tables = [policiesTable(allPolicies(rows)), detailsTable(reasons)];
  const detailed = reasons.reduce((sum, { sessions }) => sum + sessions, 0);
  const successful = rows.reduce((sum, { passed }) => sum + passed, 0);
  const failed = rows.reduce((sum, { total, passed }) => sum + total - passed, 0);
  return {
    tables,
    content: {
      title: `TLS report of ${sender}, ${day}`,
      section: "domains",
      crumbs: reportCrumbs(request, { domain, path: "/tls", label: "TLS reports" }),
      body: (
        <>
          <ReportHead
            request={request}
            title={
              <>
                TLS report of <ForeignText text={sender} />, {day}
              </>
            }
            lead={
              <>
                What one sender of mail saw when it connected to the mail servers of{" "}
                <ForeignText text={domain || "an unnamed domain"} />.
              </>
            }
          />
          <SessionFigures successful={successful} failed={failed} />
          <MoreInDetails failed={failed} detailed={detailed} />
          {domainsOf(details).some((name) => !shown.has(name)) && <MoreDomains shown={shown.size} />}
          {tables.map((table) => table.view(request.url))}
          <ReportFacts stored={stored} />
          <Warnings details={details} />
        </>
      ),
    },
  };
}

function ReportFacts({ stored }: { stored: Stored<"tls"> }) {
  const { report, details } = stored;
  return (
    <section class="card">
      <h2>
        Report <Term name="SMTP TLS report">{""}</Term>
      </h2>
      <Pairs pairs={[...reportPairs(report, details.contactInfo), ...storedPairs(stored)]} />
    </section>
  );
}

/** Ours: rows of one report, a domain and day each, that its page is made of. */
const MAX_ROWS = 100;

function domainsOf({ spread = [] }: Stored<"tls">["details"]): string[] {
  return [...new Set(spread.map(([domain]) => domain))];
}

/** The report's rows about all its domains and days, the domain of the link first; whole domains where they are too many. */
async function allRows(request: PageRequest, { report, details }: Stored<"tls">): Promise<StoredReport[]> {
  const { spread = [] } = details;
  const domains = domainsOf(details).filter((name) => name !== report.domain);
  const days = spread.filter(([domain]) => domain === report.domain).length;
  const shown = new Set([report.domain, ...domains.slice(0, Math.floor(MAX_ROWS / Math.max(1, days)) - 1)]);
  const others = spread.filter(
    ([domain, day]) => shown.has(domain) && (domain !== report.domain || day !== report.day),
  );
  if (others.length === 0) return [report];
  return [report, ...(await request.ask(reportRowsQuery(report.account, report.reportUid, others)))];
}

function MoreDomains({ shown }: { shown: number }) {
  return (
    <Note>The report is about more domains than the {formatCount(shown)} shown here: the raw file has them all.</Note>
  );
}

/** A policy with the domain it is of. */
interface PolicyRow {
  policyType: string;
  policyDomain: string;
  policyStrings: string[];
  mxHosts: string[];
  successfulSessionCount: number;
  failedSessionCount: number;
}

/** The policies of each domain, with the sessions of all its days. */
function allPolicies(rows: readonly StoredReport[]): PolicyRow[] {
  const byDomain = new Map<string, PolicyRow[]>();
  for (const { domain, details } of rows) {
    if (details.kind !== "tls") continue;
    const known = byDomain.get(domain);
    const policies = details.policies.map((policy, i) => ({
      ...policy,
      policyDomain: domain,
      successfulSessionCount: policy.successfulSessionCount + (known?.[i]?.successfulSessionCount ?? 0),
      failedSessionCount: policy.failedSessionCount + (known?.[i]?.failedSessionCount ?? 0),
    }));
    byDomain.set(domain, policies);
  }
  return [...byDomain.values()].flat();
}

function allFailures(rows: readonly DetailRow[]): DetailRow[] {
  const found = new Map<string, DetailRow>();
  for (const { sessions, ...what } of rows) {
    const key = JSON.stringify(what);
    found.set(key, { ...what, sessions: sessions + (found.get(key)?.sessions ?? 0) });
  }
  return [...found.values()];
}

function policiesTable(policies: PolicyRow[]): BoundTable {
  const sessions = (policy: PolicyRow): number => policy.successfulSessionCount + policy.failedSessionCount;
  return bindTable<PolicyRow>({
    id: "policies",
    caption: "Policies",
    rows: policies,
    sort: "-sessions",
    empty: "The report has no policy, so no sessions.",
    columns: [
      tlsPolicyColumn(),
      { key: "domain", label: "Policy domain", term: "Policy domain", value: ({ policyDomain }) => policyDomain },
      { key: "mx", label: "Servers (MX)", value: ({ mxHosts }) => mxHosts.join(", ") },
      {
        key: "text",
        label: "Text of the policy",
        value: ({ policyStrings }) => policyStrings.join("\n"),
        cell: ({ policyStrings }) => (
          <span class="stack small mono">
            <FirstOf items={policyStrings} view={(line) => <ForeignText text={line} />} />
          </span>
        ),
      },
      { key: "sessions", label: "Sessions", align: "end", value: sessions },
      {
        ...shareWithBar<PolicyRow>((policy) => policy.successfulSessionCount, sessions),
        key: "encrypted",
        label: "Encrypted",
      },
      { key: "failed", label: "Failed", align: "end", value: ({ failedSessionCount }) => failedSessionCount },
    ],
  });
}

/** Failed sessions for one reason; equal ones are one. */
interface DetailRow extends TlsFigure {
  domain: string;
  sessions: number;
}

function detailsTable(rows: DetailRow[]): BoundTable {
  return bindTable<DetailRow>({
    id: "failures",
    caption: "Failures",
    rows,
    sort: "-sessions",
    empty: "The report has no failure details.",
    partial: limitNote(rows, TLS_LIMITS.maxGroups, "those with the most sessions come first"),
    columns: [
      tlsResultColumn(),
      { key: "sessions", label: "Sessions", align: "end", value: ({ sessions }) => sessions },
      { key: "code", label: "Code", value: ({ failureReasonCode }) => failureReasonCode },
      { key: "domain", label: "Policy domain", value: ({ domain }) => domain },
      { key: "sender", label: "Sending server", value: ({ sendingMtaIp }) => sendingMtaIp },
      {
        key: "receiver",
        label: "Receiving server",
        value: ({ receivingMxHostname }) => receivingMxHostname,
        cell: ({ receivingMxHostname, receivingIp }) => (
          <span class="stack">
            <span>
              <Name text={receivingMxHostname} />
            </span>
            <span class="small muted">
              <Name text={receivingIp} />
            </span>
          </span>
        ),
      },
      { key: "receiving_ip", label: "Receiving address", value: ({ receivingIp }) => receivingIp, exportOnly: true },
    ],
  });
}
