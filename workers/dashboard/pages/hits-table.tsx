/** The records that a policy step would have hit: the rows behind a number in the verdict's table. */

import type { JudgedSource } from "../../../shared/guidance/roles.ts";
import { type HitRecord, type HitsInput, hitRecords } from "../data/hits.ts";
import { dayColumn } from "../parts/columns.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import type { PageRequest } from "../parts/page-request.ts";
import type { BoundTable } from "../parts/table-view.tsx";
import { addressPath, sourcePath } from "../paths.ts";
import { recordsTable } from "./records-table.tsx";
import { ROLE_WORDS } from "./sources-table.tsx";

/** The records as a table, with the source of each. */
export function hitsTable(request: PageRequest, input: HitsInput): BoundTable {
  return recordsTable<HitRecord>(request, {
    id: "hits",
    caption: "Records that would have been hit",
    records: hitRecords(input),
    sort: "-messages",
    size: 25,
    empty: "None.",
    // The source's own name where nothing authenticated the mail; elsewhere the same record comes from many.
    isOneAddress: true,
    columns: [
      {
        key: "source",
        label: "Source",
        value: ({ source }) => source.name,
        cell: ({ source }) => <SourceName request={request} domain={input.domain} source={source} />,
      },
      { key: "whose", label: "Whose", value: ({ source }) => ROLE_WORDS[source.role], exportOnly: true },
      { ...dayColumn<HitRecord>("first_seen", "First seen", ({ firstDay }) => firstDay), exportOnly: true },
      { ...dayColumn<HitRecord>("last_seen", "Last seen", ({ lastDay }) => lastDay), exportOnly: true },
    ],
  });
}

interface NameProps {
  request: PageRequest;
  domain: string;
  source: JudgedSource;
}

function SourceName({ request, domain, source: { name, kind, service } }: NameProps) {
  if (name === "") return <>many small sources together</>;
  return (
    <span class="stack">
      <a href={linkTo(request, kind === "none" ? addressPath(domain, name) : sourcePath(domain, name))}>
        <Name text={name} />
      </a>
      {service !== "" && <span class="small muted">{service}</span>}
    </span>
  );
}
