/**
 * Sources in groups: by address, by service or organizational domain, by network, or by reverse domain; each is a
 * separate table.
 */

import type { SourceOrigin } from "../../../shared/ledger/source-groups.ts";
import { SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { GROUPINGS, type Grouping } from "../data/sources.ts";
import { AddressLink } from "../parts/address-link.tsx";
import { dayColumn, dmarcColumn, messagesColumn } from "../parts/columns.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { linkWith } from "../parts/links.ts";
import { limitNote } from "../parts/marks.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

const LABELS: Record<Grouping, string> = {
  service: "Service or organization",
  address: "Address",
  network: "Network",
  reverse: "Reverse domain",
};

/** What the link asks for; undefined: a source a row. */
export function groupingOf({ parameters }: PageRequest): Grouping | undefined {
  return GROUPINGS.find((one) => one === parameters.get("group"));
}

/** The choice, as links. */
export function GroupChoice({ url, current }: { url: URL; current: Grouping | undefined }) {
  const choices = [{ key: undefined, label: "Source" }, ...GROUPINGS.map((key) => ({ key, label: LABELS[key] }))];
  return (
    <p class="choices">
      Group by:{" "}
      {choices.map(({ key, label }, i) => (
        <>
          {i > 0 && " · "}
          <a
            href={linkWith(url, { group: key, role: undefined, step: undefined, "sources.page": undefined })}
            aria-current={key === current ? "true" : undefined}
          >
            {label}
          </a>
        </>
      ))}
    </p>
  );
}

interface GroupsInput {
  domain: string;
  by: Grouping;
  groups: readonly SourceOrigin[];
}

/** The groups with their figures. */
export function groupsTable(request: PageRequest, { domain, by, groups }: GroupsInput): BoundTable {
  return bindTable<SourceOrigin>({
    id: "sources",
    caption: `Sources by ${LABELS[by].toLowerCase()}`,
    rows: groups,
    sort: "-messages",
    empty: "No mail in this domain's name was reported for this period.",
    partial: limitNote(groups, SOURCE_LIMITS.maxGroups),
    columns: [
      {
        key: "source",
        label: LABELS[by],
        value: ({ name }) => name,
        cell: ({ name }) =>
          isAddress(name) ? <AddressLink request={request} domain={domain} address={name} /> : <Name text={name} />,
      },
      {
        key: "addresses",
        label: by === "service" ? "Sources" : "Addresses",
        align: "end",
        value: ({ addresses }) => addresses,
      },
      messagesColumn(),
      dmarcColumn(),
      dayColumn("first_seen", "First seen", ({ firstDay }) => firstDay),
      dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    ],
  });
}

function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || /^[\da-f.]*:[\da-f.:]+$/.test(name);
}
