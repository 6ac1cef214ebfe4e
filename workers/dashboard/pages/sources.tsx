/** Sources: everybody who sent mail in a domain's name over a period. */
import { extentQuery } from "../../../shared/ledger/domains.ts";
import { mailQuery, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { mergeSources } from "../../../shared/guidance/sources.ts";
import { BeforeDetails, detailsSince } from "../parts/before-details.tsx";
import { DomainHead, domainCrumbs } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { askOne, domainScope, type PageRequest, periodOf } from "../parts/request.ts";
import { PartialSources } from "./overview.tsx";
import { sourcesTable } from "./sources-table.tsx";

export async function sourcesPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const [{ sources: groups }, extent] = await Promise.all([
    askOne(request, mailQuery(scope)),
    askOne(request, extentQuery(scope)),
  ]);
  const dataSince = detailsSince(extent);
  const table = sourcesTable(request, { domain, period, dataSince, sources: mergeSources(groups, domain) });
  return {
    tables: [table],
    content: {
      title: `Sources of ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <DomainHead
            request={request}
            domain={domain}
            period={period}
            tab="sources"
            title={
              <>
                Sources of <ForeignText text={domain} />
              </>
            }
            lead={
              <>
                Who sent mail with this domain in its From header, <PeriodText period={period} />. A source is named by
                the domain that authenticated its mail, the sender's own where there is one; where nothing did, by its
                address.
              </>
            }
          />
          <BeforeDetails period={period} extent={extent} />
          {groups.length >= SOURCE_LIMITS.maxGroups && <PartialSources />}
          {table.view(request.url)}
        </>
      ),
    },
  };
}
