/** Sources: everybody who sent mail in a domain's name over a period. */
import { type JudgedSource, ROLES, type Role } from "../../../shared/guidance/roles.ts";
import { mergeSources, type Source } from "../../../shared/guidance/sources.ts";
import { allSources } from "../../../shared/guidance/verdict.ts";
import { decideBy, totalsOf } from "../../../shared/guidance/verdict-input.ts";
import { hitsOf, STEPS, type Step } from "../../../shared/guidance/what-if.ts";
import { checksQuery } from "../../../shared/ledger/domain-checks.ts";
import { extentQuery } from "../../../shared/ledger/domains.ts";
import { type SourceGrouping, type SourceOrigin, sourceOriginsQuery } from "../../../shared/ledger/source-groups.ts";
import { type DomainScope, mailQuery, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { askNames } from "../data/address-names.ts";
import { formatCount } from "../data/numbers.ts";
import { askKnowledge } from "../data/sender-knowledge.ts";
import { BeforeDetails, detailsSince } from "../parts/before-details.tsx";
import { domainPage } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { domainPath } from "../parts/links.ts";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { askOne, domainScope, linkTo, linkWith, type PageRequest, periodOf } from "../parts/request.ts";
import { hitsTable } from "./hits-table.tsx";
import { PartialSources } from "./overview.tsx";
import { decisionsBySource } from "./sender-decision.tsx";
import { byService, GroupChoice, groupingOf, groupsTable } from "./source-groups.tsx";
import { ROLE_WORDS, sourcesTable } from "./sources-table.tsx";

export async function sourcesPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const [mail, extent, decisions, checks] = await Promise.all([
    askOne(request, mailQuery(scope)),
    askOne(request, extentQuery(scope)),
    decisionsBySource(request, domain),
    request.ask(checksQuery(domain, scope.accounts)),
  ]);
  const { sources: groups } = mail;
  const dataSince = detailsSince(extent);
  const isAllCounted = groups.every(({ uncounted }) => uncounted === 0);
  const counted = isAllCounted ? mail : await askOne(request, mailQuery({ ...scope, onlyCounted: true }));
  const totals = totalsOf(counted);
  const knowledge = await askKnowledge((query) => request.ask(query), domain, { mail: counted, checks });
  const { evidence } = counted;
  const judged = allSources({ domain, evidence, totals, decide: decideBy(decisions), knowledge });
  const filter = readFilter(request.parameters);
  const sources = selectSources(mergeSources(groups, domain), { judged, filter, domain });
  const { role, step } = filter;
  const by = groupingOf(request);
  const table =
    by === undefined
      ? sourcesTable(request, { domain, period, dataSince, decisions, judged, sources, step })
      : groupsTable(request, {
          domain,
          by,
          groups: by === "service" ? byService(sources) : await askOrigins(request, scope, by),
        });
  const hits = hitsTable(request, { domain, sources: judged, role, step: step ?? "reject" });
  return domainPage(request, {
    domain,
    period,
    tab: "sources",
    title: `Sources of ${domain}`,
    heading: (
      <>
        Sources of <ForeignText text={domain} />
      </>
    ),
    lead: (
      <>
        Who sent mail with this domain in its From header, <PeriodText period={period} />. A source is named by the
        domain that authenticated its mail, the sender's own where there is one; where nothing did, by its address.
      </>
    ),
    tables: [table, hits],
    body: (
      <>
        <BeforeDetails period={period} extent={extent} />
        {groups.length >= SOURCE_LIMITS.maxGroups && <PartialSources />}
        <UndecidedLink request={request} domain={domain} judged={judged} />
        <GroupChoice url={request.url} current={by} />
        {role !== undefined && <Filtered url={request.url} domain={domain} judged={judged} filter={{ role, step }} />}
        {table.view(request.url)}
        {step !== undefined && hits.view(request.url)}
      </>
    ),
  });
}

/** Addresses not known yet are looked up once the page was sent, and have their network and their name the next time. */
async function askOrigins(request: PageRequest, scope: DomainScope, by: SourceGrouping): Promise<SourceOrigin[]> {
  if (by === "address") return request.ask(sourceOriginsQuery(scope, by));
  const [origins, addresses] = await Promise.all([
    request.ask(sourceOriginsQuery(scope, by)),
    request.ask(sourceOriginsQuery(scope, "address")),
  ]);
  await askNames(
    request,
    addresses.map(({ name }) => name),
  );
  return origins;
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

/** What a link from the verdict's table asks for. */
interface Filter {
  role?: Role | undefined;
  step?: Step | undefined;
}

function readFilter(parameters: URLSearchParams): Filter {
  return {
    role: ROLES.find((role) => role === parameters.get("role")),
    step: STEPS.find((step) => step === parameters.get("step")),
  };
}

interface Selection {
  judged: readonly JudgedSource[];
  filter: Filter;
  domain: string;
}

/** The sources of a role of which the step hits something. */
function selectSources(sources: Source[], { judged, filter: { role, step }, domain }: Selection): Source[] {
  if (role === undefined) return sources;
  const names = new Set(
    judged
      .filter((source) => source.role === role && (step === undefined || hitsOf(source, step, domain) > 0))
      .map(({ name }) => name),
  );
  return sources.filter(({ name }) => names.has(name));
}

const STEP_WORDS: Record<Step, string> = {
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
  filter: Filter & { role: Role };
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
