/**
 * What Cloudflare asks for what the pipeline does: the paid plan's prices and what it includes, each with its page. They
 * were read in November 2026, from the documentation's repository (cloudflare/cloudflare-docs) where the page has no date.
 */

/** What one report takes of everything that is billed. */
export interface Usage {
  requests: number;
  cpuMilliseconds: number;
  kvReads: number;
  r2ClassA: number;
  r2ClassB: number;
  queueOperations: number;
  d1RowsWritten: number;
  d1RowsRead: number;
  logGigabytes: number;
  /** Logs are kept for seven days. */
  logGigabyteMonths: number;
  points: number;
}

export interface Price {
  name: string;
  /** What is included in a month, in the unit of the usage. */
  included: number;
  /** US dollars for so many units. */
  dollars: number;
  per: number;
  source: string;
}

/** The Workers Paid plan, US dollars a month. */
export const PLAN_DOLLARS = 5;

const MILLION = 1e6;
const WORKERS = "developers.cloudflare.com/workers/platform/pricing";
const R2 = "developers.cloudflare.com/r2/pricing";
const D1 = "developers.cloudflare.com/d1/platform/pricing";
const LOGS = "developers.cloudflare.com/observability/pricing, from 1 December 2026";

export const PRICES: Record<keyof Usage, Price> = {
  requests: { name: "Worker requests", included: 10 * MILLION, dollars: 0.3, per: MILLION, source: WORKERS },
  cpuMilliseconds: { name: "CPU, ms", included: 30 * MILLION, dollars: 0.02, per: MILLION, source: WORKERS },
  kvReads: {
    name: "KV reads",
    included: 10 * MILLION,
    dollars: 0.5,
    per: MILLION,
    source: "developers.cloudflare.com/kv/platform/pricing",
  },
  r2ClassA: { name: "R2 class A", included: MILLION, dollars: 4.5, per: MILLION, source: R2 },
  r2ClassB: { name: "R2 class B", included: 10 * MILLION, dollars: 0.36, per: MILLION, source: R2 },
  queueOperations: {
    name: "Queue operations",
    included: MILLION,
    dollars: 0.4,
    per: MILLION,
    source: "developers.cloudflare.com/queues/platform/pricing",
  },
  d1RowsWritten: { name: "D1 rows written", included: 50 * MILLION, dollars: 1, per: MILLION, source: D1 },
  d1RowsRead: { name: "D1 rows read", included: 25_000 * MILLION, dollars: 0.001, per: MILLION, source: D1 },
  logGigabytes: { name: "Logs, GB", included: 50, dollars: 0.25, per: 1, source: LOGS },
  logGigabyteMonths: { name: "Logs kept, GB-month", included: 12, dollars: 0.1, per: 1, source: LOGS },
  points: {
    name: "Analytics points",
    included: 10 * MILLION,
    dollars: 0.25,
    per: MILLION,
    source: "developers.cloudflare.com/analytics/analytics-engine/pricing; not billed yet",
  },
};

/** What is stored stays and is paid every month: US dollars for a GB and month, and what is included. */
export const STORAGE = {
  r2: { name: "R2", includedGigabytes: 10, dollars: 0.015, source: R2 },
  d1: { name: "D1", includedGigabytes: 5, dollars: 0.75, source: D1 },
} as const;

/** US dollars that one kind of usage costs in a month of so many reports. */
export function monthDollars(kind: keyof Usage, perReport: number, reports: number): number {
  const { included, dollars, per } = PRICES[kind];
  return (Math.max(0, perReport * reports - included) / per) * dollars;
}

/** US dollars that a further million reports costs in a month that already has 100 million. */
export function furtherMillionDollars(kind: keyof Usage, perReport: number): number {
  return monthDollars(kind, perReport, 101 * MILLION) - monthDollars(kind, perReport, 100 * MILLION);
}
