/** Builds what a found report claims in the ledger, and the rows and the event that follow from it. Pure. */
import type { PipelineEvent } from "../analytics/events.ts";
import { senderOf } from "../authentication/sender.ts";
import type { ReportSender } from "../authentication/sender-state.ts";
import { knownHashOf } from "../content-hash.ts";
import { sha256Text } from "../identity.ts";
import type { Claim, Claims } from "../ledger/claims.ts";
import type { ReportVersion } from "../ledger/conflicts.ts";
import type { ReportReference, ReportShare } from "../ledger/report-rows.ts";
import type { LedgerReport } from "../ledger/reports.ts";
import { needsReading } from "../ledger/staged-figures.ts";
import type { ReadObject } from "./object.ts";
import type { FoundReport } from "./read-object.ts";

/** A report with the hash of a known version whose content is equivalent, if there is one (content-hash.ts). */
export async function withKnownHash(found: FoundReport, claims: Claims): Promise<FoundReport> {
  const { uid, report, header, recordsHash } = found;
  const hashes = claims.hashes(uid);
  if (hashes.length === 0 || hashes.includes(found.contentHash)) return found;
  const reporter = claims.held(uid)?.reporter ?? header.reporter;
  const contentHash = await knownHashOf(report, header, recordsHash, { hashes, reporter });
  return contentHash === undefined ? found : { ...found, contentHash };
}

/**
 * The claim of a report found in an object.
 *
 * @param named the row it claims, the report that the ledger holds under this uid, and the one that it is about to hold
 */
export function claimOf(
  found: FoundReport,
  object: ReadObject,
  { reference, ...known }: { reference: ReportReference } & KnownReports,
): Claim {
  const { header, contentHash, part, points, counts, shares } = found;
  const { message, generation } = object;
  return {
    reference,
    contentHash,
    rua: message.rua,
    rawKey: message.key,
    part,
    receivedSeconds: message.receivedSeconds,
    generation,
    points,
    reporter: header.reporter,
    reportId: header.reportId,
    beginSeconds: header.beginSeconds,
    endSeconds: header.endSeconds,
    policy: shares[0]?.policy ?? "",
    sender: senderOfReport(found, object, known),
    counts,
    spread: shares.map(({ domain, day }) => [domain, day]),
  };
}

interface KnownReports {
  stored: LedgerReport | undefined;
  held: LedgerReport | undefined;
}

/**
 * DKIM keys disappear from DNS: a document that was verified once stays verified. So is one with the content of the
 * verified report that counts, whoever sent it.
 */
function senderOfReport(
  { report, part, contentHash }: FoundReport,
  { message, authentication }: ReadObject,
  { stored, held }: KnownReports,
): ReportSender {
  const countsOrIsThisPart = (one: LedgerReport): boolean =>
    one.state === "accepted" || (one.rawKey === message.key && one.part === part);
  for (const one of [stored, held]) {
    if (one?.contentHash === contentHash && one.sender.state === "verified" && countsOrIsThisPart(one))
      return one.sender;
  }
  return senderOf(report, authentication);
}

/** The event of a report that is accepted, or accepted again. */
export function reportEvent(
  { header, report, part }: FoundReport,
  { message, generation, registration }: ReadObject,
  { outcome, id }: Pick<PipelineEvent, "outcome" | "id">,
): PipelineEvent {
  const totals = report.kind === "aggregate" ? report.totals : { records: 0, skippedRecords: 0, messages: 0 };
  return {
    outcome,
    id,
    rawKey: message.key,
    part,
    generation,
    receivedSeconds: message.receivedSeconds,
    account: registration?.entry.account ?? "",
    rua: message.rua,
    kind: header.kind,
    domain: header.domains[0],
    reporter: header.reporter,
    records: totals.records,
    skippedRecords: totals.skippedRecords,
    messages: totals.messages,
  };
}

/** Figures too large for the row are written before the report is accepted, under a name unique to this reading. */
export async function withReadings(found: FoundReport, claim: Claim, generation: number): Promise<ReportShare[]> {
  const isReadAgain = found.header.kind === "aggregate" && found.records === undefined;
  return Promise.all(
    found.shares.map(async (share) => {
      if (!isReadAgain && !needsReading(share.figures ?? [])) return share;
      const named = [claim.rawKey, claim.part, claim.contentHash, generation, share.domain, share.day];
      return { ...share, reading: (await sha256Text(JSON.stringify(named))).slice(0, 32) };
    }),
  );
}

/** A claimed or accepted report as one version of a conflict. */
export function versionOf(report: Claim | LedgerReport): ReportVersion {
  const { rawKey, rua, part, contentHash, receivedSeconds, generation, sender, counts } = report;
  return { rawKey, rua, part, contentHash, receivedSeconds, generation, sender, ...counts };
}

/** Where a report is in the ledger, as outcomes name it beside its uid. */
export function placeOf({ account, kind, domain, day }: ReportReference): Omit<ReportReference, "uid"> {
  return { account, kind, domain, day };
}
