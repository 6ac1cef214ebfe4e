/**
 * Compares the ledger's sums with those of Analytics Engine: which figures differ, by domain and day, by how much, and
 * possible reasons. Pure: makes no requests and prints nothing.
 */
import type { Sampling } from "../shared/analytics/statements.ts";
import { ANALYTICS_LIMITS } from "../shared/limits.ts";

/** The figures compared, by kind of report. */
const COMPARED = {
  aggregate: ["records", "messages", "passed"],
  tls: ["successfulSessions", "failedSessions"],
  failure: ["incidents"],
} as const;

export type ComparedKind = keyof typeof COMPARED;
export type Figure = (typeof COMPARED)[ComparedKind][number];

/** Every figure, in display order. */
export const FIGURES: readonly Figure[] = Object.values(COMPARED).flat();

/** Figures of one domain and day; one that is absent is 0. */
export interface SumsOfDay {
  domain: string;
  /** Days since 1970-01-01 UTC. */
  day: number;
  figures: Partial<Record<Figure, number>>;
  /** The part from reports over several days, known only to the ledger. */
  spread?: number;
}

/** The same, according to Analytics Engine. */
export interface EngineSumsOfDay extends SumsOfDay {
  sampling: Sampling;
}

/** One figure on both sides. */
export interface Pair {
  ledger: number;
  engine: number;
  /** The engine's value minus the ledger's. */
  difference: number;
}

export interface ComparedDay {
  domain: string;
  day: number;
  isEqual: boolean;
  figures: Record<Figure, Pair>;
}

export interface Comparison {
  isEqual: boolean;
  /** By day, then by domain. */
  days: ComparedDay[];
  /** Over all days. */
  totals: Record<Figure, Pair>;
  /** Of all points behind the engine's sums. */
  sampling: Sampling;
  /** Whether any day in the ledger includes a share of a report over several days. */
  hasSpread: boolean;
}

/** Joins both sides; rows of the same domain and day are added up. */
export function compare(ledger: readonly SumsOfDay[], engine: readonly EngineSumsOfDay[]): Comparison {
  const days = new Map<string, ComparedDay>();
  const dayOf = ({ domain, day }: SumsOfDay): ComparedDay => {
    const key = `${day} ${domain}`;
    const known = days.get(key) ?? { domain, day, isEqual: true, figures: noPairs() };
    days.set(key, known);
    return known;
  };
  for (const sums of ledger) add(dayOf(sums).figures, "ledger", sums);
  for (const sums of engine) add(dayOf(sums).figures, "engine", sums);
  const totals = noPairs();
  for (const compared of days.values()) {
    for (const figure of FIGURES) {
      const pair = compared.figures[figure];
      pair.difference = difference(pair);
      if (pair.difference !== 0) compared.isEqual = false;
      totals[figure].ledger += pair.ledger;
      totals[figure].engine += pair.engine;
    }
  }
  for (const figure of FIGURES) totals[figure].difference = difference(totals[figure]);
  return {
    // Days may differ in both directions, so equal totals alone prove nothing.
    isEqual: [...days.values()].every(({ isEqual }) => isEqual),
    days: [...days.values()].sort((a, b) => a.day - b.day || (a.domain < b.domain ? -1 : 1)),
    totals,
    sampling: engine.map(({ sampling }) => sampling).reduce(addSampling, NO_POINTS),
    hasSpread: ledger.some(({ spread = 0 }) => spread > 0),
  };
}

function noPairs(): Record<Figure, Pair> {
  const none = (): Pair => ({ ledger: 0, engine: 0, difference: 0 });
  return {
    records: none(),
    messages: none(),
    passed: none(),
    successfulSessions: none(),
    failedSessions: none(),
    incidents: none(),
  };
}

function add(pairs: Record<Figure, Pair>, side: "ledger" | "engine", { figures }: SumsOfDay): void {
  for (const figure of FIGURES) pairs[figure][side] += figures[figure] ?? 0;
}

function difference({ ledger, engine }: Pair): number {
  return engine - ledger;
}

const NO_POINTS: Sampling = { points: 0, highestInterval: 0, meanInterval: 0 };

function addSampling(a: Sampling, b: Sampling): Sampling {
  const points = a.points + b.points;
  return {
    points,
    highestInterval: Math.max(a.highestInterval, b.highestInterval),
    meanInterval: points === 0 ? 0 : (a.meanInterval * a.points + b.meanInterval * b.points) / points,
  };
}

/** What else is known. */
export interface Circumstances {
  /** Days since 1970-01-01 UTC. */
  today: number;
  /** Messages in the queues. */
  waiting: number;
  /** Reports with points still to be written. */
  pointsDue: number;
}

/** How the points were sampled, in one sentence; undefined if the engine has none. */
export function sampleSentence({ points, highestInterval, meanInterval }: Sampling): string | undefined {
  if (points === 0) return undefined;
  if (highestInterval <= 1) return "Nothing was sampled: each point represents itself (_sample_interval is 1).";
  const mean = Math.round(meanInterval * 100) / 100;
  return (
    `Analytics Engine sampled: a kept point represents ${mean} written ones on average, ${highestInterval} at most ` +
    "(_sample_interval, mean and maximum). Its sums are estimates; the ledger's are exact."
  );
}

/** Possible reasons for a difference, one sentence each; none if there is no difference. */
export function reasonsOf(comparison: Comparison, { today, waiting, pointsDue }: Circumstances): string[] {
  if (comparison.isEqual) return [];
  const different = comparison.days.filter(({ isEqual }) => !isEqual);
  const old = different.filter(({ day }) => day < today - ANALYTICS_LIMITS.keptDays).length;
  const reasons: string[] = [];
  if (comparison.hasSpread) {
    reasons.push(
      "Reports over several days: the ledger spreads what they count over their days, the engine has it on the day in the middle.",
    );
  }
  if (comparison.sampling.highestInterval > 1) {
    reasons.push("Sampling: above about a hundred points a second, or in one burst, the engine keeps a part of them.");
  }
  if (old > 0) {
    reasons.push(
      `Age: days older than three months, as long as points are kept: ${old} of the ${different.length} that differ.`,
    );
  }
  if (waiting > 0 || pointsDue > 0) {
    reasons.push(
      `Write lag: messages waiting in the queues: ${waiting}, reports with unwritten points: ${pointsDue}. Compare again when both are 0.`,
    );
  }
  if (reasons.length > 0) return reasons;
  return [
    "There is no known explanation. In production a point may take minutes to appear; on one machine this is a " +
      "fault. dmarc reprocess writes the points again.",
  ];
}
