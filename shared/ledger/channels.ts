/** Channels, and the deliveries of notices and digests to them, in the database of the account. */
import * as v from "valibot";
import { NOTIFY_LIMITS } from "../limits.ts";
import { CHANNEL_KINDS, type Channel, DIGEST_INTERVALS } from "../notify/channel.ts";
import { ask, type Change, knows, type LedgerDatabase, type Query, query } from "./database.ts";

const channelRow = v.pipe(
  v.object({
    id: v.string(),
    account: v.string(),
    kind: v.picklist(CHANNEL_KINDS),
    name: v.string(),
    target: v.string(),
    secret: v.string(),
    sends_notices: v.number(),
    digest: v.picklist(DIGEST_INTERVALS),
    time_zone: v.string(),
    created_seconds: v.number(),
    created_by: v.string(),
    confirmed_seconds: v.number(),
    unanswered: v.number(),
    silent_until_seconds: v.number(),
  }),
  v.transform(
    ({
      sends_notices,
      time_zone,
      created_seconds,
      created_by,
      confirmed_seconds,
      silent_until_seconds,
      ...row
    }): Channel => ({
      ...row,
      sendsNotices: sends_notices === 1,
      timeZone: time_zone,
      createdSeconds: created_seconds,
      createdBy: created_by,
      confirmedSeconds: confirmed_seconds,
      silentUntilSeconds: silent_until_seconds,
    }),
  ),
);

/** The condition that this version knows how to send to a channel, and when. */
const KNOWS_CHANNEL = `${knows("kind", CHANNEL_KINDS)} AND ${knows("digest", DIGEST_INTERVALS)}`;

const CHANNEL_COLUMNS = `id, account, kind, name, target, secret, sends_notices, digest, time_zone, created_seconds, created_by,
  confirmed_seconds, unanswered, silent_until_seconds`;

/** The channels of some accounts, oldest first. */
export function channelsQuery(accounts: readonly string[]): Query<Channel> {
  const sql = `SELECT ${CHANNEL_COLUMNS} FROM channels WHERE account IN (SELECT value FROM json_each(?1)) AND ${KNOWS_CHANNEL}
    ORDER BY account, created_seconds, id`;
  return query(sql, [JSON.stringify(accounts)], channelRow);
}

/** One channel of an account: one row or none. */
export function channelQuery(account: string, id: string): Query<Channel> {
  const sql = `SELECT ${CHANNEL_COLUMNS} FROM channels WHERE id = ?1 AND account = ?2 AND ${KNOWS_CHANNEL}`;
  return query(sql, [id, account], channelRow);
}

/** Channels of a database that get digests. */
export function digestChannelsQuery(): Query<Channel> {
  const sql = `SELECT ${CHANNEL_COLUMNS} FROM channels
    WHERE digest <> 'none' AND confirmed_seconds > 0 AND ${KNOWS_CHANNEL} ORDER BY id`;
  return query(sql, [], channelRow);
}

/** Adds a channel, unless its account has as many as it may. */
export function addChannel(channel: Channel): Change {
  return {
    sql: `INSERT INTO channels (${CHANNEL_COLUMNS})
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13, 0, 0
      WHERE (SELECT count(*) FROM channels WHERE account = ?2) < ?12 RETURNING id`,
    parameters: [
      channel.id,
      channel.account,
      channel.kind,
      channel.name,
      channel.target,
      channel.secret,
      channel.sendsNotices ? 1 : 0,
      channel.digest,
      channel.timeZone,
      channel.createdSeconds,
      channel.createdBy,
      NOTIFY_LIMITS.channelsPerAccount,
      channel.confirmedSeconds,
    ],
  };
}

/** Notes that notices may be sent to a channel; one that is confirmed already stays as it is. */
export function confirmChannel(account: string, id: string, nowSeconds: number): Change {
  return {
    sql: "UPDATE channels SET confirmed_seconds = ?3 WHERE id = ?1 AND account = ?2 AND confirmed_seconds = 0",
    parameters: [id, account, nowSeconds],
  };
}

/**
 * Requires a mail address (lower case) to be confirmed again before anything more about some accounts is sent there. Only
 * a new link confirms it: the key that earlier ones were signed with is replaced.
 *
 * @param accounts those of the channels; undefined = all
 * @param except those of them that stay as they are
 */
