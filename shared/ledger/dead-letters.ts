/**
 * Dead letters: files and messages that could not be processed, with the reason, until a person or a later run resolves
 * them.
 */
import * as v from "valibot";
import { PAGE_LIMITS } from "../limits.ts";
import { parseDay } from "../report-day.ts";
import { fail, ok, type Result } from "../result.ts";
import { isDatedId } from "../storage.ts";
import { adding, compareValues, firstRows, type ListPage, sumRows } from "./combine.ts";
import { ask, type Change, jsonColumn, type LedgerDatabase, type Parameter, type Query, query } from "./database.ts";
import { mailOrigin, reportFile } from "./mail-origin.ts";
import { pagedIdsQuery, type SearchedList } from "./paged-ids.ts";

/** The details of a dead letter that are in no other column. */
const letter = v.object({
  message: v.string(),
  stage: v.fallback(v.picklist(["read", "queue"]), "queue"),
  /** The queue message, whatever it was. */
  queueMessage: v.unknown(),
  /** For a message that ran out of retries: its last error, or a note that none was kept. */
  lastError: v.optional(v.string()),
  /** Of too_many_problems: how often each reason occurred. */
  counts: v.optional(v.record(v.string(), v.number())),
  /** Its mail's own account of its origin. */
  mail: v.optional(mailOrigin),
  /** The file, as named and declared by the mail, and its type according to its first bytes. */
  file: v.optional(reportFile),
  /** Whether the domain was guessed from the file name. */
  isDomainGuessed: v.optional(v.boolean()),
});

/** The mail that brought a dead letter. */
export type DeadLetterMail = NonNullable<v.InferOutput<typeof letter>["mail"]>;

/** The file a dead letter is about. */
export type DeadLetterFile = NonNullable<v.InferOutput<typeof letter>["file"]>;

export interface DeadLetterRow {
  /** `<YYYYMMDD>-<hash>`: the day the mail arrived, and what failed. */
  id: string;
  day: number;
  account: string;
  rua: string;
  /** Policy domain, if known. */
  domain: string;
  /** A newer version may have filed it, for a reason that this one does not know. */
  code: string;
  /** The sentence for people. */
  message: string;
  stage: "read" | "queue";
  /** "" for a message that names no raw object. */
  rawKey: string;
  part: string;
  generation: number;
  receivedSeconds: number;
  filedSeconds: number;
  /** Deliveries used up. */
  attempts: number;
  queueMessage: unknown;
  lastError?: string | undefined;
  /** Of too_many_problems: how often each reason occurred. */
  counts?: Partial<Record<string, number>> | undefined;
  mail?: DeadLetterMail | undefined;
  file?: DeadLetterFile | undefined;
  isDomainGuessed?: boolean | undefined;
  /** When a person discarded it, and who; absent or 0 while it is open. */
  discardedSeconds?: number;
  discardedBy?: string;
}

/** Whether a person discarded it. */
export function isDiscarded({ discardedSeconds = 0 }: Pick<DeadLetterRow, "discardedSeconds">): boolean {
  return discardedSeconds > 0;
}

const row = v.pipe(
  v.object({
    id: v.string(),
    day: v.number(),
    account: v.string(),
    rua: v.string(),
    domain: v.string(),
    code: v.string(),
    rawKey: v.string(),
    part: v.string(),
    generation: v.number(),
    receivedSeconds: v.number(),
    filedSeconds: v.number(),
    attempts: v.number(),
    discardedSeconds: v.number(),
    discardedBy: v.string(),
    letter: jsonColumn(letter),
  }),
  v.transform(
    ({ letter: { queueMessage, ...rest }, ...columns }): DeadLetterRow => ({ ...columns, ...rest, queueMessage }),
  ),
);

const COLUMNS = `id, day, account, rua, domain, code, raw_key AS rawKey, part, generation,
  received_seconds AS receivedSeconds, filed_seconds AS filedSeconds, attempts,
  discarded_seconds AS discardedSeconds, discarded_by AS discardedBy, letter`;

