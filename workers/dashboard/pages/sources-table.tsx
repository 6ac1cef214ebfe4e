/** The table of sources, on the overview and on the page Sources. */
import { formatShare, shareOf } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { isNewSource, type Source, type SourceKind } from "../../../shared/guidance/sources.ts";
import { dayColumn, dmarcColumn, messagesColumn, shareColumn } from "../parts/columns.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { addressPath, sourcePath } from "../parts/links.ts";
import { linkTo, type PageRequest } from "../parts/request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";

interface SourcesInput {
  domain: string;
  sources: readonly Source[];
  period: Period;
  /** First day of all the domain's data. */
  dataSince: number;
  size?: number;
}

const KINDS: Record<SourceKind, string> = {
  own: "authenticates as your domain",
  other: "authenticates as itself",
  none: "nothing vouches for it",
};

/** Sources with their figures. */
export function sourcesTable(request: PageRequest, input: SourcesInput): BoundTable {
  return bindTable<Source>({
    id: "sources",
    caption: "Sources",
    rows: input.sources,
    sort: "-messages",
    ...(input.size === undefined ? {} : { size: input.size }),
    empty: "Nobody sent mail in this domain's name in this period, as far as receivers reported.",
    columns: columns(request, input),
  });
}

function columns(request: PageRequest, { domain, sources, period, dataSince }: SourcesInput): ViewColumn<Source>[] {
  const total = sources.reduce((sum, { messages }) => sum + messages, 0);
  const isNew = (source: Source): boolean => isNewSource(source, { firstDay: period.firstDay, dataSince });
  return [
    {
      key: "source",
      label: "Source",
      value: ({ name }) => name,
      cell: (source) => <SourceCell request={request} domain={domain} source={source} isNew={isNew(source)} />,
    },
    { key: "service", label: "Service", value: ({ service }) => service, exportOnly: true },
    { key: "kind", label: "Kind", value: ({ kind }) => KINDS[kind], exportOnly: true },
    messagesColumn(),
    {
      key: "share",
      label: "Of all",
      align: "end",
      value: ({ messages }) => shareOf(messages, total),
      cell: ({ messages }) => formatShare(messages, total),
    },
    dmarcColumn(),
    shareColumn({ key: "dkim_pass", label: "DKIM pass", term: "DKIM" }, ({ dkimPassed }) => dkimPassed),
    shareColumn({ key: "dkim_aligned", label: "DKIM aligned", term: "Alignment" }, ({ dkimAligned }) => dkimAligned),
    shareColumn({ key: "spf_pass", label: "SPF pass", term: "SPF" }, ({ spfPassed }) => spfPassed),
    shareColumn({ key: "spf_aligned", label: "SPF aligned" }, ({ spfAligned }) => spfAligned),
    dayColumn("first_seen", "First seen", ({ firstDay }) => firstDay),
    dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    { key: "new", label: "New in period", value: (source) => (isNew(source) ? "yes" : "no"), exportOnly: true },
  ];
}

interface CellProps {
  request: PageRequest;
  domain: string;
  source: Source;
  isNew: boolean;
}

function SourceCell({ request, domain, source, isNew }: CellProps) {
  const { name, kind, service, passed } = source;
  const path = kind === "none" ? addressPath(domain, name) : sourcePath(domain, name);
  return (
    <span class="stack">
      <span>
        <a href={linkTo(request, path)}>
          <Name text={name} />
        </a>{" "}
        {service !== "" && <span class="tag">{service}</span>} {isNew && <span class="result warn">! new</span>}
      </span>
      <span class="small muted">
        {kind === "other" && passed > 0 ? `${KINDS.other}, and as your domain` : KINDS[kind]}
      </span>
    </span>
  );
}