export function unconfirmAddress(
  email: string,
  accounts: readonly string[] | undefined,
  except: readonly string[],
): Change {
  return {
    sql: `UPDATE channels SET confirmed_seconds = 0, secret = lower(hex(randomblob(32)))
      WHERE kind = 'email' AND lower(target) = ?1
      AND (?2 IS NULL OR account IN (SELECT value FROM json_each(?2))) AND account NOT IN (SELECT value FROM json_each(?3))`,
    parameters: [email, accounts === undefined ? null : JSON.stringify(accounts), JSON.stringify(except)],
  };
}

/** Takes the place of the text that asked to confirm a channel, once the channel is removed. */
function removedText(target: string): string {
  return `The channel to ${target} was removed.`;
}

/** How often an account asked strangers to confirm: in all since ?2, and an address (lower case) since ?3, an earlier time. */
const CONFIRMATIONS = `SELECT count(*) FILTER (WHERE d.created_seconds > ?2) AS ofAccount,
      count(*) FILTER (WHERE lower(c.target) = ?4 OR d.result = ?5) AS toAddress
    FROM deliveries d LEFT JOIN channels c ON c.id = d.channel
    WHERE d.account = ?1 AND d.kind = 'confirm' AND d.created_seconds > ?3`;

function confirmationParameters({ account, target }: Pick<Channel, "account" | "target">, nowSeconds: number) {
  const address = target.toLowerCase();
  const weekSeconds = nowSeconds - NOTIFY_LIMITS.confirmationSeconds;
  return [account, nowSeconds - 86_400, weekSeconds, address, removedText(address)];
}

/** How often an account asked strangers to confirm within a day, and an address within a week: one row. */
export function confirmationsQuery(
  channel: Pick<Channel, "account" | "target">,
  nowSeconds: number,
): Query<{ ofAccount: number; toAddress: number }> {
  const row = v.object({ ofAccount: v.number(), toAddress: v.number() });
  return query(CONFIRMATIONS, confirmationParameters(channel, nowSeconds), row);
}

/**
 * Adds the question to confirm a channel, or finds the one of the same subject; neither, and no row, where its account or its
 * address has had as many as may be. The limits hold whatever else is added at the same time.
 */
export function addQuestion(channel: Channel, subject: string, nowSeconds: number): Change {
  const { confirmationsPerDay, confirmationsPerAddress } = NOTIFY_LIMITS;
  return {
    sql: `INSERT INTO deliveries (${DELIVERY_COLUMNS}, claimed_seconds)
      SELECT ?6, ?7, ?1, 'confirm', ?8, 'waiting', 0, '', ?9, ?9, 0, 0 FROM (${CONFIRMATIONS})
      WHERE ofAccount < ?10 AND toAddress < ?11 AND EXISTS (SELECT 1 FROM channels WHERE id = ?7)
      ON CONFLICT (id) DO UPDATE SET subject = excluded.subject RETURNING id`,
    parameters: [
      ...confirmationParameters(channel, nowSeconds),
      deliveryId(channel.id, "confirm", subject),
      channel.id,
      subject,
      nowSeconds,
      confirmationsPerDay,
      confirmationsPerAddress,
    ],
  };
}

/** Removes a new channel if its address could not be asked to confirm. */
export function removeUnasked(id: string): Change {
  return {
    sql: "DELETE FROM channels WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE channel = ?1)",
    parameters: [id],
  };
}

/** Removes a channel and its deliveries; only that its address was asked to confirm is kept, as this is limited. */
export function removeChannel({ account, id, target }: Pick<Channel, "account" | "id" | "target">): Change[] {
  return [
    {
      sql: `UPDATE deliveries SET state = 'failed', result = ?3, next_seconds = 0, finished_seconds = created_seconds
        WHERE channel = ?1 AND account = ?2 AND kind = 'confirm'`,
      parameters: [id, account, removedText(target.toLowerCase())],
    },
    {
      sql: "DELETE FROM deliveries WHERE channel = ?1 AND account = ?2 AND kind <> 'confirm'",
      parameters: [id, account],
    },
    { sql: "DELETE FROM channels WHERE id = ?1 AND account = ?2", parameters: [id, account] },
  ];
}

export const DELIVERY_KINDS = ["notice", "digest", "test", "confirm"] as const;
export const DELIVERY_STATES = ["waiting", "sent", "failed"] as const;

