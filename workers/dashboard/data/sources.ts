/**
 * All senders of mail in a domain's name over a period: as judged, as decided by the owner, and grouped in other ways.
 */
import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import { mergeSources, type Source } from "../../../shared/guidance/sources.ts";
import { allSources } from "../../../shared/guidance/verdict.ts";
import { decideBy } from "../../../shared/guidance/verdict-input.ts";
import { hitsOf, type PolicyStep } from "../../../shared/guidance/what-if.ts";
import { type Extent, extentQuery } from "../../../shared/ledger/data-extent.ts";
import { checksQuery } from "../../../shared/ledger/domain-checks.ts";
import { askKnownSenders } from "../../../shared/ledger/known-senders.ts";
import type { SenderDecision } from "../../../shared/ledger/sender-decisions.ts";
import {
  SOURCE_GROUPINGS,
  type SourceGrouping,
  type SourceOrigin,
  sourceOriginsQuery,
} from "../../../shared/ledger/source-groups.ts";
import { addFigures, type Mail, mailQuery, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { askNames } from "./address-names.ts";
import { decisionsBySource } from "./decisions.ts";
import { askOne, domainScope, type LedgerRequest } from "./ledger-request.ts";
import type { Period } from "./period.ts";

/** What is known of them. */
export interface FoundSources {
  mail: Mail;
  /** The largest first. */
  sources: Source[];
  /** By the mail that the verdict counts. */
  judged: JudgedSource[];
  /** What the owner decided, by text of the subject. */
  decisions: ReadonlyMap<string, SenderDecision>;
  extent: Extent;
  /** A statement's limit was reached: these are the largest. */
  isPartial: boolean;
}

/** Asks for all of a domain. */
export async function askSources(request: LedgerRequest, domain: string, period: Period): Promise<FoundSources> {
  const scope = await domainScope(request, domain, period);
  const [mail, extent, decisions, checks] = await Promise.all([
    askOne(request, mailQuery(scope)),
    askOne(request, extentQuery(scope)),
    decisionsBySource(request, domain),
    request.ask(checksQuery(domain, scope.accounts)),
  ]);
  const isAllCounted = mail.sources.every(({ uncounted }) => uncounted === 0);
  const counted = isAllCounted ? mail : await askOne(request, mailQuery({ ...scope, onlyCounted: true }));
  const known = { domain, mail: counted, check: checks[0]?.check, nowSeconds: request.nowSeconds };
  const senders = await askKnownSenders((query) => request.ask(query), known);
  return {
    mail,
    sources: mergeSources(mail.sources, domain),
    judged: allSources({ ...senders, decide: decideBy(decisions) }),
    decisions,
    extent,
    isPartial: mail.sources.length >= SOURCE_LIMITS.maxGroups,
  };
}

/** Whose sources, and those of which a step of the policy hits something, as the verdict's table counts them. */
export interface SourceFilter {
  role?: Role | undefined;
  step?: PolicyStep | undefined;
}

interface Selection {
  judged: readonly JudgedSource[];
  filter: SourceFilter;
  domain: string;
}

/** The sources of a role of which the step hits something. */
export function selectSources(sources: Source[], { judged, filter: { role, step }, domain }: Selection): Source[] {
  if (role === undefined) return sources;
  const names = new Set(
    judged
      .filter((source) => source.role === role && (step === undefined || hitsOf(source, step, domain) > 0))
      .map(({ name }) => name),
  );
  return sources.filter(({ name }) => names.has(name));
}

/** What sources can be grouped by. */
export const GROUPINGS = ["service", ...SOURCE_GROUPINGS] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Unknown addresses are looked up after the page was sent; their network and name are there the next time. */
export async function askOrigins(
  request: LedgerRequest,
  domain: string,
  { period, by }: { period: Period; by: SourceGrouping },
): Promise<SourceOrigin[]> {
  const scope = await domainScope(request, domain, period);
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

/**
 * Sources of one service as one; a source of no known service stays as it is. `addresses` counts the rows that were
 * grouped.
 */
export function byService(sources: readonly Source[]): SourceOrigin[] {
  const groups = new Map<string, SourceOrigin>();
  for (const { kind: _, dkimPassed: __, spfPassed: ___, service, ...source } of sources) {
    const name = service === "" ? source.name : service;
    const known = groups.get(name);
    const one = { ...source, name, addresses: 1 };
    groups.set(
      name,
      known === undefined ? one : { name, addresses: known.addresses + 1, ...addFigures(known, source) },
    );
  }
  return [...groups.values()].sort((a, b) => b.messages - a.messages);
}
