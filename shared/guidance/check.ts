/**
 * The result of a check of a domain's published records: a state, findings with the rule behind each, and what to
 * publish. Sentences are for people who are not experts: what is the case, then what to do. Pure.
 */

/** Good, needs attention, broken, or unknown because DNS did not answer. */
export type CheckState = "good" | "attention" | "broken" | "unknown";

/** A record to publish, ready to copy. */
export interface RecordToPublish {
  name: string;
  type: "TXT" | "CNAME";
  value: string;
}

export interface Finding {
  /** For programs; a code keeps its meaning. */
  code: string;
  state: CheckState;
  /** For people: what is the case, and what to do. */
  sentence: string;
  /** The rule behind it, with its section: "RFC 7208 section 4.6.4". */
  rule: string;
  publish?: RecordToPublish | undefined;
}

/** Evidence: a question and its answer. */
export interface AskedName {
  name: string;
  type: string;
  /** The status of the answer, or "answers". */
  status: string;
  records: string[];
}

/** The checks, in display order. */
export const CHECK_KINDS = ["dmarc", "spf", "dkim", "mtaSts", "tlsRpt", "dane", "bimi"] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** The names of checks for people. */
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

/** Sorts findings, worst first; within a state the order is kept. */
export function worstFirst<Found extends { state: CheckState }>(findings: readonly Found[]): Found[] {
  return [...findings].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
}

/** The worst of several states; "good" if there are none. Broken is worse than unknown. */
export function worstState(states: Iterable<CheckState>): CheckState {
  const found = new Set(states);
  return WORST_FIRST.find((state) => found.has(state)) ?? "good";
}
