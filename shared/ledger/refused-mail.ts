/**
 * Mail refused because its address is not registered, by day and address: nothing else would reveal a mistyped `rua`.
 * Ingest records it in one statement that bounds itself: a number of addresses per day, each counted up to a limit, the
 * rest under "". Kept in the first database.
 */
import * as v from "valibot";
import { REFUSED_MAIL_LIMITS } from "../limits.ts";
import { ruaCandidates } from "../registry.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { type Change, change, type LedgerDatabase, type Query, query } from "./database.ts";
import { nameHash } from "./forgotten.ts";

/** One refused mail, according to its envelope. */
export interface RefusedMail {
  recipient: string;
  sender: string;
  seconds: number;
}

/** Records a refused mail. @throws whatever D1 throws */
export async function noteRefusedMail(
  directory: LedgerDatabase,
  { recipient, sender, seconds }: RefusedMail,
): Promise<void> {
  const { addressesPerDay, mailsPerAddress, otherMailsPerDay, maxAddressChars } = REFUSED_MAIL_LIMITS;
  // Reporters keep writing to a forgotten account: such mail is counted without its address.
  const hashes = await Promise.all(ruaCandidates(recipient).map((rua) => nameHash("address", rua)));
  await change(directory, [
    {
      sql: `INSERT INTO refused_mail (day, rua, mails, last_seconds, last_sender)
        SELECT ?1, CASE WHEN EXISTS (SELECT 1 FROM refused_mail WHERE day = ?1 AND rua = ?2)
            OR (SELECT count(*) FROM refused_mail WHERE day = ?1 AND rua <> '') < ?5
          THEN iif(EXISTS (SELECT 1 FROM json_each(?8) w JOIN forgotten f ON f.name_hash = unhex(w.value)), '', ?2)
          ELSE '' END,
          1, ?3, ?4
        WHERE true
        ON CONFLICT (day, rua) DO UPDATE SET mails = mails + 1, last_seconds = excluded.last_seconds,
          last_sender = excluded.last_sender
        WHERE mails < CASE WHEN rua = '' THEN ?7 ELSE ?6 END`,
      parameters: [
        Math.floor(seconds / SECONDS_PER_DAY),
        recipient.toLowerCase().slice(0, maxAddressChars).toWellFormed(),
        seconds,
        sender.slice(0, maxAddressChars).toWellFormed(),
        addressesPerDay,
        mailsPerAddress,
        otherMailsPerDay,
        JSON.stringify(hashes),
      ],
    },
  ]);
}

/** Refused mail to one address over several days. */
export interface RefusedAddress {
  /** "" = addresses beyond the daily limit. */
  rua: string;
  mails: number;
  /** A day's count reached its limit: there were more. */
  isAtLeast: boolean;
  lastSeconds: number;
  /** Envelope sender of the last one. */
  lastSender: string;
}

/** By address, most mails first; days since 1970-01-01 UTC, both included. For the first database. */
export function refusedMailQuery({ firstDay, lastDay }: { firstDay: number; lastDay: number }): Query<RefusedAddress> {
  const { mailsPerAddress, otherMailsPerDay, addressesShown } = REFUSED_MAIL_LIMITS;
  return query(
    // With a single max(), SQLite takes the other columns from the row that has it.
    `SELECT rua, sum(mails) AS mails, sum(mails >= CASE WHEN rua = '' THEN ?3 ELSE ?4 END) > 0 AS isAtLeast,
      max(last_seconds) AS lastSeconds, last_sender AS lastSender
    FROM refused_mail WHERE day BETWEEN ?1 AND ?2 GROUP BY rua ORDER BY 2 DESC, rua LIMIT ?5`,
    [firstDay, lastDay, otherMailsPerDay, mailsPerAddress, addressesShown],
    v.object({
      rua: v.string(),
      mails: v.number(),
      isAtLeast: v.pipe(
        v.number(),
        v.transform((flag) => flag === 1),
      ),
      lastSeconds: v.number(),
      lastSender: v.string(),
    }),
  );
}

/** What addresses for reports, and those that send them, are called. */
const REPORT_WORDS = /dmarc|tls-?rpt|smtp-?tls|report|(?<![a-z])ru[af](?![a-z])/i;

/** How many of the mails were reports, as far as their addresses tell: to a catch-all, most mail is spam. */
export function reportMails(refused: readonly RefusedAddress[]): number {
  const reports = refused.filter(({ rua, lastSender }) => REPORT_WORDS.test(`${rua} ${lastSender}`));
  return reports.reduce((sum, { mails }) => sum + mails, 0);
}

/** Removes entries before a day. */
export function removeOldRefusedMail(beforeDay: number): Change {
  return { sql: "DELETE FROM refused_mail WHERE day < ?1", parameters: [beforeDay] };
}
