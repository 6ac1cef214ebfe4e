/** The records that a policy step would have hit: the rows behind a number in the verdict's table. */

import { passes } from "../../../shared/guidance/evidence.ts";
import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import { HITS, type Step } from "../../../shared/guidance/what-if.ts";
import type { Evidence } from "../../../shared/ledger/sources.ts";
import { dayColumn } from "../parts/columns.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { addressPath, sourcePath } from "../parts/links.ts";
import { linkTo, type PageRequest } from "../parts/request.ts";
import type { BoundTable } from "../parts/table-view.tsx";
import { recordsTable } from "./records-table.tsx";
import { ROLE_WORDS } from "./sources-table.tsx";

/** Equal records of a source. Reports' envelope sender is not told apart. */
interface HitRecord extends Evidence {
  domain: string;
  source: JudgedSource;
  isPass: boolean;
  envelopeFrom: string;
}

interface HitsInput {
  domain: string;
  sources: readonly JudgedSource[];
  /** Only sources of this role; absent = all. */
  role?: Role | undefined;
  step: Step;
}

/** Records of sources that a step hits. */
function hitRecords({ domain, sources, role, step }: HitsInput): HitRecord[] {
  return sources
    .filter((source) => role === undefined || source.role === role)
    .flatMap((source) =>
      source.evidence
        .filter((group) => HITS[step](group, domain))
        .map((group) => ({ ...group, domain, source, isPass: passes(group), envelopeFrom: "" })),
    );
}

/** The same as a table, with the source of each. */
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
