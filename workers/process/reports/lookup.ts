/** What the ledger knows about the objects and reports of a batch, looked up before deciding about them. */

import { type MailAuthentication, senderOf } from "../../../shared/authentication/sender.ts";
import type { Finding, FoundReport, ObjectOrigin } from "../../../shared/batch/read-object.ts";
import { deadLetterId, sha256Text, versionUid } from "../../../shared/identity.ts";
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { type ConflictRow, findConflicts } from "../../../shared/ledger/conflicts.ts";
import { ask } from "../../../shared/ledger/database.ts";
import { type DeadLetterFile, type DeadLetterRow, findDeadLetters } from "../../../shared/ledger/dead-letters.ts";
import { type FinishedObject, findObjects, objectReference, useByAddress } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { findReports, type Held } from "../../../shared/ledger/reports.ts";
import { filedSlicesQuery, slicePart } from "../../../shared/ledger/slices.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import { organizationalDomain } from "../../../shared/organizational-domain.ts";
import { acceptsDomain, type Registration } from "../../../shared/registry.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { dayOfRawKey, type MailOrigin } from "../../../shared/storage.ts";
import type { Invocation } from "../env.ts";

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
export interface Known {
  finished: Map<string, FinishedObject>;
  held: Held;
  /** Use of the daily budgets, by day and address, by day and account, and by day, address and reporter. */
  used: Map<string, number>;
  /** Dead letters and conflicts named by earlier outcomes of the objects. */
  deadLetters: Map<string, DeadLetterRow>;
  conflicts: Map<string, ConflictRow>;
  /** Slices filed as dead letters, by raw key. */
  filedSlices: Map<string, FiledSlices[]>;
}

/** The slices of a report that could not be written. */
export interface FiledSlices {
  uid: string;
  generation: number;
  deadLetterIds: string[];
}

