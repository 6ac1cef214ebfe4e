/** What is known of one source, or of one address, over a period. */
import { domainName } from "../../../shared/domain-name.ts";
import type { AddressName } from "../../../shared/guidance/address-name.ts";
import { hasPass, readAuthResults } from "../../../shared/guidance/auth-results.ts";
import { identifySource, type SourceEvidence } from "../../../shared/guidance/sources.ts";
import type { Suggestion } from "../../../shared/guidance/suggest.ts";
import { type Extent, extentQuery } from "../../../shared/ledger/data-extent.ts";
import {
  type SourceDay,
  type SourceDetail,
  type SourceMatch,
  type SourceRecord,
  type SourceReport,
  sourceQuery,
  sourceReportsQuery,
} from "../../../shared/ledger/one-source.ts";
import { addFigures, type DomainScope, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { askNames } from "./address-names.ts";
import { askDecisions, type Decisions } from "./decisions.ts";
import { askOne, domainScope, type LedgerRequest } from "./ledger-request.ts";
import type { Period } from "./period.ts";
import { askSenders, keptNames } from "./senders.ts";
import { type Advice, askAdvice } from "./source-advice.ts";

/** Which one. */
export interface SourceChoice {
  domain: string;
  name: string;
  match: SourceMatch;
  /** Decides exactly; the text match in the statement only narrows it down. */
  isOfSource: (evidence: SourceEvidence) => boolean;
}

/** A source by its name (organizational domain), as the page Sources names it. */
export function sourceNamed({ domain, source: asked }: { domain: string; source: string }): SourceChoice {
  const source = domainName(asked);
  const isOfSource = (evidence: SourceEvidence): boolean => identifySource(evidence, domain).name === source;
  return { domain, name: source, match: { domain: source }, isOfSource };
}

/** One address, whatever its mail authenticated as. */
export function addressNamed({ domain, address }: { domain: string; address: string }): SourceChoice {
  return { domain, name: address, match: { sourceIp: address }, isOfSource: () => true };
}

/** What is known of the source: only its own rows. */
export interface FoundSource {
  groups: SourceDetail[];
  /** Messages by day and results, oldest first. */
  days: SourceDay[];
  records: SourceRecord[];
  reports: SourceReport[];
  extent: Extent;
  /** Names of its addresses. */
  names: ReadonlyMap<string, AddressName>;
  /** What the owner decided about it. */
  decisions: Decisions;
  /** What the list of senders suggests about it; undefined if it is decided, or nothing suggests a decision. */
  suggestion: Suggestion | undefined;
  /** undefined where there is no mail. */
  advice: Advice | undefined;
  /** A statement's limit was reached. */
  isPartial: boolean;
}

/** Asks for it. Addresses that have no name yet are looked up after the answer was sent. */
export async function askSource(
  request: LedgerRequest,
  { detail: { domain, name, match, isOfSource }, period }: { detail: SourceChoice; period: Period },
): Promise<FoundSource> {
  const scope = await domainScope(request, domain, period);
  const [figures, extent] = await Promise.all([
    askOne(request, sourceQuery(scope, match)),
    askOne(request, extentQuery(scope)),
  ]);
  const isSource = remembered(isOfSource);
  const isOwn = (row: Omit<SourceEvidence, "sourceIp">): boolean => isSource({ ...row, sourceIp: "" });
  const days = figures.days.filter(isOwn);
  const newest = [...new Set(days.map(({ day }) => day))].slice(-MAX_REPORT_DAYS);
  const groups = figures.groups.filter(isSource);
  const decided = askDecisions(request, { domain, source: name });
  const isAddress = "sourceIp" in match;
  // Side by side: one of them waits for DNS.
  const [{ records, reports }, names, decisions, suggestion, advice] = await Promise.all([
    askOne(request, sourceReportsQuery(scope, { match, days: newest })),
    askNames(
      request,
      groups.map(({ sourceIp }) => sourceIp),
    ),
    decided,
    decided.then((held) => (isDecided(held) ? undefined : askSuggestion(request, scope, name))),
    decided.then((held) => askAdvice(request, { domain, name, isAddress, groups, days, decisions: held })),
  ]);
  return {
    groups,
    names,
    days,
    records: records.filter(isSource).slice(0, SOURCE_LIMITS.maxRecords),
    reports: reports.filter(isOwn),
    extent,
    decisions,
    suggestion,
    advice,
    isPartial: figures.groups.length >= SOURCE_LIMITS.maxGroups,
  };
}

function isDecided({ wider, history: [last] }: Decisions): boolean {
  return wider !== undefined || (last !== undefined && last.decision !== "undecided");
}

/** As in the list of senders. Only known names are used: looking them up is left to that list. */
async function askSuggestion(
  request: LedgerRequest,
  scope: DomainScope,
  name: string,
): Promise<Suggestion | undefined> {
  const { nowSeconds } = request;
  const ask: LedgerRequest["ask"] = (query) => request.ask(query);
  const { senders } = await askSenders({ ask, names: keptNames(ask, nowSeconds), nowSeconds }, scope);
  return senders.find(({ source }) => source.name === name)?.suggestion;
}

/** Ours: days, the newest with mail of a source, on which its reports are searched for. */
const MAX_REPORT_DAYS = 31;

/** The same answer for the same evidence: naming a source needs the list of public suffixes. */
function remembered(isOfSource: (evidence: SourceEvidence) => boolean): (evidence: SourceEvidence) => boolean {
  const known = new Map<string, boolean>();
  return ({ dkimResults, spfResults, sourceIp }) => {
    const key = `${dkimResults}\n\n${spfResults}\n\n${sourceIp}`;
    const found = known.get(key) ?? isOfSource({ dkimResults, spfResults, sourceIp });
    known.set(key, found);
    return found;
  };
}

/** The mail of one address. */
export interface AddressRow extends SourceDetail {
  dkimPassed: number;
  spfPassed: number;
}

/** Figures by address, in the order of its groups. */
export function addressRows(groups: readonly SourceDetail[]): AddressRow[] {
  const rows = new Map<string, AddressRow>();
  for (const group of groups) {
    const dkimPassed = hasPass(group.dkimResults) ? group.messages : 0;
    const spfPassed = hasPass(group.spfResults) ? group.messages : 0;
    const known = rows.get(group.sourceIp);
    const row = known === undefined ? { ...group, dkimPassed, spfPassed } : { ...known, ...addFigures(known, group) };
    if (known !== undefined) {
      row.dkimPassed = known.dkimPassed + dkimPassed;
      row.spfPassed = known.spfPassed + spfPassed;
    }
    rows.set(group.sourceIp, row);
  }
  return [...rows.values()];
}

/** Messages with one result. `detail`: the selector, or the scope. */
export interface AuthRow {
  domain: string;
  detail: string;
  result: string;
  messages: number;
}

/** DKIM signatures by domain and selector, or SPF checks by domain and scope. */
export function authRows(kind: "dkim" | "spf", groups: readonly SourceDetail[]): AuthRow[] {
  const rows = new Map<string, AuthRow>();
  for (const group of groups) {
    for (const found of readAuthResults(kind === "dkim" ? group.dkimResults : group.spfResults)) {
      const key = JSON.stringify(found);
      const row = rows.get(key) ?? { ...found, messages: 0 };
      row.messages += group.messages;
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

/** Messages with one From domain and one of the envelope. */
export interface FromRow {
  headerFrom: string;
  envelopeFrom: string;
  messages: number;
  passed: number;
}

/** From domains, with the envelope's. */
export function fromRows(groups: readonly SourceDetail[]): FromRow[] {
  const rows = new Map<string, FromRow>();
  for (const { headerFrom, envelopeFrom, messages, passed } of groups) {
    const key = JSON.stringify([headerFrom, envelopeFrom]);
    const row = rows.get(key) ?? { headerFrom, envelopeFrom, messages: 0, passed: 0 };
    rows.set(key, { ...row, messages: row.messages + messages, passed: row.passed + passed });
  }
  return [...rows.values()];
}
