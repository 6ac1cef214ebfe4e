/**
 * The report job: one raw object, read to its end, then every report in it accepted (ledger, points, event) and every
 * problem filed as a dead letter; a receipt last. Any step may be repeated: nothing is counted twice.
 */
import { createHash } from "node:crypto";
import { domainOf, eventId, reportUid } from "../../shared/identity.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { acceptsDomain, findRegistration, type Registration } from "../../shared/registry.ts";
import { type Problem, problem } from "../../shared/report/problems.ts";
import { readReports } from "../../shared/report/read.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";
import { type LedgerEntry, type Receipt, type ReceiptOutcome, receiptKey } from "../../shared/storage.ts";
import { fileDeadLetter } from "./dead-letters.ts";
import type { JobContext } from "./env.ts";
import { writeEvent } from "./events.ts";
import { claimReport } from "./ledger.ts";
import { openRawObject } from "./raw-object.ts";
import { type AcceptedReport, pointCountOf, writeLargeReports, writeReport } from "./write-report.ts";

/** What the first reading found in an object, in order. */
type Finding =
  | { part: string; report: Report; records: AggregateRecord[] | undefined }
  | { part: string; problem: Problem };

/** One raw object being processed. */
export interface ReportJob {
  message: ReportMessage;
  context: JobContext;
  /** Account of the address; "" when it is no longer registered. */
  account: string;
}

/** Runs the job. @returns the log entry; @throws at faults of the platform, to be retried */
export async function processReport(message: ReportMessage, context: JobContext): Promise<Record<string, unknown>> {
  const registration = await findRegistration(context.env.KV_DMARC_REPORTS, message.rua);
  const job: ReportJob = { message, context, account: registration?.entry.account ?? "" };
  const source = await openRawObject(context.env.R2_DMARC_REPORTS, message.key);
  if (source === undefined)
    return finish(job, [await rejectPart(job, { part: "", problem: problem("missing_object") })]);
  if (registration === undefined) {
    const unregistered = problem("unregistered_rua", message.rua);
    return finish(job, [await rejectPart(job, { part: "", problem: unregistered })]);
  }
  const outcomes: ReceiptOutcome[] = [];
  const large: AcceptedReport[] = [];
  for (const finding of await readFindings(source)) {
    outcomes.push(await settle(finding, { job, registration, large }));
  }
  if (large.length > 0) await writeLargeReports(source, large, job);
  return finish(job, outcomes);
}

/** The first reading: everything validated and counted, the records of small reports kept. */
async function readFindings(source: ByteSource): Promise<Finding[]> {
  const findings: Finding[] = [];
  let heldRecords = 0;
  let held: AggregateRecord[] | undefined = [];
  for await (const event of readReports(source, { createHash: () => createHash("sha256") })) {
    if (event.type === "records") {
      const fits: boolean = held !== undefined && heldRecords + event.records.length <= PROCESS_LIMITS.maxHeldRecords;
      heldRecords += fits ? event.records.length : -(held?.length ?? 0);
      if (fits) held?.push(...event.records);
      else held = undefined;
      continue;
    }
    if (event.type === "report") findings.push({ part: event.part, report: event.report, records: held });
    else {
      findings.push({ part: event.part, problem: event.problem });
      heldRecords -= held?.length ?? 0;
    }
    held = [];
  }
  return findings;
}

interface Settling {
  job: ReportJob;
  registration: Registration;
  /** Collects the accepted reports whose records must be read again. */
  large: AcceptedReport[];
}

async function settle(finding: Finding, { job, registration, large }: Settling): Promise<ReceiptOutcome> {
  if ("problem" in finding) return rejectPart(job, finding);
  const { part, report, records } = finding;
  const domain = domainOf(report);
  if (!acceptsDomain(registration.entry, domain)) {
    return rejectPart(job, { part, problem: problem("foreign_domain", domain) }, domain);
  }
  const { env, nowSeconds } = job.context;
  const entry: LedgerEntry = {
    v: 1,
    uid: await reportUid(job.account, report),
    account: job.account,
    rua: registration.rua,
    rawKey: job.message.key,
    part,
    generation: job.message.generation ?? 1,
    pointCount: pointCountOf(report),
    receivedSeconds: job.message.receivedSeconds,
    processedSeconds: nowSeconds,
    report,
  };
  const claim = await claimReport(env.R2_DMARC_REPORTS, entry);
  if (claim.verdict !== "accepted") {
    if (claim.verdict === "conflict") {
      return rejectPart(job, { part, problem: problem("conflict", `first in ${claim.entry.rawKey}`) }, domain);
    }
    const id = await eventId(entry.rawKey, part, "duplicate");
    await writeEvent(job, { id, outcome: "duplicate", part, report });
    return { outcome: "duplicate", id: entry.uid, part };
  }
  const accepted: AcceptedReport = { part, report, entry: claim.entry, replaces: claim.replaces };
  if (records === undefined) large.push(accepted);
  else await writeReport(accepted, records, job);
  await writeEvent(job, { id: entry.uid, outcome: "accepted", part, report });
  return { outcome: "accepted", id: entry.uid, part };
}

async function rejectPart(
  job: ReportJob,
  rejected: { part: string; problem: Problem },
  domain = "",
): Promise<ReceiptOutcome> {
  const { message, context, account } = job;
  const id = await fileDeadLetter(
    {
      reason: rejected.problem,
      stage: "read",
      account,
      rua: message.rua,
      domain,
      rawKey: message.key,
      part: rejected.part,
      message,
    },
    { context, receivedSeconds: message.receivedSeconds },
  );
  await writeEvent(job, { id, outcome: "dead_letter", part: rejected.part, code: rejected.problem.code, domain });
  return { outcome: "dead_letter", id, part: rejected.part };
}

async function finish(job: ReportJob, outcomes: ReceiptOutcome[]): Promise<Record<string, unknown>> {
  const { message, context } = job;
  const receipt: Receipt = { v: 1, rawKey: message.key, processedSeconds: context.nowSeconds, outcomes };
  await context.env.R2_DMARC_REPORTS.put(receiptKey(message.key), JSON.stringify(receipt));
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { event: "report", rua: message.rua, key: message.key, outcome: Object.keys(counts).join(", "), counts };
}
