/**
 * What rules look at: a domain's senders day by day over five weeks, who reported, what it publishes, and what was
 * announced before. Built from the ledger by process, and from simulated mail by the benchmark. Pure.
 */
import { isLetThrough, passes } from "../guidance/evidence.ts";
import type { Role, RoleReason } from "../guidance/roles.ts";
import { identifySource, type SourceEvidence } from "../guidance/sources.ts";
import type { StoredCheck } from "../guidance/stored-check.ts";
import type { Verdict, VerdictState } from "../guidance/verdict.ts";
import type { SeenChange } from "../ledger/domain-checks.ts";
import type { Evidence } from "../ledger/sources.ts";
import type { Finding, Incident, RuleCode } from "./finding.ts";

/** Messages of a sender on one day. */
export interface DayFigures {
  /** Since 1970-01-01 UTC. */
  day: number;
  messages: number;
  passed: number;
  /** Failing ones whose receiver named a reason for letting them through. */
  letThrough: number;
  /** Failing ones that were quarantined or rejected. */
  refused: number;
}

/** Mail with the same authentication results, or from the same unauthenticated address, by day. */
export interface SourceHistory extends SourceEvidence {
  days: readonly DayFigures[];
}

/** One sender: a service or another organization, an address, or all of the owner's own servers. */
export interface Sender {
  /** Organizational domain or address; of the owner's own servers the domain. */
  name: string;
  kind: "ownServers" | "other" | "none";
  /** "" if it is no known service. */
  service: string;
  role: Role;
  reason: RoleReason;
  /** First day on which it was ever seen in the details kept. */
  firstDay: number;
  /** In how many of the verdict's ten parts of 30 days there was mail. */
  activeParts: number;
  /** Oldest first; days without mail are left out. */
  days: DayFigures[];
  /** Groups of its mail of 30 days. */
  evidence: Evidence[];
}

/** Who reported, and on which days (of the reports' periods), oldest first. */
export interface ReporterDays {
  reporter: string;
  days: number[];
}

/** TLS sessions of one day. */
export interface TlsSessions {
  day: number;
  successful: number;
  failed: number;
}

/** Failed sessions for one reason, the newest days. */
export interface TlsReason {
  resultType: string;
  sessions: number;
}

/** Everything about one domain at one time. */
export interface Figures {
  domain: string;
  /** Since 1970-01-01 UTC. */
  today: number;
  nowSeconds: number;
  senders: readonly Sender[];
  /** First day of any mail; `today` where there is none. */
  dataSince: number;
  verdict: Verdict;
  /** When the verdict's state was first found. */
  stateSinceSeconds: number;
  /** The state that was announced last, "" before the first. */
  toldState: VerdictState | "";
  /** Policies that reports saw, the one seen last first. */
  policies: readonly { policy: string; firstDay: number; lastDay: number }[];
  reporters: readonly ReporterDays[];
  /** RUA addresses that reports came to, the newest first. */
  ruaAddresses: readonly string[];
  /** What the domain publishes; undefined where it was never checked. */
  check: StoredCheck | undefined;
  /** Newest first. */
  changes: readonly SeenChange[];
  /** RUA addresses in lower case whose mail was refused lately. */
  refusedAddresses: ReadonlySet<string>;
  tlsDays: readonly TlsSessions[];
  tlsReasons: readonly TlsReason[];
  /** When an open incident was opened, in seconds; undefined where there is none. */
  openedSeconds(rule: RuleCode, subject: string): number | undefined;
}

/** When open incidents were opened, by rule and subject. */
export function openedSecondsOf(incidents: readonly Incident[]): Figures["openedSeconds"] {
  const opened = new Map(
    incidents
      .filter(({ state }) => state === "open")
      .map(({ rule, subject, openedSeconds }) => [`${rule} ${subject}`, openedSeconds]),
  );
  return (rule, subject) => opened.get(`${rule} ${subject}`);
}

/** A rule: what it finds now, given what the rules before it found. */
export interface Rule {
  code: RuleCode;
  find(figures: Figures, found: readonly Finding[]): Finding[];
}

/** Addresses that are too many to list one by one, or have sent nothing for a month: spoofed mail comes from many. */
const STRANGERS = {
  name: "",
  kind: "none",
  service: "",
  role: "foreign",
  reason: "fewMessages",
  firstDay: 0,
  activeParts: 0,
} as const;

