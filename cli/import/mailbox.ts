/**
 * Imports the mails of a mailbox, a page at a time, oldest first. A mail is moved only when the ledger has the outcome of all
 * that is in it, and the mark up to which the mailbox is done is kept only behind mails that are settled.
 */
import { IMPORT_LIMITS, MAIL_LIMITS } from "../../shared/limits.ts";
import { bytesSource } from "../../shared/report/source.ts";
import { WAIT_BOUNDS } from "../wait.ts";
import type { FoundFile } from "./found-file.ts";
import { type FileResult, type ImportSettings, importPage } from "./import-page.ts";
import { waitForOutcomes } from "./outcomes.ts";
import type { Watermark } from "./watermark.ts";

/** A mail of a mailbox. */
export interface Mail {
  /** As the server names it. */
  id: string;
  bytes: Uint8Array;
}

/** Some mails, and what to keep once they are done. */
export interface MailPage {
  mails: Mail[];
  /** Mails that are not read: too large to hold a report. */
  unreadable: { id: string; reason: string }[];
  position: unknown;
}

/** Bytes of the mails of a page, about, and how many. */
export const PAGE_BOUNDS = { bytes: 8 * IMPORT_LIMITS.maxCallBytes, mails: IMPORT_LIMITS.filesPerCall };

/** A mailbox on a server. All of it throws a CommandError with a sentence where the server refuses. */
export interface Mailbox {
  /** For people. */
  name: string;
  /** What the mark is kept under: another mailbox has another one, whatever its name is. */
  key: string;
  /** Mails to look at; known once reading began. */
  total: number;
  /** Mails after a position, oldest first; an unknown position counts as none. Changes nothing on the server. */
  pages(position: unknown): AsyncIterable<MailPage>;
  /** Moves mails into a folder. */
  move(ids: readonly string[], folder: string): Promise<void>;
  close(): Promise<void>;
}

export interface MailboxOptions {
  /** Where mails with reports are moved; undefined = nowhere, the mailbox is only read. */
  moveTo: string | undefined;
  watermark: Watermark;
  /** Called with the results of each page. */
  onResults(results: readonly FileResult[]): void;
  /** Called for each mail that is not read. Another run does not look at it again. */
  onUnreadable(origin: string, reason: string): void;
}

/** Settled for good: another run need not look at it. */
const SETTLED = new Set<FileResult["result"]>(["taken", "known", "no_report"]);

/** @throws CommandError as `importPage` and the mailbox do; running it again continues */
export async function importMailbox(
  mailbox: Mailbox,
  settings: ImportSettings,
  { moveTo, watermark, onResults, onUnreadable }: MailboxOptions,
): Promise<void> {
  let isSettled = true;
  for await (const { mails, unreadable, position } of mailbox.pages(watermark.read())) {
    for (const { id, reason } of unreadable) onUnreadable(originOf(mailbox, id), reason);
    const ids = new Map<FoundFile, string>();
    for (const mail of mails) ids.set(foundFile(mailbox, mail), mail.id);
    const results = await importPage([...ids.keys()], settings);
    onResults(results);
    if (settings.isDryRun) continue;
    if (moveTo !== undefined) await moveDone(results, { mailbox, ids, moveTo, settings });
    // A mail without an account is looked at again by the next run.
    isSettled &&= results.every(({ result }) => SETTLED.has(result));
    if (isSettled) watermark.write(position);
  }
}

function originOf({ name }: Mailbox, id: string): string {
  return `${name}, mail ${id}`;
}

function foundFile(mailbox: Mailbox, { id, bytes }: Mail): FoundFile {
  const blob = async (): Promise<Blob> => new Blob([new Uint8Array(bytes)]);
  return { origin: originOf(mailbox, id), name: `${id.slice(-60)}.eml`, source: bytesSource(bytes), blob };
}

interface Move {
  mailbox: Mailbox;
  ids: ReadonlyMap<FoundFile, string>;
  moveTo: string;
  settings: ImportSettings;
}

async function moveDone(
  results: readonly FileResult[],
  { mailbox, ids, moveTo, settings: { client } }: Move,
): Promise<void> {
  const done = results.filter(({ result }) => result === "taken" || result === "known");
  const moved = done.flatMap(({ file }) => ids.get(file) ?? []);
  if (moved.length === 0) return;
  const sha256s = [...new Set(done.map(({ sha256 }) => sha256))];
  await waitForOutcomes(sha256s, client, { stillSeconds: WAIT_BOUNDS.stillSeconds, onDone: () => undefined });
  await mailbox.move(moved, moveTo);
}

/** Bytes of a mail that is read: an import may be larger than what comes by mail, which is encoded. */
export const MAX_MAIL_BYTES = 2 * MAIL_LIMITS.maxMessageBytes;
