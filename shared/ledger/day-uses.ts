/**
 * Use of the daily budgets. A day with few objects is counted from `objects`. A busy one has a row of sums in
 * `day_uses`, which is exact by construction: it is made from `objects` within a transaction, and every transaction
 * that changes objects adds, in SQL, the difference. A row may be removed at any time: its day is then counted again.
 */
import * as v from "valibot";
import { USE_LIMITS } from "../limits.ts";
import { type Change, jsonColumn, type OneCall, query } from "./database.ts";
import { type ObjectReference, type ObjectRow, objectKey, RUAS_OF_OBJECTS } from "./objects.ts";

/** Sums of an address (account '') or of an account (rua ''), on a day in days since 1970-01-01 UTC. */
export interface UseName {
  account: string;
  rua: string;
  day: number;
}

/** Use of a day by one reporter, or by several: 1 stands for all others that are verified, -1 for all others that are not. */
export interface DayUse extends UseName {
  /** As in ObjectRow. */
  reporter: number;
  records: number;
  reports: number;
  /** Objects it was counted from; 0 = it was read from a row of sums. */
  objects: number;
}

const sumsRow = v.object({
  account: v.string(),
  rua: v.string(),
  day: v.number(),
  verified: v.number(),
  unverified: v.number(),
  reporters: jsonColumn(v.record(v.string(), v.number())),
});

const countedRow = v.object({
  rua: v.string(),
  day: v.number(),
  reporter: v.number(),
  records: v.number(),
  reports: v.number(),
  objects: v.number(),
});

/** The name in `reporters` for those that are not listed individually. */
const othersOf = (reporter: string): string => `iif(${reporter} > 0, 1, -1)`;

/**
 * Adds the lookup of what was used of the budgets to a call.
 *
 * @param asked accounts (rua ''), for their sums if they have any, and addresses with their accounts. An address is left out if
 * its account is asked for as well and has sums
 * @param reporters reporters to list individually, by number
 * @returns what it finds, as `OneCall.add` does
 */
export function addDayUses(call: OneCall, asked: readonly UseName[], reporters: readonly number[]): () => DayUse[] {
  const wanted = JSON.stringify(asked.map(({ account, rua, day }) => [account, rua, day]));
  const named = JSON.stringify(reporters);
  const isRow = (account: string, rua: string): string =>
    `SELECT 1 FROM day_uses u WHERE u.account = ${account} AND u.rua = ${rua} AND u.day = w.value ->> 2`;
  const sums = call.add(
    query(
      `SELECT u.account, u.rua, u.day, u.verified_records AS verified, u.unverified_records AS unverified,
        (SELECT json_group_object(r.value, coalesce(u.reporters -> ('$."' || r.value || '"'),
          u.reporters -> ('$."' || ${othersOf("r.value")} || '"'), 0)) FROM json_each(?2) r) AS reporters
      FROM json_each(?1) w JOIN day_uses u
        ON u.account = iif(w.value ->> 1 = '', w.value ->> 0, '') AND u.rua = w.value ->> 1 AND u.day = w.value ->> 2`,
      [wanted, named],
      sumsRow,
    ),
  );
  const counted = call.add(
    query(
      `SELECT rua, day, CASE WHEN reporter IN (SELECT value FROM json_each(?2)) THEN reporter
          ELSE ${othersOf("reporter")} END AS reporter,
        sum(records) AS records, sum(reports) AS reports, count(*) AS objects
      FROM (SELECT o.rua AS rua, o.day AS day, o.reporter AS reporter, o.records AS records, o.reports AS reports
        FROM json_each(?1) w JOIN objects o ON o.rua = w.value ->> 1 AND o.day = w.value ->> 2
        WHERE w.value ->> 1 <> '' AND NOT EXISTS (${isRow("''", "w.value ->> 1")})
          AND (w.value ->> 0 = '' OR NOT EXISTS (${isRow("w.value ->> 0", "''")})))
      GROUP BY 1, 2, 3`,
      [wanted, named],
      countedRow,
    ),
  );
  return () => [...sums().flatMap(usesOf), ...counted().map((use) => ({ ...use, account: "" }))];
}

