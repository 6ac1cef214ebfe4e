/**
 * Finds what may be imported under paths: files, folders of them, the mails of mailboxes (mbox, Maildir). One file is open at
 * a time, and one mail of a mailbox in memory. It sends nothing.
 */
import { type Dirent, existsSync, openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { splitMailbox } from "../../shared/mail/mailbox.ts";
import { bytesSource } from "../../shared/report/source.ts";
import { SNIFF_BYTES, sniff } from "../../shared/sniff.ts";
import { isOfFileSystem, reasonOf } from "../file-errors.ts";
import { openFileSource } from "../file-source.ts";
import type { FoundFile } from "./found-file.ts";

/** A hidden file or a link; or what a mail server keeps beside the mails of a Maildir. */
export type LeftOut = "hidden" | "server";

/** How a path is handled during the search. */
export interface WalkListener {
  /** Nothing is read of it. */
  onPassedOver(path: string, why: LeftOut): void;
  /** It cannot be opened or read. */
  onUnreadable(path: string, reason: string): void;
}

/** A file on disk. */
interface PathFound {
  path: string;
  sizeBytes: number;
}

/** How many files there are under the paths, and how large they are together: for a progress bar. */
export async function measure(paths: readonly string[]): Promise<{ files: number; bytes: number }> {
  const total = { files: 0, bytes: 0 };
  for await (const { sizeBytes } of walk(paths, { onPassedOver: () => undefined, onUnreadable: () => undefined })) {
    total.files++;
    total.bytes += sizeBytes;
  }
  return total;
}

/**
 * Everything under the paths, in a stable order. What is yielded is valid until the next is asked for.
 *
 * @param onRead called with the bytes of each file on disk that is done
 */
export async function* findFiles(
  paths: readonly string[],
  listener: WalkListener,
  onRead: (bytes: number) => void,
): AsyncGenerator<FoundFile> {
  for await (const found of walk(paths, listener)) {
    try {
      yield* open(found, listener);
    } catch (error) {
      if (!isOfFileSystem(error)) throw error;
      listener.onUnreadable(found.path, reasonOf(error));
    }
    onRead(found.sizeBytes);
  }
}

async function* open({ path }: PathFound, listener: WalkListener): AsyncGenerator<FoundFile> {
  await using source = await openFileSource(path);
  if (sniff(await source.read(0, SNIFF_BYTES)) !== "mbox") {
    yield { origin: path, name: basename(path), source, blob: () => openAsBlob(path) };
    return;
  }
  let number = 0;
  for await (const { bytes, isCut } of splitMailbox(source.stream())) {
    number++;
    if (isCut) {
      listener.onUnreadable(`${path}, mail ${number}`, `it is larger than ${MAIL_LIMITS.maxMessageBytes} bytes`);
      continue;
    }
    const blob = async (): Promise<Blob> => new Blob([new Uint8Array(bytes)]);
    yield {
      origin: `${path}, mail ${number}`,
      name: `${basename(path)}-${number}.eml`,
      source: bytesSource(bytes),
      blob,
    };
  }
}

async function* walk(paths: readonly string[], listener: WalkListener): AsyncGenerator<PathFound> {
  for (const path of paths) {
    try {
      const found = await stat(path);
      if (found.isDirectory()) yield* walkFolder(path, listener);
      // Reading a pipe would block.
      else if (!found.isFile()) listener.onUnreadable(path, "it is not a regular file");
      else yield { path, sizeBytes: found.size };
    } catch (error) {
      if (!isOfFileSystem(error)) throw error;
      listener.onUnreadable(path, reasonOf(error));
    }
  }
}

/** Files that mail servers keep beside the mails of a Maildir. */
const SERVER_FILE = /^(dovecot[.-]|dovecot$|courier|maildirfolder$|maildirsize$|subscriptions$|\.?sieve)/;

async function* walkFolder(folder: string, listener: WalkListener): AsyncGenerator<PathFound> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const isMaildir = ["cur", "new"].every((name) => entries.some((entry) => entry.isDirectory() && entry.name === name));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const why = leftOut(entry, { folder, isMaildir });
    if (why !== undefined) listener.onPassedOver(path, why);
    else if (entry.isDirectory()) yield* walkOne(path, listener);
    else if (entry.isFile()) yield* walkFile(path, listener);
    else listener.onPassedOver(path, "hidden");
  }
}

/** One that is renamed or deleted meanwhile, as a mail server does, must not end the walk through its folder. */
async function* walkFile(path: string, listener: WalkListener): AsyncGenerator<PathFound> {
  try {
    yield { path, sizeBytes: (await stat(path)).size };
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    listener.onUnreadable(path, reasonOf(error));
  }
}

async function* walkOne(path: string, listener: WalkListener): AsyncGenerator<PathFound> {
  try {
    yield* walkFolder(path, listener);
  } catch (error) {
    if (!isOfFileSystem(error)) throw error;
    listener.onUnreadable(path, reasonOf(error));
  }
}

function leftOut(entry: Dirent, { folder, isMaildir }: { folder: string; isMaildir: boolean }): LeftOut | undefined {
  // A mail that is being delivered is in tmp.
  if (isMaildir && (entry.name === "tmp" || (entry.isFile() && SERVER_FILE.test(entry.name)))) return "server";
  if (!entry.name.startsWith(".")) return undefined;
  // Maildir++ keeps folders of a mailbox as hidden folders in it.
  return isMaildir && entry.isDirectory() && existsSync(join(folder, entry.name, "cur")) ? undefined : "hidden";
}
