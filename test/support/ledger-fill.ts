/** Support: a ledger filled with reports as process would commit them, and the same reports for a plain count. */

import { type ReportSender, UNCHECKED } from "../../shared/authentication/sender-state.ts";
import { commitBatch, noChanges } from "../../shared/ledger/commit-batch.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import { FigureChunks, recordKey, resultLetters } from "../../shared/ledger/figures.ts";
import type { ObjectRow } from "../../shared/ledger/objects.ts";
import { type ReportReference, type ReportShare, sharesOf } from "../../shared/ledger/report-rows.ts";
import type { ReportWrite } from "../../shared/ledger/reports.ts";
import { stageFigures } from "../../shared/ledger/staged-figures.ts";
import type { AggregateRecord, AggregateReport, FailureReport, Report } from "../../shared/report/vocabulary.ts";

/** A batch that changes nothing. */
const NOTHING = noChanges();

/** A report with where it came from; records only of an aggregate report. */
export interface Sample {
  /** Who sent it; unchecked where that does not matter. */
  sender?: ReportSender;
  account: string;
  uid: string;
  report: Report;
  records: AggregateRecord[];
  receivedSeconds: number;
  rawKey?: string;
  generation?: number;
  /** Figures are written before the report, this many a chunk; absent = within its row. */
  chunkRecords?: number;
}

/** A record that passes as `domain` itself, with what a test changes. */
export function sampleRecord(domain: string, changes: Partial<AggregateRecord> = {}): AggregateRecord {
  return {
    sourceIp: "192.0.2.1",
    count: 1,
    disposition: "none",
    rawDisposition: "none",
    dkim: "pass",
    spf: "fail",
    reasons: [],
    headerFrom: domain,
    envelopeFrom: "",
    envelopeTo: "",
    dkimResults: [{ domain, selector: "s1", result: "pass", rawResult: "pass", humanResult: "" }],
    spfResults: [],
    ...changes,
  };
}

/** A report of a single failed message; what a test cares for is given. */
export function failureReport(given: Partial<FailureReport>): FailureReport {
  return {
    kind: "failure",
    originalHash: "",
    reportedDomain: "acme.example",
    sourceIp: "192.0.2.1",
    authFailure: "dmarc",
    arrivalSeconds: null,
    arrivalDate: "",
    deliveryResult: "reject",
    identityAlignment: "none",
    dkimDomain: "",
    dkimSelector: "",
    spfDomain: "",
    mailFromDomain: "",
    reportingMta: "mx.reporter.example",
    incidents: 1,
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
    ...given,
  };
}

/** The report of some records. */
export function aggregateReport(
  domain: string,
  {
    day,
    records,
    reporter = "Reporter",
    p = "none",
  }: { day: number; records: AggregateRecord[]; reporter?: string; p?: "none" | "quarantine" | "reject" },
): AggregateReport {
  const dispositions: Record<string, number> = {};
  for (const { disposition, count } of records) dispositions[disposition] = (dispositions[disposition] ?? 0) + count;
  const messages = records.reduce((sum, { count }) => sum + count, 0);
  const passed = records.reduce((sum, { count, dkim, spf }) => sum + (isPass({ dkim, spf }) ? count : 0), 0);
  return {
    kind: "aggregate",
    metadata: {
      orgName: reporter,
      email: `dmarc@${reporter.toLowerCase()}.example`,
      extraContactInfo: "",
      reportId: `${reporter}-${domain}-${day}`,
      beginSeconds: day * 86_400,
      endSeconds: day * 86_400 + 86_399,
      errors: [],
      generator: "",
      version: "1.0",
      format: "rfc7489",
    },
    policy: {
      domain,
      p,
      sp: p,
      np: p,
      adkim: "r",
      aspf: "r",
      pct: 100,
      fo: "",
      testing: false,
      discoveryMethod: "",
    },
    totals: { records: records.length, skippedRecords: 0, messages, passed, dispositions },
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
  };
}

export function isPass({ dkim, spf }: Pick<AggregateRecord, "dkim" | "spf">): boolean {
  return dkim === "pass" || spf === "pass";
}

function chunksOf(records: readonly AggregateRecord[], domain: string, chunkRecords: number): string[] {
  const chunks: string[] = [];
  for (let i = 0; i === 0 || i < records.length; i += chunkRecords) {
    const figures = new FigureChunks();
    for (const record of records.slice(i, i + chunkRecords)) figures.add(recordKey(record, domain), record.count);
    chunks.push(figures.take());
  }
  return chunks;
}

