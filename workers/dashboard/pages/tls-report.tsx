/** One SMTP TLS report whole: who sent it, each policy with its sessions, every failure with what it means. */
import type { OmittedTls } from "../../../shared/operations.ts";
import type { TlsFailureDetail, TlsPolicy, TlsReport } from "../../../shared/report/vocabulary.ts";
import { dayOfSeconds, isoDay, isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { shareWithBar } from "../parts/columns.tsx";
import { FirstOf, ForeignText, Name } from "../parts/foreign-text.tsx";
import { Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { ReporterName, ReportHead, reportCrumbs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import type { PageRequest } from "../parts/request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { SessionFigures, tlsPolicyColumn, tlsResultColumn } from "./tls-parts.tsx";

export function tlsReportPage(request: PageRequest, { entry, report }: Stored<TlsReport>): PageResult {
  const domain = report.policies.find(({ policyDomain }) => policyDomain !== "")?.policyDomain ?? "";
  const [sender, day] = [report.orgName || "an unnamed sender", isoDay(dayOfSeconds(report.beginSeconds))];
  const tables = [policiesTable(report.policies), detailsTable(report.policies)];
  const { omitted } = entry;
  const sum = (read: (policy: TlsPolicy) => number): number =>
    report.policies.reduce((total, policy) => total + read(policy), 0);
  const successful = sum((policy) => policy.successfulSessionCount) + (omitted?.successfulSessions ?? 0);
  const failed = sum((policy) => policy.failedSessionCount) + (omitted?.failedSessions ?? 0);
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
          {omitted !== undefined && <OmittedNote omitted={omitted} />}
          {tables.map((table) => table.view(request.url))}
          <section class="card">
            <h2>
              Report <Term name="SMTP TLS report">{""}</Term>
            </h2>
            <Pairs
              pairs={[
                [<Term name="Reporter" />, <ReporterName name={report.orgName} contact={report.contactInfo} />],
                [
                  <Term name="Report id" />,
                  <span class="mono">
                    <ForeignText text={report.reportId} />
                  </span>,
                ],
                ["Period", `${isoMinute(report.beginSeconds)} to ${isoMinute(report.endSeconds)}`],
                ...storedPairs(entry),
              ]}
            />
          </section>
          <Warnings report={report} />
        </>
      ),
    },
  };
}

function OmittedNote({ omitted: { policies, failureDetails } }: { omitted: OmittedTls }) {
  return (
    <Note>
      The report is longer than this page and its files can be: {formatCount(policies)} more policies and{" "}
      {formatCount(failureDetails)} more failures are in the raw file only. The figures above count them.
    </Note>
  );
}

function policiesTable(policies: TlsPolicy[]): BoundTable {
  const sessions = (policy: TlsPolicy): number => policy.successfulSessionCount + policy.failedSessionCount;
  return bindTable<TlsPolicy>({
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
        ...shareWithBar<TlsPolicy>((policy) => policy.successfulSessionCount, sessions),
        ...{ key: "encrypted", label: "Encrypted" },
      },
      { key: "failed", label: "Failed", align: "end", value: ({ failedSessionCount }) => failedSessionCount },
    ],
  });
}

interface DetailRow extends TlsFailureDetail {
  policyType: string;
  policyDomain: string;
}

function detailsTable(policies: TlsPolicy[]): BoundTable {
  const rows = policies.flatMap(({ failureDetails, policyType, policyDomain }) =>
    failureDetails.map((detail): DetailRow => ({ ...detail, policyType, policyDomain })),
  );
  return bindTable<DetailRow>({
    id: "failures",
    caption: "Failures",
    rows,
    sort: "-sessions",
    empty: "The report tells of no failure in detail.",
    columns: [
      tlsResultColumn(),
      { key: "sessions", label: "Sessions", align: "end", value: ({ failedSessionCount }) => failedSessionCount },
      { key: "code", label: "Code", value: ({ failureReasonCode }) => failureReasonCode },
      { key: "domain", label: "Policy domain", value: ({ policyDomain }) => policyDomain },
      { key: "policy", label: "Policy", value: ({ policyType }) => policyType },
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
      { key: "helo", label: "HELO", value: ({ receivingMxHelo }) => receivingMxHelo, exportOnly: true },
      {
        key: "additional_information",
        label: "Additional information",
        value: ({ additionalInformation }) => additionalInformation,
        exportOnly: true,
      },
    ],
  });
}
