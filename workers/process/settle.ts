/** What becomes of one report or problem found in a raw object: accepted, duplicate, conflict, dead letter, discarded. */
import { pointCountOf } from "../../shared/analytics/points.ts";
import { eventId, reportUid } from "../../shared/identity.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import type { Registration } from "../../shared/registry.ts";
import { deadLetterKey, type LedgerEntry, type Receipt, type ReceiptOutcome } from "../../shared/storage.ts";
import { fileConflict } from "./conflicts.ts";
import { fileDeadLetter } from "./dead-letters.ts";
import type { JobContext } from "./env.ts";
import { type EventOutcome, eventPoint } from "./events.ts";
import type { Finding, FoundProblem, FoundReport } from "./findings.ts";
import { claimReport } from "./ledger.ts";
import { writePoints } from "./points.ts";
import { type AcceptedReport, writeReport } from "./write-report.ts";

/** One raw object being processed. */
export interface ReportJob {
  message: ReportMessage;
  context: JobContext;
  generation: number;
  /** undefined when the address is no longer registered. */
  registration: Registration | undefined;
  /** What became of it when it was run before. */
  previous: Receipt | undefined;
}

/**
 * Settles one finding, its points and event included.
 *
 * @param large collects, by document, the accepted reports whose records must be read again; their points and event are
 *   still to be written
 */
export async function settle(
  finding: Finding,
  job: ReportJob,
  large: Map<number, AcceptedReport>,
): Promise<ReceiptOutcome> {
  if ("problem" in finding) return rejectPart(job, finding);
  const { part, report, records } = finding;
  const entry = await ledgerEntry(finding, job);
  if (report.kind === "failure" && job.registration?.entry.failureReports === "off") return discard(entry, job);
  const { message, context } = job;
  const claim = await claimReport(context.env.R2_DMARC_REPORTS, { entry, acceptHash: message.acceptHash });
  switch (claim.verdict) {
    case "conflict":
      return fileConflict({ entry, accepted: claim.entry, ledgerKey: claim.key }, context);
    case "duplicate":
      await writeEvent(entry, { outcome: "duplicate", id: await eventId(entry.rawKey, part, "duplicate") }, context);
      return { outcome: "duplicate", id: entry.uid, part, key: claim.key };
    case "accepted": {
      const outcome = message.generation === undefined ? "accepted" : "reprocessed";
      const event = eventOf(claim.entry, { outcome, id: entry.uid }, context);
      const accepted: AcceptedReport = { entry: claim.entry, event };
      if (records === undefined) large.set(finding.document, accepted);
      else await writeReport(accepted, records, context);
      return { outcome: "accepted", id: entry.uid, part, key: claim.key };
    }
  }
}

/** Files a part that cannot become data, whole objects included. */
export async function rejectPart(job: ReportJob, rejected: FoundProblem): Promise<ReceiptOutcome> {
  const { message, context, generation, registration } = job;
  const { part, domain = "" } = rejected;
  const { id } = await fileDeadLetter(
    {
      ...{ reason: rejected.problem, stage: "read", domain, part, generation, message },
      account: registration?.entry.account ?? "",
      rua: message.rua,
      rawKey: message.key,
      receivedSeconds: message.receivedSeconds,
    },
    context,
  );
  return { outcome: "dead_letter", id, part, key: deadLetterKey(id) };
}

async function ledgerEntry({ part, report }: FoundReport, job: ReportJob): Promise<LedgerEntry> {
  const { message, context, generation, registration } = job;
  const account = registration?.entry.account ?? "";
  const pointCount = pointCountOf(report);
  return {
    ...{ v: 1, uid: await reportUid(account, report), account, rua: message.rua, rawKey: message.key, part },
    ...{ generation, pointCount, highestPointCount: pointCount, refusedHashes: [] },
    ...{ receivedSeconds: message.receivedSeconds, processedSeconds: context.nowSeconds, report },
  };
}

async function discard(entry: LedgerEntry, { context }: ReportJob): Promise<ReceiptOutcome> {
  const id = await eventId(entry.rawKey, entry.part, "discarded");
  await writeEvent(entry, { outcome: "discarded", id }, context);
  return { outcome: "discarded", id, part: entry.part, key: "" };
}

type NamedOutcome = { outcome: EventOutcome; id: string };

function eventOf(entry: LedgerEntry, named: NamedOutcome, context: JobContext) {
  const { rawKey, part, account, rua, report, generation, receivedSeconds } = entry;
  return eventPoint(context, { ...named, rawKey, part, account, rua, report, generation, receivedSeconds });
}

async function writeEvent(entry: LedgerEntry, named: NamedOutcome, context: JobContext): Promise<void> {
  const { rawKey: key, generation, receivedSeconds } = entry;
  const origin = { key, reportUid: named.id, generation, receivedSeconds };
  await writePoints([{ dataset: "events", points: [eventOf(entry, named, context)] }], { origin, context });
}