/** Looks up everything one database knows about a batch. @param addressesOf all addresses of an account */
export async function lookUp(
  objects: readonly ReadObject[],
  addressesOf: Registrations["addressesOf"],
  { ledger }: Invocation,
): Promise<Known> {
  const finished = await findObjects(
    ledger,
    objects.map(({ message }) => objectReference(message)),
  );
  const previous = [...finished.values()].flatMap(({ outcomes }) => outcomes);
  const claims = objects.flatMap((object) => reportsOf(object).map((found) => claimReference(found, object)));
  const earlier = previous.flatMap((outcome) => (hasReport(outcome) ? [reportOf(outcome)] : []));
  const held = await findReports(ledger, [...claims, ...earlier]);
  await addVersions(held, objects, ledger);
  const filedSlices = await findFiledSlices(objects, finished, ledger);
  const slices = [...filedSlices.values()].flat().flatMap(({ deadLetterIds }) => deadLetterIds);
  const deadLetterIds = [...idsOf(previous, "dead_letter"), ...idsOf(previous, "discarded"), ...slices];
  const conflictIds = idsOf(previous, "conflict");
  const deadLetters = await findDeadLetters(ledger, deadLetterIds);
  const conflicts = await findConflicts(ledger, conflictIds);
  return {
    finished,
    held,
    used: await findUse(objects, addressesOf, ledger),
    deadLetters: new Map(deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
    filedSlices,
  };
}

/** The first row a found report has or would have. */
export function claimReference({ shares, header, uid }: FoundReport, object: ReadObject): ReportReference {
  const entry = object.registration?.entry;
  // Rows follow the order of the domains, and none is about a foreign domain.
  const domain = header.domains.find((name) => entry !== undefined && acceptsDomain(entry, name));
  return {
    account: entry?.account ?? "",
    kind: header.kind,
    domain: domain ?? header.domains[0],
    day: shares[0]?.day ?? 0,
    uid,
  };
}

/** The keys of the daily budgets an object draws on. Authenticated reporters have budgets of their own. */
export function useKeys(
  { message, registration }: Pick<ReadObject, "message" | "registration">,
  reporter: number,
): { address: string; account: string; reporter: string } {
  const day = dayOf(message);
  return {
    address: useKey(day, Math.sign(reporter), message.rua),
    account: useKey(day, Math.sign(reporter), `account ${registration?.entry.account ?? ""}`),
    reporter: useKey(day, reporter, message.rua),
  };
}

function useKey(day: number, reporter: number, name: string): string {
  return JSON.stringify([day, reporter, name]);
}

function dayOf({ receivedSeconds }: Pick<ReportMessage, "receivedSeconds">): number {
  return Math.floor(receivedSeconds / SECONDS_PER_DAY);
}

/**
 * Identifies the reporter of an object for the budgets: the organisation its mail is authenticated for, else the
 * reporter's name.
 *
 * @returns a number above 1 in the first case, below -1 in the second, 0 where it holds no report
 */
export async function reporterOf(object: Pick<ReadObject, "findings" | "authentication">): Promise<number> {
  const reports = reportsOf(object);
  const [first] = reports;
  if (first === undefined) return 0;
  const senders = reports.map(({ report }) => senderOf(report, object.authentication));
  const isVerified = senders.every(({ state }) => state === "verified");
  const name = isVerified ? organizationalDomain(senders[0]?.domain ?? "") : first.header.reporter.trim().toLowerCase();
  const hash = Number.parseInt((await sha256Text(name)).slice(0, HASH_DIGITS), 16);
  return (isVerified ? 1 : -1) * (hash + 2);
}

/** Two reporters of one number, one in 250 million, share a budget. */
const HASH_DIGITS = 7;

function reportsOf({ findings }: Pick<ReadObject, "findings">): FoundReport[] {
  return findings.filter((finding) => "report" in finding);
}

type ReportOutcome = Extract<Outcome, { kind: string }>;

function hasReport(outcome: Outcome): outcome is ReportOutcome {
  return "kind" in outcome;
}

/** The report an outcome names. */
export function reportOf(outcome: ReportOutcome): ReportReference {
  const { account, kind, domain, day } = outcome;
  return { account, kind, domain, day, uid: outcome.outcome === "conflict" ? outcome.uid : outcome.id };
}

function idsOf(outcomes: readonly Outcome[], name: Outcome["outcome"]): string[] {
  return outcomes.filter(({ outcome }) => outcome === name).map(({ id }) => id);
}

// A version that a person decided to count has its own uid, which follows from that decision.
async function addVersions(held: Held, objects: readonly ReadObject[], ledger: Invocation["ledger"]): Promise<void> {
  const references: ReportReference[] = [];
  for (const object of objects) {
    for (const found of reportsOf(object)) {
      if (held.decisions.get(found.uid)?.[found.contentHash] !== "counts") continue;
      references.push({ ...claimReference(found, object), uid: await versionUid(found.uid, found.contentHash) });
    }
  }
  const versions = await findReports(ledger, references);
  for (const [uid, report] of versions.reports) held.reports.set(uid, report);
  for (const [uid, decisions] of versions.decisions) held.decisions.set(uid, decisions);
}

async function findFiledSlices(
  objects: readonly ReadObject[],
  finished: Known["finished"],
  ledger: Invocation["ledger"],
): Promise<Known["filedSlices"]> {
  const found: Known["filedSlices"] = new Map();
  const owners = new Map<string, string>();
  for (const object of objects) {
    const { message, generation } = object;
    if (generation > 1) for (const { uid } of reportsOf(object)) owners.set(uid, message.key);
    const accepted = finished.get(message.key)?.outcomes.filter(({ outcome }) => outcome === "accepted") ?? [];
    for (const { id } of accepted) owners.set(id, message.key);
  }
  if (owners.size === 0) return found;
  for (const { uid, generation, state } of await ask(ledger, filedSlicesQuery([...owners.keys()]))) {
    const rawKey = owners.get(uid) ?? "";
    const deadLetterIds: string[] = [];
    for (let slice = state.indexOf("d"); slice >= 0; slice = state.indexOf("d", slice + 1)) {
      const part = slicePart({ reportUid: uid, generation, slice });
      deadLetterIds.push(await deadLetterId(dayOfRawKey(rawKey) ?? "", { rawKey, part, code: "retries_exhausted" }));
    }
    found.set(rawKey, [...(found.get(rawKey) ?? []), { uid, generation, deadLetterIds }]);
  }
  return found;
}

async function findUse(
  objects: readonly ReadObject[],
  addressesOf: Registrations["addressesOf"],
  ledger: Invocation["ledger"],
): Promise<Known["used"]> {
  const wanted = new Map<string, { rua: string; day: number; account: string }>();
  for (const { message, registration, findings } of objects) {
    if (registration === undefined || findings.length === 0) continue;
    const { account } = registration.entry;
    const day = dayOf(message);
    for (const rua of [message.rua, ...(addressesOf.get(account) ?? [])]) {
      wanted.set(`${day} ${rua}`, { rua, day, account });
    }
  }
  const used: Known["used"] = new Map();
  const add = (key: string, count: number): void => void used.set(key, (used.get(key) ?? 0) + count);
  const reporters = [...new Set(objects.map(({ reporter }) => reporter))];
  for (const use of await useByAddress(ledger, [...wanted.values()], reporters)) {
    const { rua, day, reporter, records, reports } = use;
    const account = wanted.get(`${day} ${rua}`)?.account ?? "";
    add(useKey(day, Math.sign(reporter), rua), records);
    add(useKey(day, Math.sign(reporter), `account ${account}`), records);
    add(useKey(day, reporter, rua), reports);
  }
  return used;
}
