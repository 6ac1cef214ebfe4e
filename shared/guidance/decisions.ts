/** An owner's decisions by subject, and the one that applies to a sender: the most specific. Pure. */
import type { Decision } from "./roles.ts";
import type { SourceKind } from "./sources.ts";
import { familyBits, prefixBits, readSubject, serviceSubject } from "./subject.ts";

/** A sender that may be decided about. */
export interface DecidedAbout {
  /** Organizational domain, or the address. */
  name: string;
  kind: SourceKind;
  /** Name of the service, "" if it is not a known one. */
  service: string;
}

/** A decision with the subject it is about. */
export interface HoldingDecision {
  subject: string;
  decision: Decision;
}

/** Decisions indexed for lookup. */
export interface Decisions {
  /** By the subject's text. */
  all: ReadonlyMap<string, Decision>;
  /** Prefixes among them by their bits. */
  prefixes: ReadonlyMap<string, string>;
  /** The lengths of those prefixes, longest first. */
  lengths: readonly number[];
}

/** @param decisions by the subject's text; withdrawn ones ("undecided") do not apply */
export function readDecisions(decisions: Iterable<readonly [string, Decision | "undecided"]>): Decisions {
  const all = new Map<string, Decision>();
  const prefixes = new Map<string, string>();
  for (const [text, decision] of decisions) {
    if (decision === "undecided") continue;
    all.set(text, decision);
    const subject = readSubject(text);
    if (subject.ok && subject.value.kind === "prefix") prefixes.set(prefixBits(text), text);
  }
  const lengths = [...new Set([...prefixes.keys()].map(({ length }) => length))].sort((a, b) => b - a);
  return { all, prefixes, lengths };
}

/** The decision that applies to a sender; undefined if there is none. */
export function decisionAbout(
  { name, kind, service }: DecidedAbout,
  decisions: Decisions,
): HoldingDecision | undefined {
  const { all } = decisions;
  const subjects = [
    name,
    ...(kind === "none" ? prefixesOf(name, decisions) : []),
    ...(service === "" ? [] : [serviceSubject(service)]),
  ];
  for (const subject of subjects) {
    const decision = all.get(subject);
    if (decision !== undefined) return { subject, decision };
  }
  return undefined;
}

/** Decided prefixes that contain an address, longest first. */
function prefixesOf(address: string, { prefixes, lengths }: Decisions): string[] {
  if (lengths.length === 0) return [];
  const bits = familyBits(address);
  return lengths.flatMap((length) => (bits.length < length ? [] : (prefixes.get(bits.slice(0, length)) ?? [])));
}