/** Files dead letters; an existing one is rewritten and keeps the time it was first filed, and whether it is discarded. */
export function putDeadLetters(rows: readonly DeadLetterRow[]): Change {
  const values = rows.map((one) => [
    one.id,
    one.day,
    one.account,
    one.rua,
    one.domain,
    one.code,
    one.rawKey,
    one.part,
    one.generation,
    one.receivedSeconds,
    one.filedSeconds,
    one.attempts,
    JSON.stringify({
      message: one.message,
      stage: one.stage,
      queueMessage: one.queueMessage,
      lastError: one.lastError,
      counts: one.counts,
      mail: one.mail,
      file: one.file,
      isDomainGuessed: one.isDomainGuessed,
    }),
    one.discardedSeconds ?? 0,
    one.discardedBy ?? "",
  ]);
  return {
    sql: `INSERT INTO dead_letters (id, day, account, rua, domain, code, raw_key, part, generation, received_seconds,
        filed_seconds, attempts, letter, discarded_seconds, discarded_by)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14
      FROM json_each(?1) WHERE true
      ON CONFLICT (id) DO UPDATE SET account = excluded.account, domain = excluded.domain,
        generation = excluded.generation, attempts = excluded.attempts, letter = excluded.letter`,
    parameters: [JSON.stringify(values)],
  };
}

/** Removes dead letters by id. */
export function removeDeadLetters(ids: readonly string[]): Change {
  return {
    sql: "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1))",
    parameters: [JSON.stringify(ids)],
  };
}

/** Marks dead letters as discarded: they stay, and the same failure is not filed again. */
export function markDiscarded(ids: readonly string[], by: string, nowSeconds: number): Change {
  return {
    sql: `UPDATE dead_letters SET discarded_seconds = ?2, discarded_by = ?3
      WHERE id IN (SELECT value FROM json_each(?1))`,
    parameters: [JSON.stringify(ids), nowSeconds, by],
  };
}

/** Reopens discarded dead letters, each under the given generation, so that its events outrank earlier ones. */
export function reopen(deadLetters: readonly Pick<DeadLetterRow, "id" | "generation">[]): Change {
  return {
    sql: `UPDATE dead_letters SET discarded_seconds = 0, discarded_by = '', generation = w.value ->> 1
      FROM json_each(?1) w WHERE dead_letters.id = w.value ->> 0`,
    parameters: [JSON.stringify(deadLetters.map(({ id, generation }) => [id, generation]))],
  };
}

/** The condition that a row of dead_letters is open. */
export const IS_OPEN_DEAD_LETTER = "discarded_seconds = 0";

/** Narrows dead letters; an absent field means all. Days are those the mail arrived on, since 1970-01-01 UTC. */
export interface DeadLetterFilter {
  code?: string | undefined;
  domain?: string | undefined;
  account?: string | undefined;
  firstDay?: number | undefined;
  lastDay?: number | undefined;
  /** Discarded dead letters instead of open ones. */
  isDiscarded?: boolean | undefined;
}

/** A page of dead letters by day and id, oldest first; `after` is the last id of the previous page. */
export function deadLettersQuery(
  filter: DeadLetterFilter,
  { after = "", limit }: { after?: string | undefined; limit: number },
): Query<DeadLetterRow> {
  const { where, parameters } = conditions(filter);
  return {
    ...query(
      `SELECT ${COLUMNS} FROM dead_letters WHERE id > ? ${where} ORDER BY id LIMIT ?`,
      [after, ...parameters, limit],
      row,
    ),
    combine: (parts) => firstRows(parts, (a, b) => compareValues(a.id, b.id), limit),
  };
}

