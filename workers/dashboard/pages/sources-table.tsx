/** The table of sources, on the overview and on the page Sources. */
import { isoDay } from "../data/days.ts";
import { formatShare, shareOf } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { isNewSource, type Source, type SourceKind } from "../data/sources.ts";
import { addressPath, sourcePath } from "../parts/links.ts";
import { ShareBar } from "../parts/marks.tsx";
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
  const share = (key: string, label: string, part: (s: Source) => number, term?: string): ViewColumn<Source> => ({
    ...{ key, label, align: "end", ...(term === undefined ? {} : { term }) },
    value: (source) => shareOf(part(source), source.messages),
    cell: (source) => formatShare(part(source), source.messages),
  });
  return [
    {
      key: "source",
      label: "Source",
      value: ({ name }) => name,
      cell: (source) => <SourceCell {...{ request, domain, source, isNew: isNew(source) }} />,
    },
    { key: "service", label: "Service", value: ({ service }) => service, exportOnly: true },
    { key: "kind", label: "Kind", value: ({ kind }) => KINDS[kind], exportOnly: true },
    { key: "messages", label: "Messages", align: "end", value: ({ messages }) => messages },
    {
      key: "share",
      label: "Of all",
      align: "end",
      value: ({ messages }) => shareOf(messages, total),
      cell: ({ messages }) => formatShare(messages, total),
    },
    {
      key: "dmarc_pass",
      label: "DMARC",
      align: "end",
      term: "DMARC pass",
      value: ({ passed, messages }) => shareOf(passed, messages),
      cell: ({ passed, messages }) => <ShareBar part={passed} total={messages} />,
    },
    share("dkim_pass", "DKIM pass", ({ dkimPassed }) => dkimPassed, "DKIM"),
    share("dkim_aligned", "DKIM aligned", ({ dkimAligned }) => dkimAligned, "Alignment"),
    share("spf_pass", "SPF pass", ({ spfPassed }) => spfPassed, "SPF"),
    share("spf_aligned", "SPF aligned", ({ spfAligned }) => spfAligned),
    ...dayColumns(),
    { key: "new", label: "New in period", value: (source) => (isNew(source) ? "yes" : "no"), exportOnly: true },
  ];
}

function dayColumns(): ViewColumn<Source>[] {
  return [
    {
      key: "first_seen",
      label: "First seen",
      value: ({ firstDay }) => isoDay(firstDay),
      cell: ({ firstDay }) => <span class="nowrap">{isoDay(firstDay)}</span>,
    },
    {
      key: "last_seen",
      label: "Last seen",
      value: ({ lastDay }) => isoDay(lastDay),
      cell: ({ lastDay }) => <span class="nowrap">{isoDay(lastDay)}</span>,
    },
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
        <a href={linkTo(request, path)}>{name}</a> {service !== "" && <span class="tag">{service}</span>}{" "}
        {isNew && <span class="result warn">! new</span>}
      </span>
      <span class="small muted">
        {kind === "other" && passed > 0 ? `${KINDS.other}, and as your domain` : KINDS[kind]}
      </span>
    </span>
  );
}
