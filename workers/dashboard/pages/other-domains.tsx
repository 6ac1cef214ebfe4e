/** Domains that only TLS or failure reports are about, such as mail servers: they are not in the list of the others. */
import { MAX_OTHER_DOMAINS, type OtherDomain } from "../../../shared/ledger/domains.ts";
import { Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { limitNote } from "../parts/marks.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { domainPath } from "../paths.ts";

export function otherDomainsTable(request: PageRequest, rows: OtherDomain[]): BoundTable {
  return bindTable<OtherDomain>({
    id: "others",
    caption: "Only in TLS or failure reports",
    rows,
    sort: "domain",
    empty: "None.",
    partial: limitNote(rows, MAX_OTHER_DOMAINS),
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
      { key: "failed_sessions", label: "Failed sessions", align: "end", value: ({ failedSessions }) => failedSessions },
      { key: "incidents", label: "Failing messages", align: "end", value: ({ incidents }) => incidents },
    ],
  });
}
