/**
 * Who sends mail in a domain's name: groups of records become sources. A source is named by the organizational domain
 * that authenticated the mail: another organization's where there is one (a service signs or bounces as itself, even
 * where it also signs for the owner), else the owner's own, else the address. Pure.
 */
import { addFigures, type GroupFigures, type SourceGroup } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { hasPass, readAuthResults } from "./auth-results.ts";
import { knownService } from "./known-services.ts";

/** own: authenticated as the domain itself; other: as another organization; none: nothing authenticated it. */
export type SourceKind = "own" | "other" | "none";

/** A source with its figures over a period. */
export interface Source extends GroupFigures {
  /** Organizational domain, or the address. */
  name: string;
  kind: SourceKind;
  /** Name of the service, "" if it is not a known one. */
  service: string;
  /** Messages with any DKIM pass, any SPF pass, aligned or not. */
  dkimPassed: number;
  spfPassed: number;
}

/** What a record is identified by. */
export interface SourceEvidence {
  dkimResults: string;
  spfResults: string;
  sourceIp: string;
}

/** Who sent a record about `policyDomain`. */
export function identifySource(
  { dkimResults, spfResults, sourceIp }: SourceEvidence,
  policyDomain: string,
): { name: string; kind: SourceKind } {
  const own = organizationalDomain(policyDomain);
  const passes = [...readAuthResults(dkimResults), ...readAuthResults(spfResults)]
    .filter(({ result, domain }) => result === "pass" && domain !== "")
    .map(({ domain }) => organizationalDomain(domain));
  const other = passes.find((domain) => domain !== own);
  if (other !== undefined) return { name: other, kind: "other" };
  if (passes.length > 0) return { name: own, kind: "own" };
  return { name: sourceIp === "" ? "unknown" : sourceIp, kind: "none" };
}

/** Puts groups together by source, the largest first. */
export function mergeSources(groups: readonly SourceGroup[], policyDomain: string): Source[] {
  const sources = new Map<string, Source>();
  for (const group of groups) {
    const { name, kind } = identifySource(group, policyDomain);
    const known = sources.get(name);
    const one: Source = {
      ...group,
      name,
      kind,
      service: kind === "other" ? (knownService(name) ?? "") : "",
      dkimPassed: hasPass(group.dkimResults) ? group.messages : 0,
      spfPassed: hasPass(group.spfResults) ? group.messages : 0,
    };
    sources.set(name, known === undefined ? one : addSources(known, one));
  }
  return [...sources.values()].sort((a, b) => b.messages - a.messages || a.name.localeCompare(b.name));
}

function addSources(a: Source, b: Source): Source {
  return {
    ...a,
    ...addFigures(a, b),
    dkimPassed: a.dkimPassed + b.dkimPassed,
    spfPassed: a.spfPassed + b.spfPassed,
  };
}

/** Whether a source was never seen before a period; false where the data begins no earlier than the period. */
export function isNewSource(source: GroupFigures, { firstDay, dataSince }: { firstDay: number; dataSince: number }) {
  return source.firstDay >= firstDay && dataSince < firstDay;
}
