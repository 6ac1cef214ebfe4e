/** The table of sources, on the overview and on the page Sources. */

import { decisionAbout, readDecisions } from "../../../shared/guidance/decisions.ts";
import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import { isNewSource, type Source, type SourceKind } from "../../../shared/guidance/sources.ts";
import { roleReasonText } from "../../../shared/guidance/verdict-words.ts";
import { hitsOf, type PolicyStep } from "../../../shared/guidance/what-if.ts";
import type { SenderDecision } from "../../../shared/ledger/sender-decisions.ts";
import { messagesText } from "../../../shared/watch/words.ts";
import { formatShare, shareOf } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { dayColumn, dmarcColumn, messagesColumn, shareColumn } from "../parts/columns.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { addressPath, sourcePath } from "../paths.ts";
import { DecisionMark } from "./sender-decision.tsx";

interface SourcesInput {
  domain: string;
  sources: readonly Source[];
  period: Period;
  /** First day of all the domain's data. */
  dataSince: number;
  /** What the owner decided, by text of the subject. */
  decisions: ReadonlyMap<string, SenderDecision>;
  size?: number;
  judged: readonly JudgedSource[];
  /** The policy whose hits are shown; absent = p=reject. */
  step?: PolicyStep | undefined;
}

const KINDS: Record<SourceKind, string> = {
  own: "passes for your domain",
  other: "passes for its own domain only",
  none: "not authenticated",
};

/** Whose mail it is, in a word. */
export const ROLE_WORDS: Record<Role, string> = {
  own: "yours",
  undecided: "undecided",
  forwarder: "forwarder",
  foreign: "foreign",
};

/** Sources with their figures. */
export function sourcesTable(request: PageRequest, input: SourcesInput): BoundTable {
  return bindTable<Source>({
    id: "sources",
    caption: "Sources",
    rows: input.sources,
    sort: "-messages",
    ...(input.size === undefined ? {} : { size: input.size }),
    empty: "No mail from this domain was reported in this period.",
    columns: columns(request, input),
  });
}

function columns(request: PageRequest, input: SourcesInput): ViewColumn<Source>[] {
  const { domain, sources, period, dataSince, decisions, judged, step = "reject" } = input;
  const read = readDecisions(decisions);
  const found = new Map(judged.map((source) => [source.name, source]));
  const total = sources.reduce((sum, { messages }) => sum + messages, 0);
  const isNew = (source: Source): boolean => isNewSource(source, { firstDay: period.firstDay, dataSince });
  return [
    {
      key: "source",
      label: "Source",
      value: ({ name }) => name,
      cell: (source) => (
        <SourceCell
          request={request}
          domain={domain}
          source={source}
          isNew={isNew(source)}
          decision={decisionAbout(source, read)?.decision}
        />
      ),
    },
    {
      key: "decision",
      label: "Decision",
      value: (source) => decisionAbout(source, read)?.decision ?? "undecided",
      exportOnly: true,
    },
    { key: "service", label: "Service", value: ({ service }) => service, exportOnly: true },
    { key: "kind", label: "Kind", value: ({ kind }) => KINDS[kind], exportOnly: true },
    {
      key: "whose",
      label: "Whose",
      value: ({ name }) => wordOf(found.get(name)),
      cell: ({ name }) => <Whose judged={found.get(name)} />,
    },
    messagesColumn(),
    {
      key: "hit",
      label: "Would be hit",
      align: "end",
      value: ({ name }) => hitsOf(found.get(name), step, domain),
    },
    {
      key: "share",
      label: "Share",
      align: "end",
      value: ({ messages }) => shareOf(messages, total),
      cell: ({ messages }) => formatShare(messages, total),
    },
    ...RESULT_COLUMNS,
    { ...dayColumn<Source>("first_seen", "First seen", ({ firstDay }) => firstDay), screenOnly: true },
    dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    { key: "new", label: "New in period", value: (source) => (isNew(source) ? "yes" : "no"), exportOnly: true },
  ];
}

const RESULT_COLUMNS: ViewColumn<Source>[] = [
  dmarcColumn(),
  { key: "uncounted", label: "From unverified reports", value: ({ uncounted }) => uncounted, exportOnly: true },
  shareColumn({ key: "dkim_pass", label: "DKIM pass", term: "DKIM", screenOnly: true }, ({ dkimPassed }) => dkimPassed),
  shareColumn({ key: "dkim_aligned", label: "DKIM aligned", term: "Alignment" }, ({ dkimAligned }) => dkimAligned),
  shareColumn({ key: "spf_pass", label: "SPF pass", term: "SPF", screenOnly: true }, ({ spfPassed }) => spfPassed),
  shareColumn({ key: "spf_aligned", label: "SPF aligned" }, ({ spfAligned }) => spfAligned),
];

function wordOf(judged: JudgedSource | undefined): string {
  return judged === undefined ? "" : ROLE_WORDS[judged.role];
}

function Whose({ judged }: { judged: JudgedSource | undefined }) {
  if (judged === undefined) return <>–</>;
  return (
    <span class="stack">
      <span class={judged.role === "undecided" ? "result warn" : "result"}>{ROLE_WORDS[judged.role]}</span>
      <span class="small muted">{roleReasonText(judged.reason)}</span>
    </span>
  );
}

interface CellProps {
  request: PageRequest;
  domain: string;
  source: Source;
  isNew: boolean;
  decision: SenderDecision | undefined;
}

function SourceCell({ request, domain, source, isNew, decision }: CellProps) {
  const { name, kind, service, passed } = source;
  const path = kind === "none" ? addressPath(domain, name) : sourcePath(domain, name);
  return (
    <span class="stack">
      <span>
        <a href={linkTo(request, path)}>
          <Name text={name} />
        </a>{" "}
        {service !== "" && <span class="tag">{service}</span>} <DecisionMark decision={decision} />{" "}
        {isNew && <span class="result warn">! new</span>}
      </span>
      {source.uncounted > 0 && (
        <span class="small result warn">
          ! {source.uncounted === source.messages ? "only" : messagesText(source.uncounted)} by unverified reports
        </span>
      )}
      <span class="small muted">{kind === "other" && passed > 0 ? "passes for both domains" : KINDS[kind]}</span>
    </span>
  );
}