function shares({ report, records, receivedSeconds, chunkRecords, uid }: Sample): {
  shares: ReportShare[];
  staged: string[];
} {
  if (report.kind !== "aggregate")
    return { shares: sharesOf(report, { records: undefined, receivedSeconds }), staged: [] };
  const byResult = new Map<string, number>();
  for (const record of records) {
    const letters = resultLetters(record);
    byResult.set(letters, (byResult.get(letters) ?? 0) + record.count);
  }
  const figures = chunksOf(records, report.policy.domain, chunkRecords ?? Math.max(1, records.length));
  const isStaged = chunkRecords !== undefined;
  return {
    staged: isStaged ? figures : [],
    shares: sharesOf(report, {
      records: {
        byResult,
        figures: isStaged ? undefined : figures,
        reading: isStaged ? uid : undefined,
      },
      receivedSeconds,
    }),
  };
}

function headerOf(report: Report): Pick<ReportWrite, "reporter" | "reportId" | "beginSeconds" | "endSeconds"> {
  switch (report.kind) {
    case "aggregate": {
      const { orgName, reportId, beginSeconds, endSeconds } = report.metadata;
      return { reporter: orgName, reportId, beginSeconds, endSeconds };
    }
    case "tls":
      return {
        reporter: report.orgName,
        reportId: report.reportId,
        beginSeconds: report.beginSeconds,
        endSeconds: report.endSeconds,
      };
    case "failure": {
      const arrival = report.arrivalSeconds ?? 0;
      return { reporter: report.reportingMta, reportId: "", beginSeconds: arrival, endSeconds: arrival };
    }
  }
}

/** Commits reports in one transaction, each the only one of its object. */
export async function commitSamples(
  database: LedgerDatabase,
  samples: readonly Sample[],
  { nowSeconds, version = 0 }: { nowSeconds: number; version?: number },
): Promise<void> {
  const reports: { write: ReportWrite; reference: ReportReference }[] = [];
  const objects: ObjectRow[] = [];
  for (const sample of samples) {
    const { account, uid, report, receivedSeconds, generation = 1 } = sample;
    const rua = `dmarc@${account}.example`;
    const rawKey = sample.rawKey ?? `raw/2026/01/01/${uid}/report.xml`;
    const found = shares(sample);
    if (found.staged.length > 0)
      await stageFigures(database, { reading: uid, firstChunk: 0, figures: found.staged }, nowSeconds);
    const [first] = found.shares;
    if (first === undefined) throw new Error("a report without a row");
    const reference = { account, kind: report.kind, domain: first.domain, day: first.day, uid };
    reports.push({
      reference,
      write: {
        account,
        kind: report.kind,
        uid,
        version,
        generation,
        state: "accepted",
        contentHash: uid,
        ...headerOf(report),
        receivedSeconds,
        rua,
        rawKey,
        part: "",
        points: 1,
        highestPoints: 1,
        sender: sample.sender ?? UNCHECKED,
        shares: found.shares,
        spreadBefore: version === 0 ? [] : found.shares.map(({ domain, day }): [string, number] => [domain, day]),
      },
    });
    objects.push({
      rua,
      rawKey,
      receivedSeconds,
      account,
      version,
      generation,
      records: first.sums.records,
      reporter: 0,
      reports: 1,
      rawRemoved: false,
      found: 1,
      passedOver: {},
      outcomes: [
        { outcome: "accepted", part: "", id: uid, account, kind: report.kind, domain: first.domain, day: first.day },
      ],
    });
  }
  const committed = await commitBatch(database, { ...NOTHING, reports, objects }, nowSeconds);
  if (committed.state !== "committed") throw new Error("the ledger had changed");
}

/** Takes accepted reports out of the sums again, as running them again does where they are no longer there. */
export async function retractSamples(
  database: LedgerDatabase,
  samples: readonly Sample[],
  nowSeconds: number,
): Promise<void> {
  const reports = samples.map((sample) => {
    const { account, uid, report, receivedSeconds } = sample;
    const { shares: found } = shares(sample);
    const [first] = found;
    if (first === undefined) throw new Error("a report without a row");
    const reference = { account, kind: report.kind, domain: first.domain, day: first.day, uid };
    const write: ReportWrite = {
      account,
      kind: report.kind,
      uid,
      version: 1,
      generation: 2,
      state: "retracted",
      contentHash: uid,
      ...headerOf(report),
      receivedSeconds,
      rua: "",
      rawKey: "",
      part: "",
      points: 0,
      highestPoints: 0,
      sender: sample.sender ?? UNCHECKED,
      shares: [],
      spreadBefore: found.map(({ domain, day }): [string, number] => [domain, day]),
    };
    return { reference, write };
  });
  await commitBatch(database, { ...NOTHING, reports }, nowSeconds);
}

/** A dead letter; what a test cares for is given. */
export function deadLetterRow(given: Partial<DeadLetterRow> = {}): DeadLetterRow {
  return {
    id: "20260101-dead",
    day: 20_454,
    account: "acme",
    rua: "dmarc@acme.example",
    domain: "",
    code: "empty",
    message: "Nothing.",
    stage: "read",
    rawKey: "raw/1",
    part: "",
    generation: 1,
    receivedSeconds: 20_454 * 86_400,
    filedSeconds: 20_454 * 86_400,
    attempts: 1,
    queueMessage: {},
    ...given,
  };
}
