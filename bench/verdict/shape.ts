/**
 * The shape of traffic as reports tell of it: of a folder of reports, and of simulated domains. What is compared does not depend on
 * the names of domains, since most published reports have them replaced by one. It reads the folder only.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openFileSource } from "../../cli/file-source.ts";
import { parseFile } from "../../cli/parse-file.ts";
import { isLetThrough, passes } from "../../shared/guidance/evidence.ts";
import { textsOfRecord } from "../../shared/ledger/figures.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { RECEIVERS } from "./parameters.ts";
import { simulateOne } from "./score.ts";

/**
 * Shares of messages, of records, and of failing records. No report counts for more than `MAX_WEIGHT`, so that none tells of its domain
 * alone.
 */
export interface Shape {
  reports: number;
  records: number;
  /** Messages that pass by DKIM alone, SPF alone, both, neither; of records the same. */
  messages: Shares;
  byRecord: Shares;
  /** Of failing records. */
  failing: {
    letThrough: number;
    brokenSignature: number;
    spfPass: number;
    dkimPass: number;
    nothingPasses: number;
    nothingSigned: number;
  };
  messagesARecord: { median: number; p90: number };
  recordsAReport: { median: number; p99: number };
  /** In reports of Google about a day: what the size of domains shows in. */
  messagesADayAtGoogle: { median: number; p90: number };
  /** In reports of a hundred messages and more: the share of them that fails with a broken signature, as what is changed on the way does. */
  brokenInAReport: { median: number; p75: number; p90: number };
}

interface Shares {
  dkimOnly: number;
  spfOnly: number;
  both: number;
  neither: number;
}

/** Ours: the largest report of the public corpus has 88 % of its messages and 18 % of its records. */
const MAX_WEIGHT = { records: 50, messages: 500 };

/** A record as far as it is compared. */
type Compared = Pick<AggregateRecord, "dkim" | "spf" | "count" | "reasons" | "dkimResults" | "spfResults">;

interface Report {
  receiver: string;
  records: Compared[];
}

/** A record with its share of what its report counts for. */
interface Weighed {
  record: Compared;
  weight: number;
  messageWeight: number;
}

/** Both shapes, side by side. */
export async function compareShapes(folder: string, { domains, seed }: { domains: number; seed: number }) {
  const simulated = simulateReports(seed, Math.min(domains, MAX_DOMAINS));
  return {
    folder: shapeOf(await reportsIn(folder)),
    simulated: shapeOf(simulated.reports),
    simulatedSourcesADomain: { median: quantile(simulated.sources, 0.5), p90: quantile(simulated.sources, 0.9) },
  };
}

/** The reports about the domains of a seed, and how many addresses send in the name of each. */
function simulateReports(seed: number, domains: number): { reports: Report[]; sources: Counted[] } {
  const reports: Report[] = [];
  const sources: Counted[] = [];
  for (let number = 0; number < domains; number++) {
    const { traffic } = simulateOne(seed, number);
    if (traffic.sources > 0) sources.push({ value: traffic.sources, weight: 1 });
    const byReport = new Map<string, Report>();
    for (const { day, receiver, record } of traffic.reported) {
      const report = byReport.get(`${day} ${receiver}`) ?? { receiver, records: [] };
      report.records.push(...asWritten(record, receiver));
      byReport.set(`${day} ${receiver}`, report);
    }
    reports.push(...evenly([...byReport.values()], MAX_REPORTS));
  }
  return { reports, sources };
}

/** Ours: enough domains for a shape, few enough to hold their records. */
const MAX_DOMAINS = 400;
/** Ours: of a folder's domains there is mostly one report, whatever they send; so of large ones no more are taken. */
const MAX_REPORTS = 10;

/** Some of a list, at equal distances; all where there are no more. */
function evenly<T>(list: readonly T[], most: number): T[] {
  const distance = Math.max(1, list.length / most);
  return list.filter((_, i) => Math.floor(i / distance) !== Math.floor((i - 1) / distance));
}

/** The records that a receiver writes of what the simulation has as one. */
function asWritten(record: AggregateRecord, receiver: string): Compared[] {
  const most = RECEIVERS.find(({ name }) => name === receiver)?.messagesARecord ?? record.count;
  return Array.from({ length: Math.ceil(record.count / most) }, () => ({
    ...record,
    count: Math.min(most, record.count),
  }));
}

