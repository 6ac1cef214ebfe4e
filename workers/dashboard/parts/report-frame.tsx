/** What the pages of single reports share: the head with the raw file, where the report is kept, what its reader warned of. */
import type { Child } from "hono/jsx";
import type { ImportOrigin } from "../../../shared/ledger/imports.ts";
import type { StoredReport } from "../../../shared/ledger/report-list.ts";
import type { ReportDetails } from "../../../shared/ledger/report-rows.ts";
import { isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { domainPath } from "../paths.ts";
import { domainCrumbs } from "./domain-frame.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import { PageHead } from "./page-head.tsx";
import type { PageRequest } from "./page-request.ts";
import { SenderText } from "./sender.tsx";
import { countedDays } from "./spread.tsx";
import { Term } from "./term.tsx";

/** A report of the ledger, its kind known. */
export interface Stored<Kind extends ReportDetails["kind"]> {
  report: StoredReport;
  details: Extract<ReportDetails, { kind: Kind }>;
  /** Who imported its file; undefined where it came by mail. */
  imported: ImportOrigin | undefined;
}

interface HeadProps {
  request: PageRequest;
  title: Child;
  lead: Child;
  /** false where the raw file was not kept. */
  hasRaw?: boolean;
}

/** Title, a sentence with its result, and the raw file. */
export function ReportHead({ request, title, lead, hasRaw = true }: HeadProps) {
  return (
    <PageHead title={title} lead={lead}>
      {hasRaw && (
        <a class="button" href={`${request.url.pathname}/raw`}>
          Download the raw file
        </a>
      )}
    </PageHead>
  );
}

/** Who wrote a report, and how to reach them where the report says so. */
function ReporterName({ name, contact }: { name: string; contact: string }) {
  return (
    <>
      <ForeignText text={name} />
      {contact !== "" && (
        <>
          , <ForeignText text={contact} />
        </>
      )}
    </>
  );
}

/** Breadcrumbs of a report in a list of its domain. */
export function reportCrumbs(request: PageRequest, list: { domain: string; path: string; label: string }) {
  const href = linkTo(request, `${domainPath(list.domain)}${list.path}`);
  return [...domainCrumbs(request, list.domain), { label: list.label, href }];
}

/**
 * What identifies a report: its reporter, its id, its period, and the days it counts on.
 *
 * @param contact how to reach the reporter
 */
export function reportPairs(report: StoredReport, contact: string): [Child, Child][] {
  return [
    [<Term name="Reporter" />, <ReporterName name={report.reporter} contact={contact} />],
    [
      <Term name="Report id" />,
      <span class="mono">
        <ForeignText text={report.reportId} />
      </span>,
    ],
    ["Period", `${isoMinute(report.beginSeconds)} to ${isoMinute(report.endSeconds)}`],
    ["Counted on", countedDays(report)],
  ];
}

/** Where and since when a report is kept, and how it came. */
export function storedPairs({ report, imported }: Pick<Stored<"aggregate">, "report" | "imported">): [Child, Child][] {
  const { rua, account, receivedSeconds, generation, rawKey, part, senderState, senderDomain } = report;
  return [
    [<Term name="RUA">{imported === undefined ? "Sent to" : "Imported for"}</Term>, rua],
    ["Account", account],
    [<Term name="Verified report">Sender</Term>, <SenderText state={senderState} domain={senderDomain} />],
    [imported === undefined ? "Received" : "Imported", isoMinute(receivedSeconds)],
    ...importedPairs(imported),
    [<Term name="Generation" />, String(generation)],
    [
      "Raw file",
      <span class="mono small">
        <ForeignText text={rawKey + (part === "" ? "" : ` (${part})`)} />
      </span>,
    ],
  ];
}

function importedPairs(imported: ImportOrigin | undefined): [Child, Child][] {
  if (imported === undefined) return [];
  return [
    ["Imported by", <ForeignText text={imported.importedBy} />],
    [
      "Imported from",
      <span class="mono small">
        <ForeignText text={imported.origin} />
      </span>,
    ],
  ];
}

/** What was repaired or not understood. */
export function Warnings({ details: { warnings, omittedWarnings } }: { details: ReportDetails }) {
  if (warnings.length === 0) return <p class="muted">The report was read without warnings.</p>;
  return (
    <section class="card">
      <h2>Warnings</h2>
      <p class="lead">What was repaired, assumed or not understood when the report was read.</p>
      <ul class="steps">
        {warnings.map(({ code, path, detail }) => (
          <li>
            <span class="tag">{code}</span>{" "}
            <span class="mono">
              <ForeignText text={path} />
            </span>{" "}
            <ForeignText text={detail} />
          </li>
        ))}
        {omittedWarnings > 0 && <li>and {formatCount(omittedWarnings)} more, which are counted only</li>}
      </ul>
    </section>
  );
}
