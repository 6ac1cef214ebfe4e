/** Sources: everybody who sent mail in a domain's name over a period. */
import { type JudgedSource, judgeSources, ROLES, type Role } from "../../../shared/guidance/roles.ts";
import { mergeSources, type Source } from "../../../shared/guidance/sources.ts";
import { decideBy } from "../../../shared/guidance/verdict-input.ts";
import { hitsOf, STEPS, type Step } from "../../../shared/guidance/what-if.ts";
import { extentQuery } from "../../../shared/ledger/domains.ts";
import { sourceOriginsQuery } from "../../../shared/ledger/source-groups.ts";
import { mailQuery, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { askNames } from "../data/address-names.ts";
import { formatCount } from "../data/numbers.ts";
import { BeforeDetails, detailsSince } from "../parts/before-details.tsx";
import { domainPage } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { domainPath } from "../parts/links.ts";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { askOne, domainScope, linkTo, linkWith, type PageRequest, periodOf } from "../parts/request.ts";
import { PartialSources } from "./overview.tsx";
import { decisionsBySource } from "./sender-decision.tsx";
import { byService, GroupChoice, groupingOf, groupsTable } from "./source-groups.tsx";
import { ROLE_WORDS, sourcesTable } from "./sources-table.tsx";

export async function sourcesPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const [{ sources: groups, evidence }, extent, decisions] = await Promise.all([
    askOne(request, mailQuery(scope)),
    askOne(request, extentQuery(scope)),
    decisionsBySource(request, domain),
  ]);
  const dataSince = detailsSince(extent);
  const isAllCounted = groups.every(({ uncounted }) => uncounted === 0);
  const counted = isAllCounted
    ? evidence
    : (await askOne(request, mailQuery({ ...scope, onlyCounted: true }))).evidence;
  const judged = judgeSources(counted, domain, decideBy(decisions));
  const filter = readFilter(request.parameters);
  const sources = selectSources(mergeSources(groups, domain), { judged, filter, domain });
  const { step } = filter;
  const by = groupingOf(request);
  // Those not known yet are looked up once the page was sent, and have their network the next time.
  if (by === "network")
    await askNames(
      request,
      groups.map(({ sourceIp }) => sourceIp),
    );
  const table =
    by === undefined
      ? sourcesTable(request, { domain, period, dataSince, decisions, judged, sources, step })
      : groupsTable(request, {
          domain,
          by,
          groups: by === "service" ? byService(sources) : await request.ask(sourceOriginsQuery(scope, by)),
        });
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
    tables: [table],
    body: (
      <>
        <BeforeDetails period={period} extent={extent} />
        {groups.length >= SOURCE_LIMITS.maxGroups && <PartialSources />}
        <UndecidedLink request={request} domain={domain} judged={judged} />
        <GroupChoice url={request.url} current={by} />
        {filter.role !== undefined && <Filtered url={request.url} filter={{ ...filter, role: filter.role }} />}
        {table.view(request.url)}
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

function Filtered({ url, filter: { role, step } }: { url: URL; filter: Filter & { role: Role } }) {
  return (
    <Note kind="done">
      Only sources that are {ROLE_WORDS[role]}
      {step !== undefined && <> and whose messages {STEP_WORDS[step]} would have hit</>}.{" "}
      <a href={linkWith(url, { role: undefined, step: undefined })}>Show all</a>
    </Note>
  );
}
