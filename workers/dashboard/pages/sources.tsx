/** Sources: everybody who sent mail in a domain's name over a period. */

import { type JudgedSource, ROLES, type Role } from "../../../shared/guidance/roles.ts";
import { hitsOf, POLICY_STEPS, type PolicyStep } from "../../../shared/guidance/what-if.ts";
import { detailsSince } from "../data/extent.ts";
import { formatCount } from "../data/numbers.ts";
import { askOrigins, askSources, byService, type SourceFilter, selectSources } from "../data/sources.ts";
import { BeforeDetails } from "../parts/before-details.tsx";
import { domainPage, titleAndDomain } from "../parts/domain-frame.tsx";
import { linkTo, linkWith } from "../parts/links.ts";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { domainPath } from "../paths.ts";
import { hitsTable } from "./hits-table.tsx";
import { PartialSources } from "./overview.tsx";
import { GroupChoice, groupingOf, groupsTable } from "./source-groups.tsx";
import { ROLE_WORDS, sourcesTable } from "./sources-table.tsx";

export async function sourcesPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const { sources: all, judged, decisions, extent, isPartial } = await askSources(request, domain, period);
  const filter = readFilter(request.parameters);
  const sources = selectSources(all, { judged, filter, domain });
  const { role, step } = filter;
  const by = groupingOf(request);
  const table =
    by === undefined
      ? sourcesTable(request, { domain, period, dataSince: detailsSince(extent), decisions, judged, sources, step })
      : groupsTable(request, {
          domain,
          by,
          groups: by === "service" ? byService(sources) : await askOrigins(request, domain, { period, by }),
        });
  const hits = hitsTable(request, { domain, sources: judged, role, step: step ?? "reject" });
  return domainPage(request, {
    domain,
    period,
    tab: "sources",
    ...titleAndDomain("Sources of", domain),
    lead: (
      <>
        Who sent mail with this domain in its From header, <PeriodText period={period} />. A source is named after the
        domain that authenticated its mail, or else after its address.
      </>
    ),
    tables: [table, hits],
    body: (
      <>
        <BeforeDetails url={request.url} period={period} extent={extent} />
        {isPartial && <PartialSources />}
        <UndecidedLink request={request} domain={domain} judged={judged} />
        <GroupChoice url={request.url} current={by} />
        {role !== undefined && <Filtered url={request.url} domain={domain} judged={judged} filter={{ role, step }} />}
        {table.view(request.url)}
        {step !== undefined && hits.view(request.url)}
      </>
    ),
  });
}

interface UndecidedProps {
  request: PageRequest;
  domain: string;
  judged: readonly JudgedSource[];
}

function UndecidedLink({ request, domain, judged }: UndecidedProps) {
  const count = judged.filter(({ role }) => role === "undecided").length;
  return (
    <p>
      <a href={linkTo(request, `${domainPath(domain)}/senders`)}>
        {count === 0
          ? "Your decisions about senders"
          : count === 1
            ? "1 sender waits for your decision"
            : `${formatCount(count)} senders wait for your decision`}
      </a>
    </p>
  );
}

function readFilter(parameters: URLSearchParams): SourceFilter {
  return {
    role: ROLES.find((role) => role === parameters.get("role")),
    step: POLICY_STEPS.find((step) => step === parameters.get("step")),
  };
}

const STEP_WORDS: Record<PolicyStep, string> = {
  quarantineTest: "p=quarantine; t=y",
  quarantine: "p=quarantine",
  rejectTest: "p=reject; t=y",
  reject: "p=reject",
  strict: "p=reject with strict alignment",
  subdomains: "sp=reject (mail from subdomains)",
};

interface FilteredProps {
  url: URL;
  domain: string;
  judged: readonly JudgedSource[];
  filter: SourceFilter & { role: Role };
}

function Filtered({ url, domain, judged, filter: { role, step } }: FilteredProps) {
  const hit = judged
    .filter((source) => source.role === role)
    .reduce((sum, source) => sum + (step === undefined ? 0 : hitsOf(source, step, domain)), 0);
  return (
    <Note kind="done">
      Only sources that are {ROLE_WORDS[role]}
      {step !== undefined && (
        <>
          {" "}
          and of which {STEP_WORDS[step]} would have hit {formatCount(hit)} {hit === 1 ? "message" : "messages"}
        </>
      )}
      . <a href={linkWith(url, { role: undefined, step: undefined })}>Show all</a>
    </Note>
  );
}
