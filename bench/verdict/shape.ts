/** The shape of traffic as reports tell of it: of a folder of reports, and of simulated domains. It reads the folder only. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openFileSource } from "../../cli/file-source.ts";
import { parseFile } from "../../cli/parse-file.ts";
import { organizationalDomain } from "../../shared/organizational-domain.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { simulateOne } from "./score.ts";

/** Shares of messages (and of records, where it says so); counts are medians. */
export interface Shape {
  records: number;
  /** Messages that pass by DKIM alone, SPF alone, both, neither; of records the same. */
  messages: Shares;
  byRecord: Shares;
  /** Of failing records. */
  failing: {
    withReason: number;
    brokenOwnSignature: number;
    spfOfAnother: number;
    unauthenticated: number;
  };
  messagesARecord: { median: number; p90: number };
}

interface Shares {
  dkimOnly: number;
  spfOnly: number;
  both: number;
  neither: number;
}

/** Both shapes, side by side. */
export async function compareShapes(folder: string, { domains, seed }: { domains: number; seed: number }) {
  const sources: number[] = [];
  const simulated: AggregateRecord[] = [];
  for (let number = 0; number < Math.min(domains, MAX_DOMAINS); number++) {
    const { traffic } = simulateOne(seed, number);
    sources.push(traffic.sources);
    for (const { record } of traffic.reported) simulated.push(record);
  }
  sources.sort((a, b) => a - b);
  return {
    folder: shapeOf(await recordsIn(folder)),
    simulated: shapeOf(simulated),
    simulatedSourcesADomain: { median: at(sources, 0.5), p90: at(sources, 0.9) },
  };
}

/** Ours: enough domains for a shape, few enough to hold their records. */
const MAX_DOMAINS = 200;

async function recordsIn(folder: string): Promise<AggregateRecord[]> {
  const found: AggregateRecord[] = [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    await using source = await openFileSource(join(parentPath, name));
    const { reports } = await parseFile(name, source, { nowSeconds: Date.now() / 1000, keepRecords: true });
    for (const report of reports) if (report.kind === "aggregate") found.push(...(report.rows ?? []));
  }
  return found;
}

function shapeOf(records: readonly AggregateRecord[]): Shape {
  const failing = records.filter(({ dkim, spf }) => dkim !== "pass" && spf !== "pass");
  const counts = records.map(({ count }) => count).sort((a, b) => a - b);
  const of = (keep: (record: AggregateRecord) => boolean): number => failing.filter(keep).length / failing.length;
  const isOwn = (domain: string, { headerFrom }: AggregateRecord): boolean =>
    domain !== "" && organizationalDomain(domain) === organizationalDomain(headerFrom);
  return {
    records: records.length,
    messages: sharesOf(records, ({ count }) => count),
    byRecord: sharesOf(records, () => 1),
    failing: {
      withReason: of(({ reasons }) => reasons.length > 0),
      brokenOwnSignature: of((record) =>
        record.dkimResults.some(
          ({ domain, result }) => isOwn(domain, record) && result !== "pass" && result !== "none",
        ),
      ),
      spfOfAnother: of((record) =>
        record.spfResults.some(({ domain, result }) => result === "pass" && !isOwn(domain, record)),
      ),
      unauthenticated: of(
        ({ dkimResults, spfResults }) => ![...dkimResults, ...spfResults].some(({ result }) => result === "pass"),
      ),
    },
    messagesARecord: { median: at(counts, 0.5), p90: at(counts, 0.9) },
  };
}

function sharesOf(records: readonly AggregateRecord[], weight: (record: AggregateRecord) => number): Shares {
  const sums = { dkimOnly: 0, spfOnly: 0, both: 0, neither: 0 };
  let total = 0;
  for (const record of records) {
    const [dkim, spf] = [record.dkim === "pass", record.spf === "pass"];
    const kind = dkim && spf ? "both" : dkim ? "dkimOnly" : spf ? "spfOnly" : "neither";
    sums[kind] += weight(record);
    total += weight(record);
  }
  const { dkimOnly, spfOnly, both, neither } = sums;
  return { dkimOnly: dkimOnly / total, spfOnly: spfOnly / total, both: both / total, neither: neither / total };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
