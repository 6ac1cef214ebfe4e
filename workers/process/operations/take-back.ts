/** Takes back an accepted report, such as a forged one, or restores it. Who did it and why is recorded. */

import { nextGeneration } from "../../../shared/analytics/events.ts";
import { coverReport, writeOf } from "../../../shared/batch/report-writes.ts";
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import { type BatchChanges, commitBatch, noChanges } from "../../../shared/ledger/commit-batch.ts";
import { putDecisions, removeDecision } from "../../../shared/ledger/conflicts.ts";
import { OneCall } from "../../../shared/ledger/database.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { addReports, findReports, type LedgerReport, type ReportWrite } from "../../../shared/ledger/reports.ts";
import { messageAbout } from "../../../shared/messages.ts";
import type { DecisionNote, OperationRefused } from "../../../shared/operations.ts";
import { type Invocation, inShardOf } from "../env.ts";
import { readOthersAgain } from "../reports/read-others.ts";
import { writeHeld } from "../reports/report-points.ts";

const CHANGED = "The report was changed at the same time; look at it again.";

/** D1 ends a query after 30 seconds. */
const TRANSACTION_SECONDS = 60;

/**
 * Removes a report from all figures. Its raw object stays, and reprocessing does not accept it again. Another version that
 * was in conflict with it counts from then on. Refused once any of its days is final.
 */
export async function takeBackReport(
  reference: ReportReference,
  { by, reason = "" }: DecisionNote,
  given: Invocation,
): Promise<ReportReference | OperationRefused> {
  const invocation = await inShardOf(reference.account, given);
  const { ledger, nowSeconds } = invocation;
  const found = await findReport(reference, "accepted", invocation);
  if ("refused" in found) return found;
  // That day would go on counting it, and another version could not count in its place.
  if (found.isFinal) return { refused: "A day of the report is final: its figures can no longer be changed." };
  const { held } = found;
  const occasion = { attempts: 1, nowSeconds };
  const { write, work } = coverReport(held, { state: "taken_back", above: held.generation }, occasion);
  const sent = await writeHeld(work, invocation);
  await readOthersAgain({ reports: [held.reference] }, TRANSACTION_SECONDS, invocation);
  const changes: BatchChanges = {
    ...noChanges(),
    reports: [{ write, reference: held.reference }],
    slices: sent === 0 ? [] : [{ ...work, slices: sent }],
    others: [
      putDecisions([
        {
          account: reference.account,
          uid: held.reference.uid,
          contentHash: held.contentHash,
          decision: "taken_back",
          decidedBy: by,
          reason,
          decidedSeconds: nowSeconds,
        },
      ]),
    ],
  };
  const { state } = await commitBatch(ledger, changes, nowSeconds);
  return state === "changed" ? { refused: CHANGED } : held.reference;
}

/**
 * Restores a report; if its raw object still exists, it is rerun to write the points. So are objects that brought the same
 * report while it was taken back.
 */
export async function undoTakeBack(
  reference: ReportReference,
  given: Invocation,
): Promise<ReportReference | OperationRefused> {
  const invocation = await inShardOf(reference.account, given);
  const { env, ledger, nowSeconds } = invocation;
  const found = await findReport(reference, "taken_back", invocation);
  if ("refused" in found) return found;
  const { held } = found;
  if (found.isFinal) return { refused: "A day of the report is final: its details are no longer kept." };
  const { uid, account } = held.reference;
  const { rua, generation, highestPoints, contentHash } = held;
  const isThere = (await env.R2_DMARC_REPORTS.head(held.rawKey)) !== null;
  const [registration] = await findAddresses(invocation.shards.directory, [rua]);
  // Read again, it would write no points, or be counted for somebody else as well.
  if (isThere && registration?.entry.account !== account)
    return { refused: `${rua} is no longer an address of ${account}: register it again first.` };
  const write: ReportWrite = {
    ...writeOf(held, { generation, highestPoints }),
    version: held.version,
    spreadBefore: held.spread,
  };
  const changes: BatchChanges = {
    ...noChanges(),
    reports: [{ write, reference: held.reference }],
    others: [removeDecision({ uid, contentHash })],
  };
  // One of them may be from a verified sender, and this one not.
  await readOthersAgain({ reports: [held.reference] }, TRANSACTION_SECONDS, invocation);
  if (isThere) {
    // Higher than any generation that it is read under until then.
    const again = nextGeneration(generation, nowSeconds + TRANSACTION_SECONDS);
    await env.QUEUE_REPORTS.send(messageAbout(held, { generation: again }), { delaySeconds: TRANSACTION_SECONDS });
  }
  const { state } = await commitBatch(ledger, changes, nowSeconds);
  return state === "changed" ? { refused: CHANGED } : held.reference;
}

interface FoundReport {
  /** By its first row, if that is still there: other objects that brought it are noted with that one. */
  held: LedgerReport;
  /** Whether any of its days is. */
  isFinal: boolean;
}

/** A report by any of its rows. */
async function findReport(
  reference: ReportReference,
  wanted: LedgerReport["state"],
  { ledger }: Invocation,
): Promise<FoundReport | OperationRefused> {
  const { uid } = reference;
  const given = (await findReports(ledger, [reference])).reports.get(uid);
  if (given === undefined) return { refused: `There is no report '${uid}'.` };
  if (given.state !== wanted) return { refused: `The report is ${given.state.replace("_", " ")}.` };
  if (given.spread.length === 1) return { held: given, isFinal: false };
  const rows = given.spread.map(([domain, day]) => ({ ...reference, domain, day }));
  const call = new OneCall();
  const found = addReports(call, rows.slice(0, 1), rows);
  await call.send(ledger);
  const { reports, final } = found();
  return { held: reports.get(uid) ?? given, isFinal: final.has(uid) };
}
