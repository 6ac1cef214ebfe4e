/**
 * Raw objects that brought a report which another object is counted for: its duplicates, and versions in conflict with it.
 * They are kept with the report that counts, so that they can be read again when it stops counting; and with one that was
 * taken back, for the time when that is undone.
 */
import * as v from "valibot";
import { PROCESS_LIMITS } from "../limits.ts";
import { type Change, type Query, query } from "./database.ts";
import type { ReportReference } from "./report-rows.ts";

const object = v.object({ rawKey: v.string(), rua: v.string(), receivedSeconds: v.number() });

/** A raw object, as a message names it. */
export type OtherObject = v.InferOutput<typeof object>;

/** An object that brought a report, and the first row of the one that counts, or that was taken back. */
export interface NotedObject {
  reference: ReportReference;
  /** The state of that report, and which version it is. */
  state: "accepted" | "taken_back";
  contentHash: string;
  other: OtherObject;
}

const IS_ROW = `r.account = w.value ->> 0 AND r.kind = w.value ->> 1 AND r.domain = w.value ->> 2
  AND r.day = w.value ->> 3 AND r.uid = unhex(w.value ->> 4)`;

/**
 * Notes objects, up to a number for each report. Refuses the transaction when a report is in another state by now, or
 * another version counts: its object was read again meanwhile, a person took it back or undid that, or a more credible
 * version came.
 */
export function noteOthers(noted: readonly NotedObject[]): Change[] {
  const byReport = new Map<string, [...(string | number)[], OtherObject[]]>();
  for (const { reference, state, contentHash, other } of noted) {
    const { account, kind, domain, day, uid } = reference;
    const { rawKey, rua, receivedSeconds } = other;
    const row = byReport.get(uid) ?? [account, kind, domain, day, uid, state, contentHash, []];
    const others = row.at(-1);
    if (Array.isArray(others)) others.push({ rawKey, rua, receivedSeconds });
    byReport.set(uid, row);
  }
  const parameters = [JSON.stringify([...byReport.values()])];
  const known = "json_each(r.details, '$.others') o";
  return [
    {
      sql: `INSERT INTO assertions (unchanged) SELECT 0 FROM json_each(?1) w LEFT JOIN reports r ON ${IS_ROW}
        WHERE r.state IS NOT w.value ->> 5 OR r.content_hash IS NOT unhex(w.value ->> 6) LIMIT 1`,
      parameters,
    },
    {
      // The version is another one, so that whoever is about to change the report's state looks again.
      sql: `UPDATE reports AS r SET version = version + 1, details = json_set(details, '$.others',
          (SELECT json_group_array(json(value)) FROM (
            SELECT o.value FROM ${known} UNION SELECT n.value FROM json_each(w.value, '$[7]') n)))
        FROM json_each(?1) w WHERE ${IS_ROW}
          AND coalesce(json_array_length(r.details, '$.others'), 0) < ${PROCESS_LIMITS.maxOtherObjects}
          AND EXISTS (SELECT 1 FROM json_each(w.value, '$[7]') n WHERE n.value NOT IN (SELECT o.value FROM ${known}))`,
      parameters,
    },
  ];
}

/** What a report's new details are when its row is written over: the objects noted with it stay. */
export const DETAILS_WITH_OTHERS = `CASE WHEN reports.details -> '$.others' IS NULL THEN excluded.details
  ELSE json_set(excluded.details, '$.others', json(reports.details -> '$.others')) END`;

/** The objects noted with some reports, also with rows that were their first before they counted for more domains. */
export function othersQuery(references: readonly ReportReference[]): Query<OtherObject> {
  const wanted = references.map(({ account, kind, domain, day, uid }) => [account, kind, domain, day, uid]);
  return query(
    `SELECT DISTINCT o.value ->> 'rawKey' AS rawKey, o.value ->> 'rua' AS rua,
      o.value ->> 'receivedSeconds' AS receivedSeconds
    FROM json_each(?1) w JOIN reports r ON ${IS_ROW}
    JOIN json_each(coalesce(r.details -> '$.spread', json_array(json_array(r.domain, r.day)))) place
    JOIN reports row ON row.account = r.account AND row.kind = r.kind AND row.domain = place.value ->> 0
      AND row.day = place.value ->> 1 AND row.uid = r.uid
    JOIN json_each(row.details, '$.others') o`,
    [JSON.stringify(wanted)],
    object,
  );
}
