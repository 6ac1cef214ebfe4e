/** What the ledger knows about the objects and reports of a batch, looked up before deciding about them. */

import { readUses, wantedUses } from "../../../shared/batch/day-use.ts";
import {
  claimRows,
  hasReport,
  type LedgerSnapshot,
  lookedUpRows,
  type ReadObject,
  reportOf,
  reportsOf,
} from "../../../shared/batch/object.ts";
import { deadLetterId, versionUid } from "../../../shared/identity.ts";
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { ask, OneCall } from "../../../shared/ledger/database.ts";
import { addDayUses } from "../../../shared/ledger/day-uses.ts";
import { addObjects, faultOfNewer, objectReference } from "../../../shared/ledger/objects.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { addReports, findReports, type LedgerReports } from "../../../shared/ledger/reports.ts";
import { filedSlicesQuery, slicePart } from "../../../shared/ledger/slices.ts";
import { dayOfRawKey } from "../../../shared/storage.ts";
import type { Invocation } from "../env.ts";
import { findFiled, idsOf } from "./filed.ts";

type AddressesOf = Registrations["addressesOf"];

/** Looks up everything one database knows about a batch. @param addressesOf addresses of an account, as Registrations has them */
export async function lookUp(
  objects: readonly ReadObject[],
  addressesOf: AddressesOf,
  { ledger }: Invocation,
): Promise<LedgerSnapshot> {
  // One call, unless an object was finished before or a person has decided about a report.
  const call = new OneCall();
  const objectsFound = await addObjects(
    call,
    objects.map(({ message }) => objectReference(message)),
  );
  const reportsFound = addReports(
    call,
    objects.flatMap((object) => reportsOf(object).flatMap((found) => lookedUpRows(found, object))),
    objects.flatMap((object) => reportsOf(object).flatMap((found) => claimRows(found, object))),
  );
  const wanted = wantedUses(objects, addressesOf);
  const uses = addDayUses(call, wanted.names, wanted.reporters);
  await call.send(ledger);
  const finished = objectsFound();
  // Both versions may be at work while one is uploaded.
  const fault = faultOfNewer([...finished.values()]);
  if (fault !== undefined) throw fault;
  const previous = [...finished.values()].flatMap(({ outcomes }) => outcomes);
  const held = reportsFound();
  const earlier = previous.flatMap((outcome) => (hasReport(outcome) ? [reportOf(outcome)] : []));
  addHeld(held, await findReports(ledger, earlier));
  await addVersions(held, objects, ledger);
  const filedSlices = await findFiledSlices(objects, finished, ledger);
  const slices = [...filedSlices.values()].flat().flatMap(({ deadLetterIds }) => deadLetterIds);
  const deadLetterIds = [...idsOf(previous, "dead_letter"), ...idsOf(previous, "discarded"), ...slices];
  const filed = await findFiled({ deadLetters: deadLetterIds, conflicts: idsOf(previous, "conflict") }, ledger);
  return {
    finished,
    held,
    ...readUses(uses(), wanted),
    ...filed,
    filedSlices,
  };
}

// A version that a person decided to count has its own uid, which follows from that decision.
async function addVersions(
  held: LedgerReports,
  objects: readonly ReadObject[],
  ledger: Invocation["ledger"],
): Promise<void> {
  const references: ReportReference[] = [];
  for (const object of objects) {
    for (const found of reportsOf(object)) {
      // All of them: this report may be equivalent to one whose hash differs (content-hash.ts).
      for (const [contentHash, decision] of Object.entries(held.decisions.get(found.uid) ?? {}))
        if (decision === "counts") {
          const uid = await versionUid(found.uid, contentHash);
          references.push(...lookedUpRows(found, object).map((row) => ({ ...row, uid })));
        }
    }
  }
  addHeld(held, await findReports(ledger, references));
}

function addHeld(held: LedgerReports, others: LedgerReports): void {
  // By the row of an earlier outcome, a report may be known by another than its first.
  for (const [uid, report] of others.reports) if (!held.reports.has(uid)) held.reports.set(uid, report);
  for (const [uid, decisions] of others.decisions) held.decisions.set(uid, decisions);
  for (const uid of others.final) held.final.add(uid);
}

async function findFiledSlices(
  objects: readonly ReadObject[],
  finished: LedgerSnapshot["finished"],
  ledger: Invocation["ledger"],
): Promise<LedgerSnapshot["filedSlices"]> {
  const found: LedgerSnapshot["filedSlices"] = new Map();
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
