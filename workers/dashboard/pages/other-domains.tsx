/** Domains that only TLS or failure reports tell of, such as mail servers: they have no row among the others. */
import type { FailureDomain } from "../../../shared/analytics/queries-failures.ts";
import type { TlsDomain } from "../../../shared/analytics/queries-tls.ts";
import { Name } from "../parts/foreign-text.tsx";
import { domainPath } from "../parts/links.ts";
import { linkTo, type PageRequest } from "../parts/request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

interface OtherDomain {
  domain: string;
  sessions: number;
  failedSessions: number;
  incidents: number;
}

/** Puts both kinds together, without the domains listed already and without what names no domain. */
export function otherDomains(found: {
  tls: readonly TlsDomain[];
  failures: readonly FailureDomain[];
  listed: ReadonlySet<string>;
}): OtherDomain[] {
  const rows = new Map<string, OtherDomain>();
  const rowOf = (domain: string): OtherDomain =>
    rows.get(domain) ?? { domain, sessions: 0, failedSessions: 0, incidents: 0 };
  for (const { domain, successful, failed } of found.tls) {
    rows.set(domain, { ...rowOf(domain), sessions: successful + failed, failedSessions: failed });
  }
  for (const { domain, incidents } of found.failures) rows.set(domain, { ...rowOf(domain), incidents });
  return [...rows.values()].filter(({ domain }) => domain !== "" && !found.listed.has(domain));
}

export function otherDomainsTable(request: PageRequest, rows: OtherDomain[]): BoundTable {
  return bindTable<OtherDomain>({
    id: "others",
    caption: "Only in TLS or failure reports",
    rows,
    sort: "domain",
    empty: "None.",
    columns: [
      {
        key: "domain",
        label: "Domain",
        value: ({ domain }) => domain,
        cell: ({ domain, sessions }) => (
          <a href={linkTo(request, `${domainPath(domain)}${sessions > 0 ? "/tls" : "/failures"}`)}>
            <Name text={domain} />
          </a>
        ),
      },
      { key: "sessions", label: "TLS sessions", align: "end", value: ({ sessions }) => sessions },
      { key: "failed_sessions", label: "Of these failed", align: "end", value: ({ failedSessions }) => failedSessions },
      { key: "incidents", label: "Failing messages", align: "end", value: ({ incidents }) => incidents },
    ],
  });
}
