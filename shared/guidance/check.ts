/**
 * The shape of every check of a domain's published records: a state, findings with the rule behind each, and what to publish.
 * Words are for a person who is no expert: what is, then what to do. Pure.
 */

/** Good; to be looked at; broken; or nothing can be said, since DNS gave no answer. */
export type CheckState = "good" | "attention" | "broken" | "unknown";

/** A record to publish, ready to copy. */
export interface RecordToPublish {
  name: string;
  type: "TXT" | "CNAME";
  value: string;
}

/** One thing found. */
export interface Finding {
  /** For programs; a code keeps its meaning. */
  code: string;
  state: CheckState;
  /** For people: what is, and what to do. */
  sentence: string;
  /** The rule behind it, with its section: "RFC 7208 section 4.6.4". */
  rule: string;
  publish?: RecordToPublish | undefined;
}

/** A name that was asked about, and what came: the evidence. */
export interface AskedName {
  name: string;
  type: string;
  /** The status of the answer, or "answers". */
  status: string;
  records: string[];
}

/** The checks, in the order in which they are shown. */
export const CHECK_KINDS = ["dmarc", "spf", "dkim", "mtaSts", "tlsRpt", "dane", "bimi"] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** What checks are called. */
export const CHECK_TITLES: Record<CheckKind, string> = {
  dmarc: "DMARC",
  spf: "SPF",
  dkim: "DKIM",
  mtaSts: "MTA-STS",
  tlsRpt: "TLS reports",
  dane: "DANE",
  bimi: "BIMI",
};

/** One check of a domain. */
export interface Check {
  kind: CheckKind;
  state: CheckState;
  /** The whole in one line. */
  summary: string;
  findings: Finding[];
  asked: AskedName[];
}

const WORST_FIRST: CheckState[] = ["broken", "unknown", "attention", "good"];

/** Findings with the worst first; those of one state stay in order. */
export function worstFirst<Found extends { state: CheckState }>(findings: readonly Found[]): Found[] {
  return [...findings].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
}

/** The worst of some states; "good" where there are none. What is broken is so whatever else is unknown. */
export function worstState(states: Iterable<CheckState>): CheckState {
  const found = new Set(states);
  return WORST_FIRST.find((state) => found.has(state)) ?? "good";
}
