/** What the ledger says about the objects and reports of a batch, looked up before it is decided about them. */
import { deadLetterId, versionUid } from "../../shared/identity.ts";
import type { Registrations } from "../../shared/ledger/addresses.ts";
import { type ConflictRow, findConflicts } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { type DeadLetterRow, findDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { type FinishedObject, findObjects, recordsByAddress } from "../../shared/ledger/objects.ts";
import type { Outcome } from "../../shared/ledger/outcomes.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { findReports, type Held } from "../../shared/ledger/reports.ts";
import { filedSlicesQuery } from "../../shared/ledger/slices.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { acceptsDomain, type Registration } from "../../shared/registry.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { dayOfRawKey, type MailOrigin } from "../../shared/storage.ts";
import type { Invocation } from "./env.ts";
import type { Finding, FoundReport, ObjectOrigin } from "./read-object.ts";
import { slicePart } from "./slice-part.ts";

/** A raw object that has been read, or is not there. */
export interface ReadObject {
  message: ReportMessage;
  attempts: number;
  generation: number;
  /** Points of it may have been written by a delivery that was cut off. */
  mayHaveWritten: boolean;
  /** undefined when the address is no longer registered. */
  registration: Registration | undefined;
  isThere: boolean;
  /** What is known of it before it is read. */
  origin: ObjectOrigin;
  /** Who sent the mail it came in, as it says itself. */
  mail: MailOrigin | undefined;
  findings: Finding[];
  /** Its address belongs to an account of another database now: what it gave here goes, and it is finished there. */
  isMoving: boolean;
}

/** What the ledger holds. */
export interface Known {
  finished: Map<string, FinishedObject>;
  held: Held;
  /** Records of one day, by address and by account. */
  usedByAddress: Map<string, number>;
  usedByAccount: Map<string, number>;
  /** What earlier outcomes of the objects name. */
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

/** Looks up all that one database knows about a batch. @param addressesOf all addresses of an account */
export async function lookUp(
  objects: readonly ReadObject[],
  addressesOf: Registrations["addressesOf"],
  { ledger }: Invocation,
): Promise<Known> {
  const finished = await findObjects(ledger, objects.map(referenceOf));
  const previous = [...finished.values()].flatMap(({ outcomes }) => outcomes);
  const claims = objects.flatMap((object) => reportsOf(object).map((found) => claimReference(found, object)));
  const earlier = previous.flatMap((outcome) => (hasReport(outcome) ? [reportOf(outcome)] : []));
  const held = await findReports(ledger, [...claims, ...earlier]);
  await addVersions(held, objects, ledger);
  const filedSlices = await findFiledSlices(objects, finished, ledger);
  const slices = [...filedSlices.values()].flat().flatMap(({ deadLetterIds }) => deadLetterIds);
  const deadLetterIds = [...idsOf(previous, "dead_letter"), ...slices];
  const conflictIds = idsOf(previous, "conflict");
  const deadLetters = deadLetterIds.length === 0 ? [] : await findDeadLetters(ledger, deadLetterIds);
  const conflicts = conflictIds.length === 0 ? [] : await findConflicts(ledger, conflictIds);
  return {
    finished,
    held,
    ...(await findUse(objects, addressesOf, ledger)),
    deadLetters: new Map(deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
    filedSlices,
  };
}

/** Names the object of a message in the ledger. */
export function referenceOf({ message: { key, rua, receivedSeconds } }: Pick<ReadObject, "message">) {
  return { rawKey: key, rua, receivedSeconds };
}

/** The first row a found report has or would have. */
export function claimReference({ shares, header, uid }: FoundReport, object: ReadObject): ReportReference {
  const entry = object.registration?.entry;
  // Rows are in the order of the domains, and none is about a foreign one.
  const domain = header.domains.find((name) => entry !== undefined && acceptsDomain(entry, name));
  return {
    account: entry?.account ?? "",
    kind: header.kind,
    domain: domain ?? header.domains[0],
    day: shares[0]?.day ?? 0,
    uid,
  };
}

/** The key under which what was used of a day's budget is kept. */
export function useKey(name: string, receivedSeconds: number): string {
  return `${Math.floor(receivedSeconds / SECONDS_PER_DAY)} ${name}`;
}

function reportsOf({ findings }: ReadObject): FoundReport[] {
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

// A version that counts as a report of its own has a uid of its own, which only its decision tells.
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
): Promise<Pick<Known, "usedByAddress" | "usedByAccount">> {
  const wanted = new Map<string, { rua: string; day: number; account: string }>();
  for (const { message, registration, findings } of objects) {
    if (registration === undefined || findings.length === 0) continue;
    const { account } = registration.entry;
    const day = Math.floor(message.receivedSeconds / SECONDS_PER_DAY);
    for (const rua of [message.rua, ...(addressesOf.get(account) ?? [])]) {
      wanted.set(`${day} ${rua}`, { rua, day, account });
    }
  }
  const usedByAddress = new Map<string, number>();
  const usedByAccount = new Map<string, number>();
  for (const { rua, day, records } of await recordsByAddress(ledger, [...wanted.values()])) {
    const account = `${day} ${wanted.get(`${day} ${rua}`)?.account ?? ""}`;
    usedByAddress.set(`${day} ${rua}`, records);
    usedByAccount.set(account, (usedByAccount.get(account) ?? 0) + records);
  }
  return { usedByAddress, usedByAccount };
}
