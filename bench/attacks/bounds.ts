/** What an attack may come to and take at most: one table, by the name of the mail, and general bounds for any other. Pure. */
import type { AttackResult } from "./measure.ts";
import { letterCount } from "./outcome.ts";

/** Bounds of one mail; what is absent is not bounded. Memory is growth over a Worker that has just started. */
export interface Bounds {
  ingestMegabytes: number;
  processMegabytes: number;
  /** Processor time of ingest, and of the longest invocation of process. */
  ingestCpuSeconds: number;
  processCpuSeconds: number;
  maxDeadLetters: number;
  /** Points of reports: records, TLS policies and details, failures. */
  maxPoints: number;
  /** Reports accepted, and dead letters, at least. */
  minAccepted: number;
  minDeadLetters: number;
  /** Messages, sessions or incidents that one point may count. */
  maxCount: number;
  /** Writing what came of it as CSV, seconds. */
  csvSeconds: number;
}

/** Points that do not matter, whatever the size of the mail. */
const HARMLESS_POINTS = 20_000;
/** A record takes 2 bytes at least of what was received (shared/limits.ts), as base64 with line ends 2.7 bytes of a mail. */
const MAIL_BYTES_PER_POINT = 2.7;

const GENERAL = {
  ingestMegabytes: 64,
  processMegabytes: 100,
  ingestCpuSeconds: 5,
  processCpuSeconds: 20,
  maxDeadLetters: 20,
  minAccepted: 0,
  minDeadLetters: 0,
  maxCount: 1e9,
  csvSeconds: 2,
};

/** Ingest must not keep the mails that wait for it: it has a second for any of these. */
const MALFORMED: Partial<Bounds> = { ingestCpuSeconds: 1, minDeadLetters: 1, maxPoints: 0, processCpuSeconds: 5 };
const UNREADABLE: Partial<Bounds> = { minDeadLetters: 1, maxPoints: 0, processCpuSeconds: 5 };

/** Narrower bounds, by the name of the mail without its number and extension. */
const OWN: Record<string, Partial<Bounds>> = {
  "bare-records-gz-gz": { maxPoints: 0 },
  "identical-records-gz-gz": { maxPoints: HARMLESS_POINTS },
  "zip-of-22-gzips": { minDeadLetters: 1, maxPoints: 0 },
  "empty-lines": MALFORMED,
  "crlf-lines": MALFORMED,
  boundaries: MALFORMED,
  "cc-groups": MALFORMED,
  "name-of-dots": { minAccepted: 1, maxPoints: 1, ingestCpuSeconds: 1 },
  "dkim-results": { maxPoints: 100 },
  ampersands: UNREADABLE,
  instructions: UNREADABLE,
  tabs: { maxPoints: 300, csvSeconds: 0.5 },
  "letter-flood": { minDeadLetters: 1, maxPoints: 0 },
  "period-1970-2083": { minDeadLetters: 1, maxPoints: 0 },
  "count-2-53": { maxPoints: 0 },
  "tls-two-policies": { minAccepted: 1, maxPoints: 1 },
};

/** The bounds of a mail by its file name, such as `04-empty-lines.eml`, and its size. */
export function boundsOf(fileName: string, bytes: number): Bounds {
  const name = fileName.replace(/^\d+-/, "").replace(/\.eml$/, "");
  const maxPoints = HARMLESS_POINTS + Math.floor(bytes / MAIL_BYTES_PER_POINT);
  return { ...GENERAL, maxPoints, ...OWN[name] };
}

/** What is out of bound, a sentence each. @param ownDomain the domain whose reports the address takes */
export function findBreaches(result: AttackResult, bounds: Bounds, ownDomain: string): string[] {
  const { ingest, process, outcomes } = result;
  const letters = letterCount(outcomes);
  const { records, tls, failures } = outcomes.points;
  const points = records + tls + failures;
  const above = (what: string, value: number, most: number): string[] =>
    value > most ? [`${what}: ${round(value)}, at most ${round(most)}`] : [];
  const below = (what: string, value: number, least: number): string[] =>
    value < least ? [`${what}: ${value}, at least ${least}`] : [];
  const foreign = outcomes.domains.filter((domain) => domain !== ownDomain && !domain.endsWith(`.${ownDomain}`));
  const settled = outcomes.accepted + outcomes.duplicates + outcomes.conflicts + outcomes.discarded + letters;
  return [
    ...ingest.failures.map((failure) => `ingest: ${failure}`),
    ...process.failures.map((failure) => `process: ${failure}`),
    ...above("memory of ingest, MB", ingest.megabytes, bounds.ingestMegabytes),
    ...above("memory of process, MB", process.megabytes, bounds.processMegabytes),
    ...above("CPU of ingest, s", ingest.cpuSeconds, bounds.ingestCpuSeconds),
    ...above("CPU of an invocation of process, s", process.cpuSeconds, bounds.processCpuSeconds),
    ...above("dead letters", letters, bounds.maxDeadLetters),
    ...above("points", points, bounds.maxPoints),
    ...above("counted by one point", outcomes.highestCount, bounds.maxCount),
    ...above("CSV, s", result.csvSeconds, bounds.csvSeconds),
    ...below("accepted reports", outcomes.accepted, bounds.minAccepted),
    ...below("dead letters", letters, bounds.minDeadLetters),
    ...below("outcomes", settled, ingest.rejected === "" ? 1 : 0),
    ...foreign.map((domain) => `points about ${domain}, which the address does not accept`),
  ];
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
