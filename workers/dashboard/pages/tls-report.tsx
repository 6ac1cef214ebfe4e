/** One SMTP TLS report whole: who sent it, each policy with its sessions, every failure with what it means. */
import type { TlsFigure } from "../../../shared/ledger/figures.ts";
import { reportRowsQuery, type StoredReport } from "../../../shared/ledger/report-list.ts";
import { TLS_LIMITS, tlsReportFailuresQuery } from "../../../shared/ledger/tls.ts";
import { dayOfSeconds, isoDay, isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { shareWithBar } from "../parts/columns.tsx";
import { FirstOf, ForeignText, Name } from "../parts/foreign-text.tsx";
import { limitNote, Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { ReporterName, ReportHead, reportCrumbs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import type { PageRequest } from "../parts/request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { SessionFigures, tlsPolicyColumn, tlsResultColumn } from "./tls-parts.tsx";

export async function tlsReportPage(request: PageRequest, stored: Stored<"tls">): Promise<PageResult> {
  const { report, details } = stored;
  const { domain } = report;
  const [sender, day] = [report.reporter || "an unnamed sender", isoDay(dayOfSeconds(report.beginSeconds))];
  const rows = await allRows(request, stored);
  const failures = await Promise.all(rows.map((row) => request.ask(tlsReportFailuresQuery(row))));
  const policies = rows.flatMap((row) => policiesOf(row));
  const tables = [policiesTable(policies), detailsTable(failures.flat())];
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
                <ForeignText text={domain || "a domain it does not name"} />.
              </>
            }
          />
          <SessionFigures successful={successful} failed={failed} />
          {(details.spread?.length ?? 1) > rows.length && <MoreDomains shown={rows.length} />}
          {tables.map((table) => table.view(request.url))}
          <section class="card">
            <h2>
              Report <Term name="SMTP TLS report">{""}</Term>
            </h2>
            <Pairs
              pairs={[
                [<Term name="Reporter" />, <ReporterName name={report.reporter} contact={details.contactInfo} />],
                [
                  <Term name="Report id" />,
                  <span class="mono">
                    <ForeignText text={report.reportId} />
                  </span>,
                ],
                ["Period", `${isoMinute(report.beginSeconds)} to ${isoMinute(report.endSeconds)}`],
                ...storedPairs(report),
              ]}
            />
          </section>
          <Warnings details={details} />
        </>
      ),
    },
  };
}

/** Ours: domains of one report that its page shows. */
const MAX_DOMAINS = 100;

/** The report's rows about all its domains, the one of the link first. */
async function allRows(request: PageRequest, { report, details }: Stored<"tls">): Promise<StoredReport[]> {
  const others = (details.spread ?? []).filter(([domain]) => domain !== report.domain).slice(0, MAX_DOMAINS - 1);
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

function policiesOf({ domain, details }: StoredReport): PolicyRow[] {
  return details.kind === "tls" ? details.policies.map((policy) => ({ ...policy, policyDomain: domain })) : [];
}

function policiesTable(policies: PolicyRow[]): BoundTable {
  const sessions = (policy: PolicyRow): number => policy.successfulSessionCount + policy.failedSessionCount;
  return bindTable<PolicyRow>({
    id: "policies",
    caption: "Policies",
    rows: policies,
    sort: "-sessions",
    empty: "The report names no policy, so it tells of no session.",
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
    empty: "The report tells of no failure in detail.",
    partial: limitNote(rows, TLS_LIMITS.maxGroups),
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
