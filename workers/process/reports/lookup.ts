/** What the ledger knows about the objects and reports of a batch, looked up before deciding about them. */

import { dayOf, useKey } from "../../../shared/batch/budgets.ts";
import {
  claimReference,
  hasReport,
  type Known,
  type ReadObject,
  reportOf,
  reportsOf,
} from "../../../shared/batch/object.ts";
import { deadLetterId, versionUid } from "../../../shared/identity.ts";
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { findConflicts } from "../../../shared/ledger/conflicts.ts";
import { ask, OneCall } from "../../../shared/ledger/database.ts";
import { findDeadLetters } from "../../../shared/ledger/dead-letters.ts";
import { type AddressUse, addObjects, addUse, objectReference } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { addReports, findReports, type Held } from "../../../shared/ledger/reports.ts";
import { filedSlicesQuery, slicePart } from "../../../shared/ledger/slices.ts";
import { dayOfRawKey } from "../../../shared/storage.ts";
import type { Invocation } from "../env.ts";

/** Looks up everything one database knows about a batch. @param addressesOf all addresses of an account */
export async function lookUp(
  objects: readonly ReadObject[],
  addressesOf: Registrations["addressesOf"],
  { ledger }: Invocation,
): Promise<Known> {
  // One call, unless an object was finished before or a person has decided about a report.
  const call = new OneCall();
  const objectsFound = await addObjects(
    call,
    objects.map(({ message }) => objectReference(message)),
  );
  const reportsFound = addReports(
    call,
    objects.flatMap((object) => reportsOf(object).map((found) => claimReference(found, object))),
  );
  const used = addUseOf(call, objects, addressesOf);
  await call.send(ledger);
  const finished = objectsFound();
  const previous = [...finished.values()].flatMap(({ outcomes }) => outcomes);
  const held = reportsFound();
  const earlier = previous.flatMap((outcome) => (hasReport(outcome) ? [reportOf(outcome)] : []));
  addHeld(held, await findReports(ledger, earlier));
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
    used: used(),
    deadLetters: new Map(deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
    filedSlices,
  };
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
  addHeld(held, await findReports(ledger, references));
}

function addHeld(held: Held, others: Held): void {
  for (const [uid, report] of others.reports) held.reports.set(uid, report);
  for (const [uid, decisions] of others.decisions) held.decisions.set(uid, decisions);
  for (const uid of others.final) held.final.add(uid);
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

function addUseOf(
  call: OneCall,
  objects: readonly ReadObject[],
  addressesOf: Registrations["addressesOf"],
): () => Known["used"] {
  const wanted = new Map<string, { rua: string; day: number; account: string }>();
  for (const { message, registration, findings } of objects) {
    if (registration === undefined || findings.length === 0) continue;
    const { account } = registration.entry;
    const day = dayOf(message);
    for (const rua of [message.rua, ...(addressesOf.get(account) ?? [])]) {
      wanted.set(`${day} ${rua}`, { rua, day, account });
    }
  }
  const reporters = [...new Set(objects.map(({ reporter }) => reporter))];
  const found = addUse(call, [...wanted.values()], reporters);
  return () => sumUse(found(), wanted);
}

function sumUse(found: readonly AddressUse[], wanted: ReadonlyMap<string, { account: string }>): Known["used"] {
  const used: Known["used"] = new Map();
  const add = (key: string, count: number): void => void used.set(key, (used.get(key) ?? 0) + count);
  for (const use of found) {
    const { rua, day, reporter, records, reports } = use;
    const account = wanted.get(`${day} ${rua}`)?.account ?? "";
    add(useKey(day, Math.sign(reporter), rua), records);
    add(useKey(day, Math.sign(reporter), `account ${account}`), records);
    add(useKey(day, reporter, rua), reports);
  }
  return used;
}
