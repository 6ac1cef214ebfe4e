/** A raw object as it was read, what the ledger knows about it, and how both name reports and budgets. Pure. */
import type { MailAuthentication } from "../authentication/sender.ts";
import type { ConflictRow } from "../ledger/conflicts.ts";
import type { UseName } from "../ledger/day-uses.ts";
import type { DeadLetterFile, DeadLetterRow } from "../ledger/dead-letters.ts";
import type { FinishedObject } from "../ledger/objects.ts";
import type { Outcome } from "../ledger/outcomes.ts";
import type { ReportReference } from "../ledger/report-rows.ts";
import type { LedgerReports } from "../ledger/reports.ts";
import type { ReportMessage } from "../messages.ts";
import type { Registration } from "../registry.ts";
import type { MailOrigin } from "../storage.ts";
import type { Finding, FoundReport, ObjectOrigin } from "./read-object.ts";

/** A raw object that was read, or is missing. */
export interface ReadObject {
  message: ReportMessage;
  attempts: number;
  generation: number;
  /** An interrupted delivery may have written points of it. */
  mayHaveWritten: boolean;
  /** undefined when the address is no longer registered. */
  registration: Registration | undefined;
  isThere: boolean;
  /** An operator imported it: it did not come by mail. */
  isImported: boolean;
  /** What is known before reading it. */
  origin: ObjectOrigin;
  /** Who sent its mail, according to the mail. */
  mail: MailOrigin | undefined;
  /** The object as a file, for dead letters; undefined when it is missing. */
  file: DeadLetterFile | undefined;
  /** How that mail authenticated. */
  authentication: MailAuthentication;
  /** Whose reports it holds (reporterOf). */
  reporter: number;
  findings: Finding[];
  /** Parts that are evidently not reports: kind → count. */
  passedOver: Record<string, number>;
  /**
   * Its address now belongs to an account in another database: what it contributed here is removed, and it is committed
   * there.
   */
  isMoving: boolean;
}

/** What the ledger holds. */
export interface LedgerSnapshot {
  finished: Map<string, FinishedObject>;
  held: LedgerReports;
  /** Use of the daily budgets, by day and address, by day and account, and by day, address and reporter. */
  used: Map<string, number>;
  /** Uses that were counted object by object, and that should have sums from now on. */
  usesToSum: UseName[];
  /** Dead letters and conflicts named by earlier outcomes of the objects. */
  deadLetters: ReadonlyMap<string, DeadLetterRow>;
  conflicts: ReadonlyMap<string, ConflictRow>;
  /** Slices filed as dead letters, by raw key. */
  filedSlices: Map<string, FiledSlices[]>;
}

/** The slices of a report that could not be written. */
export interface FiledSlices {
  uid: string;
  generation: number;
  deadLetterIds: string[];
}

/** The first row a found report has or would have. */
export function claimReference({ shares, header, uid }: FoundReport, object: ReadObject): ReportReference {
  return {
    account: object.registration?.entry.account ?? "",
    kind: header.kind,
    domain: shares[0]?.domain ?? header.domains[0],
    day: shares[0]?.day ?? 0,
    uid,
  };
}

/**
 * The rows a found report is looked up by: the first of each domain, in reverse order, since the last one there is
 * counts (`addReports`). It may have come to another address of the account before, and count for some domains only.
 */
export function lookedUpRows(found: FoundReport, object: ReadObject): ReportReference[] {
  return claimRows(found, object)
    .filter((_, place) => found.shares[place]?.place === 0)
    .reverse();
}

/** All rows a found report has or would have. */
export function claimRows(found: FoundReport, object: ReadObject): ReportReference[] {
  const first = claimReference(found, object);
  return found.shares.map(({ domain, day }) => ({ ...first, domain, day }));
}

/** The reports among what was found in an object. */
export function reportsOf({ findings }: Pick<ReadObject, "findings">): FoundReport[] {
  return findings.filter((finding) => "report" in finding);
}

type ReportOutcome = Extract<Outcome, { kind: string }>;

/** Whether an outcome names a report. */
export function hasReport(outcome: Outcome): outcome is ReportOutcome {
  return "kind" in outcome;
}

/** The report an outcome names. */
export function reportOf(outcome: ReportOutcome): ReportReference {
  const { account, kind, domain, day } = outcome;
  return { account, kind, domain, day, uid: outcome.outcome === "conflict" ? outcome.uid : outcome.id };
}