/** A request for dead letters: days as `YYYY-MM-DD`, and where the previous page ended. */
export interface DeadLetterQuestion {
  code?: string | undefined;
  domain?: string | undefined;
  account?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  isDiscarded?: boolean | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/**
 * The number of matching dead letters by reason, most frequent first. The request's own reason and page are ignored.
 */
export function deadLetterReasonsQuery(
  question: DeadLetterQuestion,
): Result<Query<{ code: string; deadLetters: number }>, string> {
  const filter = filterOf({ ...question, code: undefined });
  if (!filter.ok) return filter;
  const { where, parameters } = conditions(filter.value);
  return ok({
    ...query(
      `SELECT code, count(*) AS deadLetters FROM dead_letters WHERE true ${where} GROUP BY code`,
      parameters,
      v.object({ code: v.string(), deadLetters: v.number() }),
    ),
    combine: (parts) =>
      sumRows(parts, ({ code }) => code, adding("deadLetters")).sort(
        (a, b) => b.deadLetters - a.deadLetters || compareValues(a.code, b.code),
      ),
  });
}

/**
 * A page of at most PAGE_LIMITS.deadLetters.
 *
 * @returns what is wrong with the request, as a sentence, if it is invalid
 */
export function deadLetterPageQuery({
  cursor,
  limit = PAGE_LIMITS.deadLetters,
  ...question
}: DeadLetterQuestion): Result<Query<DeadLetterRow>, string> {
  const filter = filterOf(question);
  if (!filter.ok) return filter;
  if (cursor !== undefined && !isDatedId(cursor)) return fail("The cursor does not belong to this listing.");
  return ok(deadLettersQuery(filter.value, { after: cursor, limit }));
}

/** The orders of the list, as SQL. */
const ORDERS = { at: "filed_seconds", code: "code", domain: "domain", rua: "rua", attempts: "attempts" } as const;
export type DeadLetterOrder = keyof typeof ORDERS;

/** Whether the list can be sorted by it. */
export function isDeadLetterOrder(text: string): text is DeadLetterOrder {
  return Object.hasOwn(ORDERS, text);
}

/**
 * Ids of one page of dead letters, wherever in the list it is, with the number there are. The answer is one row; none where
 * there are none. The cursor of the question is ignored.
 *
 * @returns what is wrong with the request, as a sentence, if it is invalid
 */
export function deadLetterIdsQuery(
  { cursor: _, ...question }: DeadLetterQuestion,
  list: SearchedList<DeadLetterOrder>,
): Result<Query<ListPage<{ id: string }>>, string> {
  const filter = filterOf(question);
  if (!filter.ok) return filter;
  const { where, parameters } = conditions(filter.value);
  const source = {
    table: "dead_letters",
    searched: "id || ' ' || code || ' ' || account || ' ' || domain || ' ' || rua || ' ' || raw_key || ' ' || letter",
    place: ORDERS[list.order],
    where: { sql: `true ${where}`, parameters },
  };
  return ok(pagedIdsQuery(source, list));
}

function filterOf({ since, until, ...filter }: DeadLetterQuestion): Result<DeadLetterFilter, string> {
  const [firstDay, lastDay] = [since, until].map((day) => (day === undefined ? undefined : parseDay(day)));
  const wrong = firstDay === undefined && since !== undefined ? since : lastDay === undefined ? until : undefined;
  if (wrong !== undefined) return fail(`'${wrong}' is not a day; write it as YYYY-MM-DD.`);
  return ok({ ...filter, firstDay, lastDay });
}

/** Dead letters by id, those that exist. */
export function deadLettersNamedQuery(ids: readonly string[]): Query<DeadLetterRow> {
  return query(
    `SELECT ${COLUMNS} FROM dead_letters WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id`,
    [JSON.stringify(ids)],
    row,
  );
}

/** The same in one database; none without ids. */
export async function findDeadLetters(database: LedgerDatabase, ids: readonly string[]): Promise<DeadLetterRow[]> {
  return ids.length === 0 ? [] : ask(database, deadLettersNamedQuery(ids));
}

function conditions({ code, domain, account, firstDay, lastDay, isDiscarded = false }: DeadLetterFilter) {
  const given: [string, Parameter | undefined][] = [
    ["code = ?", code],
    ["domain = ?", domain],
    ["account = ?", account],
    ["day >= ?", firstDay],
    ["day <= ?", lastDay],
  ];
  const used = given.filter((entry): entry is [string, Parameter] => entry[1] !== undefined);
  return {
    where: [isDiscarded ? "discarded_seconds > 0" : IS_OPEN_DEAD_LETTER, ...used.map(([condition]) => condition)]
      .map((condition) => `AND ${condition}`)
      .join(" "),
    parameters: used.map(([, value]) => value),
  };
}