function usesOf({ account, rua, day, verified, unverified, reporters }: v.InferOutput<typeof sumsRow>): DayUse[] {
  const use = { account, rua, day, objects: 0 };
  return [
    { ...use, reporter: 1, records: verified, reports: 0 },
    { ...use, reporter: -1, records: unverified, reports: 0 },
    ...(rua === ""
      ? []
      : Object.entries(reporters).map(([name, reports]) => ({ ...use, reporter: Number(name), records: 0, reports }))),
  ];
}

/**
 * Changes the sums there are by what is about to be written: to be run right before, in the same transaction. A row is only
 * written where its sums change.
 *
 * @param written rows of objects as they will be
 * @param removed objects whose rows will go
 */
export async function changeDayUses(
  written: readonly Pick<ObjectRow, keyof ObjectReference | "account" | "records" | "reporter" | "reports">[],
  removed: readonly ObjectReference[],
): Promise<Change> {
  const rows = [
    ...written.map(async (object) => {
      const { account, reporter, records, reports } = object;
      return [...(await objectKey(object)), account, reporter, records, reports];
    }),
    ...removed.map(objectKey),
  ];
  const hasName = `json_type(day_uses.reporters, '$."' || (value ->> 0) || '"') IS NOT NULL`;
  const names = `(SELECT count(*) FROM json_each(day_uses.reporters) k
    WHERE (CAST(k.key AS INTEGER) > 0) = (json_each.value ->> 0 > 0))`;
  return {
    // An object that is named twice is written twice: the last one stays.
    sql: `WITH objects_written AS MATERIALIZED (
        SELECT max(w.key), w.value ->> 0 AS rua, w.value ->> 1 AS day, w.value ->> 3 AS account, w.value ->> 4 AS reporter,
          w.value ->> 5 AS records, w.value ->> 6 AS reports, o.account AS account_before, o.reporter AS reporter_before,
          -o.records AS records_before, -o.reports AS reports_before
        FROM json_each(?1) w
        LEFT JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)
        WHERE EXISTS (SELECT 1 FROM day_uses)
        GROUP BY w.value ->> 0, w.value ->> 1, w.value ->> 2),
      lines (account, rua, day, reporter, records, reports) AS (
        SELECT '', rua, day, reporter, records, reports FROM objects_written WHERE account IS NOT NULL
        UNION ALL SELECT '', rua, day, reporter_before, records_before, reports_before FROM objects_written
          WHERE account_before IS NOT NULL
        UNION ALL SELECT account, '', day, reporter, records, 0 FROM objects_written WHERE account IS NOT NULL
        UNION ALL SELECT account_before, '', day, reporter_before, records_before, 0 FROM objects_written
          WHERE account_before IS NOT NULL),
      changed AS (
        SELECT account, rua, day, coalesce(sum(records) FILTER (WHERE reporter > 0), 0) AS verified,
          coalesce(sum(records) FILTER (WHERE reporter < 0), 0) AS unverified,
          json_group_array(json_array(reporter, reports)) FILTER (WHERE reports <> 0) AS reporters
        FROM (SELECT account, rua, day, reporter, sum(records) AS records, sum(reports) AS reports FROM lines
          WHERE reporter <> 0 GROUP BY 1, 2, 3, 4)
        WHERE records <> 0 OR reports <> 0 GROUP BY 1, 2, 3)
      UPDATE day_uses SET verified_records = verified_records + c.verified,
        unverified_records = unverified_records + c.unverified,
        reporters = iif(c.reporters = '[]', day_uses.reporters, (
          SELECT json_group_object(name, reports) FROM (
            SELECT name, sum(reports) AS reports FROM (
              SELECT key AS name, value AS reports FROM json_each(day_uses.reporters)
              UNION ALL
              SELECT CAST(CASE WHEN ${hasName} OR ${names} < ${USE_LIMITS.namedReporters} THEN value ->> 0
                ELSE ${othersOf("(value ->> 0)")} END AS TEXT), value ->> 1 FROM json_each(c.reporters))
            GROUP BY name)))
      FROM changed c WHERE day_uses.account = c.account AND day_uses.rua = c.rua AND day_uses.day = c.day`,
    parameters: [JSON.stringify(await Promise.all(rows))],
  };
}