const deliveryRow = v.pipe(
  v.object({
    id: v.string(),
    channel: v.string(),
    account: v.string(),
    kind: v.picklist(DELIVERY_KINDS),
    subject: v.string(),
    state: v.picklist(DELIVERY_STATES),
    attempts: v.number(),
    result: v.string(),
    created_seconds: v.number(),
    next_seconds: v.number(),
    finished_seconds: v.number(),
  }),
  v.transform(({ created_seconds, next_seconds, finished_seconds, ...row }) => ({
    ...row,
    createdSeconds: created_seconds,
    nextSeconds: next_seconds,
    finishedSeconds: finished_seconds,
  })),
);

/** A notice, digest, test or question to confirm on its way to a channel. */
export type Delivery = v.InferOutput<typeof deliveryRow>;

const DELIVERY_COLUMNS = `id, channel, account, kind, subject, state, attempts, result, created_seconds, next_seconds,
  finished_seconds`;

/** The newest deliveries of some accounts, newest first. */
export function deliveriesQuery(accounts: readonly string[], limit: number): Query<Delivery> {
  const sql = `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE account IN (SELECT value FROM json_each(?1))
      AND ${knows("kind", DELIVERY_KINDS)} AND ${knows("state", DELIVERY_STATES)}
    ORDER BY created_seconds DESC, id LIMIT ?2`;
  return {
    ...query(sql, [JSON.stringify(accounts), limit], deliveryRow),
    combine: (parts) =>
      parts
        .flat()
        .sort((a, b) => b.createdSeconds - a.createdSeconds)
        .slice(0, limit),
  };
}

/** When the digest before was due at a channel: one row, `null` if there was none. */
export function digestBeforeQuery({ channel, createdSeconds }: Delivery): Query<number | null> {
  const sql =
    "SELECT max(created_seconds) AS seconds FROM deliveries WHERE channel = ?1 AND kind = 'digest' AND created_seconds < ?2";
  const row = v.pipe(
    v.object({ seconds: v.nullable(v.number()) }),
    v.transform(({ seconds }) => seconds),
  );
  return query(sql, [channel, createdSeconds], row);
}

/** The id of a delivery: a channel gets the same thing once. */
export function deliveryId(channel: string, kind: Delivery["kind"], subject: string): string {
  return `${channel} ${kind} ${subject}`;
}

/**
 * Adds deliveries of immediate notices to the channels of their accounts. Notices of the last days are looked at every time, so
 * that none is missed after an outage; what has been added stays as it is. Of domains that nobody registered, the first few of each
 * day.
 */
export function deliverNotices(nowSeconds: number): Change {
  return {
    sql: `INSERT OR IGNORE INTO deliveries (${DELIVERY_COLUMNS}, claimed_seconds)
      SELECT c.id || ' notice ' || n.id, c.id, c.account, 'notice', n.id, 'waiting', 0, '', ?1, ?1, 0, 0
      FROM (SELECT *, row_number() OVER (PARTITION BY account, isRegistered, day ORDER BY created_seconds, id) AS place
        FROM (SELECT id, account, created_seconds, created_seconds / 86400 AS day, domain = '' OR EXISTS
            (SELECT 1 FROM registered_domains r WHERE r.account = notices.account AND r.domain = notices.domain) AS isRegistered
          FROM notices WHERE created_seconds >= ?2 - ?2 % 86400 AND urgency = 'immediate')) n
      JOIN channels c ON c.account = n.account AND c.sends_notices = 1 AND c.confirmed_seconds > 0
      WHERE (n.isRegistered OR n.place <= ?3) AND n.created_seconds >= ?2 AND n.created_seconds >= c.confirmed_seconds`,
    parameters: [nowSeconds, nowSeconds - NOTIFY_LIMITS.noticeSeconds, NOTIFY_LIMITS.noticesOfUnregistered],
  };
}

/** Adds one delivery; one that is there stays as it is. */
export function addDelivery(
  { id: channel, account }: Pick<Channel, "id" | "account">,
  { kind, subject }: Pick<Delivery, "kind" | "subject">,
  nowSeconds: number,
): Change {
  return {
    sql: `INSERT OR IGNORE INTO deliveries (${DELIVERY_COLUMNS}, claimed_seconds)
      VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0, '', ?6, ?6, 0, 0)`,
    parameters: [deliveryId(channel, kind, subject), channel, account, kind, subject, nowSeconds],
  };
}

/**
 * Deliveries that are due: of each channel the oldest few, of one that does not answer the oldest only, as what waits at one
 * channel must not keep others waiting. They become due again later, in case their message is lost with its queue.
 *
 * @returns ids by channel, the oldest first
 */