/**
 * Puts histories and judged sources together by sender. The owner's own servers are one, whatever their addresses.
 *
 * @param firstDays name → first day on which the source was seen in all details kept
 */
export function sendersOf(
  histories: readonly SourceHistory[],
  { domain, sources }: Pick<Verdict, "domain" | "sources">,
  firstDays: ReadonlyMap<string, number>,
): Sender[] {
  const senders = new Map<string, Sender & { byDay: Map<number, DayFigures> }>();
  const names = new Map<string, string>();
  for (const source of sources) {
    if (source.name === "") continue;
    const isOwn = source.kind === "own" || (source.kind === "none" && source.role === "own");
    const name = isOwn ? domain : source.name;
    names.set(source.name, name);
    const known = senders.get(name);
    const firstDay = firstDays.get(source.name) ?? source.firstDay;
    if (known !== undefined) {
      known.firstDay = Math.min(known.firstDay, firstDay);
      known.activeParts = Math.max(known.activeParts, source.activeParts);
      known.evidence.push(...source.evidence);
      continue;
    }
    const { service, role, reason, activeParts } = source;
    senders.set(name, {
      name,
      kind: isOwn ? "ownServers" : source.kind === "none" ? "none" : "other",
      service,
      role: isOwn ? "own" : role,
      reason,
      firstDay,
      activeParts,
      days: [],
      evidence: [...source.evidence],
      byDay: new Map(),
    });
  }
  const rest = { ...STRANGERS, days: [], evidence: [], byDay: new Map<number, DayFigures>() };
  for (const history of histories) {
    const { name, kind } = identifySource(history, domain);
    const known = senders.get(names.get(name) ?? "");
    if (known === undefined && kind !== "none") continue;
    for (const figures of history.days) addDay((known ?? rest).byDay, figures);
  }
  return [...senders.values(), rest].map(({ byDay, ...sender }) => ({
    ...sender,
    days: [...byDay.values()].sort((a, b) => a.day - b.day),
  }));
}

function addDay(byDay: Map<number, DayFigures>, figures: DayFigures): void {
  const known = byDay.get(figures.day);
  if (known === undefined) {
    byDay.set(figures.day, { ...figures });
    return;
  }
  known.messages += figures.messages;
  known.passed += figures.passed;
  known.letThrough += figures.letThrough;
  known.refused += figures.refused;
}

/** Sums over days. */
export function sumDays(days: readonly DayFigures[]): Omit<DayFigures, "day"> & { failing: number } {
  const sum = { messages: 0, passed: 0, letThrough: 0, refused: 0, failing: 0 };
  for (const { messages, passed, letThrough, refused } of days) {
    sum.messages += messages;
    sum.passed += passed;
    sum.letThrough += letThrough;
    sum.refused += refused;
    sum.failing += messages - passed - letThrough;
  }
  return sum;
}

/**
 * A sender's newest days: as many as it takes to reach a number of messages, at most a week. Empty if they do not reach
 * it.
 */
export function newestDays(days: readonly DayFigures[], today: number, minMessages: number): DayFigures[] {
  const newest: DayFigures[] = [];
  let messages = 0;
  for (const figures of days.toReversed()) {
    if (figures.day < today - 7) break;
    newest.unshift(figures);
    messages += figures.messages;
    if (messages >= minMessages) return newest;
  }
  return [];
}

/**
 * Whether it has repeatedly been as bad before: weekly mail that always fails is not a change.
 *
 * @param shareOf what is bad of a day, from 0 to 1
 */
export function isRecurring(days: readonly DayFigures[], share: number, shareOf: (day: DayFigures) => number): boolean {
  let runs = 0;
  let isBad = false;
  for (const day of days) {
    const isBadToo = shareOf(day) >= share / 2;
    if (isBadToo && !isBad) runs += 1;
    isBad = isBadToo;
  }
  return runs >= 2;
}

/** Failing mail among evidence that no receiver let through. */
export function failingOf(evidence: readonly Evidence[]): Evidence[] {
  return evidence.filter((one) => !passes(one) && !isLetThrough(one));
}

/** Standard deviations by which `hits` of `count` are more than a share leads to expect. */
export function excess(hits: number, count: number, share: number): number {
  const expected = Math.min(0.99, Math.max(0.005, share));
  return (hits - count * expected) / Math.sqrt(count * expected * (1 - expected));
}