/**
 * Makes rows of sums that are not there, from the objects as the transaction has written them: all objects of an address's day;
 * for an account those of every address, since an address may have been another account's.
 */
export function makeDayUses(uses: readonly UseName[]): Change[] {
  const addresses = uses.filter(({ rua }) => rua !== "").map(({ rua, day }) => [rua, day]);
  const accounts = uses.filter(({ rua }) => rua === "").map(({ account, day }) => [account, day]);
  const changes: Change[] = [];
  const recordsWhere = (condition: string): string => `coalesce(sum(records) FILTER (WHERE ${condition}), 0)`;
  if (addresses.length > 0)
    changes.push({
      sql: `WITH by_reporter AS MATERIALIZED (
          SELECT o.rua, o.day, o.reporter, sum(o.records) AS records, sum(o.reports) AS reports
          FROM json_each(?1) w JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1
          WHERE NOT EXISTS (SELECT 1 FROM day_uses u
            WHERE u.account = '' AND u.rua = w.value ->> 0 AND u.day = w.value ->> 1)
          GROUP BY 1, 2, 3),
        named AS (
          SELECT rua, day, iif(place <= ${USE_LIMITS.namedReporters}, reporter, ${othersOf("reporter")}) AS name,
            sum(reports) AS reports
          FROM (SELECT *, row_number() OVER (PARTITION BY rua, day, reporter > 0 ORDER BY reports DESC) AS place
            FROM by_reporter WHERE reports <> 0 AND reporter <> 0)
          GROUP BY 1, 2, 3)
        INSERT INTO day_uses (account, rua, day, verified_records, unverified_records, reporters)
        SELECT '', rua, day, ${recordsWhere("reporter > 0")}, ${recordsWhere("reporter < 0")},
          (SELECT json_group_object(n.name, n.reports) FROM named n WHERE n.rua = b.rua AND n.day = b.day)
        FROM by_reporter b GROUP BY rua, day`,
      parameters: [JSON.stringify(addresses)],
    });
  if (accounts.length > 0)
    changes.push({
      sql: `WITH RECURSIVE ${RUAS_OF_OBJECTS},
        days AS (
          SELECT DISTINCT w.value ->> 1 AS day FROM json_each(?1) w
          WHERE NOT EXISTS (SELECT 1 FROM day_uses u
            WHERE u.account = w.value ->> 0 AND u.rua = '' AND u.day = w.value ->> 1))
        INSERT INTO day_uses (account, rua, day, verified_records, unverified_records, reporters)
        SELECT o.account, '', o.day, ${recordsWhere("reporter > 0")}, ${recordsWhere("reporter < 0")}, '{}'
        FROM days CROSS JOIN ruas CROSS JOIN objects o ON o.rua = ruas.rua AND o.day = days.day
        WHERE (o.account, o.day) IN (SELECT w.value ->> 0, w.value ->> 1 FROM json_each(?1) w)
        GROUP BY o.account, o.day
        ON CONFLICT (account, rua, day) DO NOTHING`,
      parameters: [JSON.stringify(accounts)],
    });
  return changes;
}

/** Removes the sums of days before one. They are counted again if they should be asked for. */
export function removeOldDayUses(beforeDay: number): Change {
  return { sql: "DELETE FROM day_uses WHERE day < ?1", parameters: [beforeDay] };
}

/** Removes the sums that some objects are part of: to be run right before those are removed, in the same transaction. */
export function removeDayUsesOf(objects: Change): Change {
  return {
    sql: `WITH gone AS MATERIALIZED (${objects.sql})
      DELETE FROM day_uses WHERE (account, rua, day) IN (
        SELECT account, '', day FROM gone UNION SELECT '', rua, day FROM gone)`,
    parameters: objects.parameters,
  };
}