export async function takeDueDeliveries(ledger: LedgerDatabase, nowSeconds: number): Promise<string[][]> {
  const sql = `UPDATE deliveries SET next_seconds = ?2 WHERE state = 'waiting' AND id IN
      (SELECT id FROM
        (SELECT d.id, d.next_seconds, c.unanswered,
          row_number() OVER (PARTITION BY d.channel ORDER BY d.created_seconds, d.id) AS place
        FROM deliveries d INDEXED BY deliveries_due LEFT JOIN channels c ON c.id = d.channel
        WHERE d.state = 'waiting' AND d.next_seconds <= ?1)
      WHERE place <= CASE WHEN unanswered > 0 THEN 1 ELSE ?4 END ORDER BY next_seconds LIMIT ?3)
    RETURNING id, channel, created_seconds`;
  const { lostMessageSeconds, deliveriesPerRun, deliveriesPerMessage } = NOTIFY_LIMITS;
  const parameters = [nowSeconds, nowSeconds + lostMessageSeconds, deliveriesPerRun, deliveriesPerMessage];
  const row = v.object({ id: v.string(), channel: v.string(), created_seconds: v.number() });
  const due = await ask(ledger, query(sql, parameters, row));
  due.sort((a, b) => a.created_seconds - b.created_seconds || (a.id < b.id ? -1 : 1));
  return [...Map.groupBy(due, ({ channel }) => channel).values()].map((ofOne) => ofOne.map(({ id }) => id));
}

/**
 * Begins an attempt: the delivery is claimed for a while, so that a message that is delivered twice does not send twice.
 *
 * @returns undefined when it was sent, given up or removed, is being sent, or its channel is left alone as it does not answer
 */
export async function claimDelivery(
  ledger: LedgerDatabase,
  id: string,
  nowSeconds: number,
): Promise<Delivery | undefined> {
  const sql = `UPDATE deliveries SET attempts = attempts + 1, claimed_seconds = ?2
    WHERE id = ?1 AND state = 'waiting' AND claimed_seconds <= ?3 AND ${knows("kind", DELIVERY_KINDS)} AND (kind = 'test' OR NOT EXISTS
      (SELECT 1 FROM channels c WHERE c.id = deliveries.channel
        AND (c.silent_until_seconds > ?2 OR NOT ${knows("c.kind", CHANNEL_KINDS)})))
    RETURNING ${DELIVERY_COLUMNS}`;
  const rows = await ask(ledger, query(sql, [id, nowSeconds, nowSeconds - NOTIFY_LIMITS.claimSeconds], deliveryRow));
  return rows[0];
}

/** How an attempt ended. `nextSeconds`: when the next one is due, while it is waiting. */
export function endAttempt(
  id: string,
  { state, result, nextSeconds }: Pick<Delivery, "state" | "result" | "nextSeconds">,
  nowSeconds: number,
): Change {
  return {
    sql: `UPDATE deliveries SET state = ?2, result = ?3, next_seconds = ?4, claimed_seconds = 0,
        finished_seconds = CASE WHEN ?2 = 'waiting' THEN 0 ELSE ?5 END
      WHERE id = ?1 AND state = 'waiting'`,
    parameters: [id, state, result, nextSeconds, nowSeconds],
  };
}

/** Notes that a channel did not answer: nothing is due there before a time. */
export function leaveAlone(channel: string, untilSeconds: number): Change[] {
  return [
    {
      sql: "UPDATE channels SET unanswered = unanswered + 1, silent_until_seconds = ?2 WHERE id = ?1",
      parameters: [channel, untilSeconds],
    },
    {
      sql: "UPDATE deliveries SET next_seconds = ?2 WHERE channel = ?1 AND state = 'waiting' AND next_seconds < ?2",
      parameters: [channel, untilSeconds],
    },
  ];
}

/** Notes that a channel answers again: what waits there is due. */
export function catchUp(channel: string, nowSeconds: number): Change[] {
  return [
    { sql: "UPDATE channels SET unanswered = 0, silent_until_seconds = 0 WHERE id = ?1", parameters: [channel] },
    {
      sql: `UPDATE deliveries SET next_seconds = ?2
        WHERE channel = ?1 AND state = 'waiting' AND next_seconds > ?2 AND claimed_seconds = 0`,
      parameters: [channel, nowSeconds],
    },
  ];
}

/** Removes deliveries that ended before a time. */
export function removeOldDeliveries(beforeSeconds: number): Change {
  return {
    sql: "DELETE FROM deliveries WHERE state <> 'waiting' AND finished_seconds < ?1",
    parameters: [beforeSeconds],
  };
}