/** The reports of a folder, each once: parsers' samples have the same one bare, as gzip and as zip. */
async function reportsIn(folder: string): Promise<Report[]> {
  const found = new Map<string, Report>();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    await using source = await openFileSource(join(parentPath, name));
    const { reports } = await parseFile(name, source, { nowSeconds: Date.now() / 1000, keepRecords: true });
    for (const report of reports) {
      if (report.kind !== "aggregate") continue;
      const { orgName, reportId, domain, begin, rows = [] } = report;
      const key = JSON.stringify([orgName, reportId, domain, begin, rows.length]);
      found.set(key, { receiver: orgName, records: [...rows] });
    }
  }
  return [...found.values()];
}

function weigh({ records }: Report): Weighed[] {
  const weight = Math.min(1, MAX_WEIGHT.records / records.length);
  const ofMessage = Math.min(1, MAX_WEIGHT.messages / messagesOf(records));
  return records.map((record) => ({ record, weight, messageWeight: record.count * ofMessage }));
}

function messagesOf(records: readonly Compared[]): number {
  return records.reduce((sum, { count }) => sum + count, 0);
}

function shapeOf(reports: readonly Report[]): Shape {
  const weighed = reports.flatMap(weigh);
  const failing = weighed.filter(({ record }) => !passes(record));
  const counts = weighed.map(({ record, weight }) => ({ value: record.count, weight }));
  const lengths = reports.map(({ records }) => ({ value: records.length, weight: 1 }));
  const atGoogle = reports
    .filter(({ receiver }) => receiver === "google.com")
    .map(({ records }) => ({ value: messagesOf(records), weight: 1 }));
  const broken = reports
    .filter(({ records }) => messagesOf(records) >= 100)
    .map(({ records }) => {
      const changed = records.filter((record) => !passes(record) && isBroken(record));
      return { value: messagesOf(changed) / messagesOf(records), weight: 1 };
    });
  const of = (keep: (record: Compared) => boolean): number =>
    weightOf(failing.filter(({ record }) => keep(record))) / weightOf(failing);
  return {
    reports: reports.length,
    records: weighed.length,
    messages: sharesOf(weighed, ({ messageWeight }) => messageWeight),
    byRecord: sharesOf(weighed, ({ weight }) => weight),
    failing: {
      letThrough: of((record) => isLetThrough(textsOfRecord(record))),
      brokenSignature: of(({ dkimResults }) =>
        dkimResults.some(({ result }) => result !== "pass" && result !== "none"),
      ),
      spfPass: of(({ spfResults }) => spfResults.some(isPass)),
      dkimPass: of(({ dkimResults }) => dkimResults.some(isPass)),
      nothingPasses: of(({ dkimResults, spfResults }) => ![...dkimResults, ...spfResults].some(isPass)),
      nothingSigned: of(({ dkimResults }) => dkimResults.every(({ result }) => result === "none")),
    },
    messagesARecord: { median: quantile(counts, 0.5), p90: quantile(counts, 0.9) },
    recordsAReport: { median: quantile(lengths, 0.5), p99: quantile(lengths, 0.99) },
    messagesADayAtGoogle: { median: quantile(atGoogle, 0.5), p90: quantile(atGoogle, 0.9) },
    brokenInAReport: { median: quantile(broken, 0.5), p75: quantile(broken, 0.75), p90: quantile(broken, 0.9) },
  };
}

function isBroken({ dkimResults }: Compared): boolean {
  return dkimResults.some(({ result }) => result !== "pass" && result !== "none");
}

function isPass({ result }: { result: string }): boolean {
  return result === "pass";
}

function weightOf(weighed: readonly Weighed[]): number {
  return weighed.reduce((sum, { weight }) => sum + weight, 0);
}

function sharesOf(weighed: readonly Weighed[], weightOfOne: (one: Weighed) => number): Shares {
  const sums = { dkimOnly: 0, spfOnly: 0, both: 0, neither: 0 };
  let total = 0;
  for (const one of weighed) {
    const [dkim, spf] = [one.record.dkim === "pass", one.record.spf === "pass"];
    const kind = dkim && spf ? "both" : dkim ? "dkimOnly" : spf ? "spfOnly" : "neither";
    sums[kind] += weightOfOne(one);
    total += weightOfOne(one);
  }
  const { dkimOnly, spfOnly, both, neither } = sums;
  return { dkimOnly: dkimOnly / total, spfOnly: spfOnly / total, both: both / total, neither: neither / total };
}

interface Counted {
  value: number;
  weight: number;
}

function quantile(counted: readonly Counted[], share: number): number {
  const sorted = [...counted].sort((a, b) => a.value - b.value);
  let rest = share * sorted.reduce((sum, { weight }) => sum + weight, 0);
  for (const { value, weight } of sorted) {
    rest -= weight;
    if (rest < 0) return value;
  }
  return 0;
}
