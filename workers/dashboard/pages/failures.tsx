/** Failure reports about a domain: single messages that failed, as facts about domains only. */
import { type FailureTotals, failuresQuery } from "../../../shared/analytics/queries-reports.ts";
import { isoDay } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { DomainHead, domainCrumbs } from "../parts/domain-frame.tsx";
import { addressPath } from "../parts/links.ts";
import type { PageResult } from "../parts/page.ts";
import { domainScope, linkTo, type PageRequest, periodOf } from "../parts/request.ts";
import { bindTable } from "../parts/table-view.tsx";

/** What Auth-Failure's words mean (RFC 6591 section 3.2.3, RFC 9991). */
const FAILURE_WORDS: Record<string, string> = {
  adsp: "The signing practices the domain published were not met.",
  bodyhash: "The signed text was changed on the way.",
  revoked: "The key of the signature was withdrawn.",
  signature: "The DKIM signature does not fit the message.",
  spf: "The sending server is not allowed by the SPF record.",
  dmarc: "Neither SPF nor DKIM passed for a domain aligned with the From header.",
};

export async function failuresPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const rows = await request.ask(failuresQuery(domainScope(request, domain, period)));
  const table = bindTable<FailureTotals>({
    id: "failures",
    caption: "Reported failures",
    rows,
    sort: "-incidents",
    empty: (
      <>
        No failure report about this period. Few receivers send them, and only to the address that <code>ruf=</code> of
        the DMARC record names.
      </>
    ),
    columns: [
      {
        key: "address",
        label: "Address",
        value: ({ sourceIp }) => sourceIp,
        cell: ({ sourceIp }) => <a href={linkTo(request, addressPath(domain, sourceIp))}>{sourceIp || "none given"}</a>,
      },
      {
        key: "failure",
        label: "What failed",
        value: ({ authFailure }) => authFailure,
        cell: ({ authFailure }) => (
          <span class="stack">
            <span>{authFailure || "not said"}</span>
            <span class="small muted">{FAILURE_WORDS[authFailure] ?? ""}</span>
          </span>
        ),
      },
      { key: "delivery", label: "Delivered", value: ({ deliveryResult }) => deliveryResult },
      { key: "dkim_domain", label: "DKIM domain", value: ({ dkimDomain }) => dkimDomain },
      { key: "spf_domain", label: "SPF domain", value: ({ spfDomain }) => spfDomain },
      { key: "envelope_from", label: "Envelope from", value: ({ mailFromDomain }) => mailFromDomain },
      { key: "reporter", label: "Reporter", value: ({ reportingMta }) => reportingMta },
      { key: "incidents", label: "Messages", align: "end", value: ({ incidents }) => incidents },
      { key: "last_seen", label: "Last seen", value: ({ lastDay }) => isoDay(lastDay) },
    ],
  });
  return {
    tables: [table],
    content: {
      title: `Failure reports about ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <DomainHead
            {...{ request, domain, period, tab: "failures", title: `Failure reports about ${domain}` }}
            lead={explain("Failure report")}
          />
          {table.view(request.url)}
        </>
      ),
    },
  };
}
