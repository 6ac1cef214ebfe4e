/**
 * Turns files into mails to send: a file that is a mail is sent unchanged, anything else as an attachment of a new
 * mail. Walks folders and reads the start of files; sends nothing.
 */
import type { Dirent } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { SendMailOptions } from "nodemailer";
import { MAIL_LIMITS } from "../shared/limits.ts";
import { extractMail } from "../shared/mail/extract.ts";
import type { PassedKind } from "../shared/mail/roles.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../shared/sniff.ts";

/** MIME types for the attachment; receivers go by the bytes. */
const MIME_TYPES: Partial<Record<ContentType, string>> = {
  gzip: "application/gzip",
  zip: "application/zip",
  xml: "text/xml",
  json: "application/json",
  html: "text/html",
  text: "text/plain",
  pdf: "application/pdf",
};

/** Sender of mails made here, in header and envelope. */
const SENDER = "dmarc-send@localhost";

/**
 * Regular files under the paths, in a stable order: as given, folders sorted by name, without dot files. A symbolic
 * link is followed if given as a path, but not inside a folder.
 *
 * @param passOver called for everything left out of a folder
 * @throws the error of node:fs when a path does not exist or a folder cannot be read
 */
export async function* walkFiles(paths: string[], passOver: (path: string) => void): AsyncGenerator<string> {
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) yield* walkFolder(path, passOver);
    else yield path;
  }
}

async function* walkFolder(folder: string, passOver: (path: string) => void): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort(byName);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) passOver(path);
    else if (entry.isDirectory()) yield* walkFolder(path, passOver);
    else if (entry.isFile()) yield path;
    else passOver(path);
  }
}

// Sorted by code unit, independent of the locale.
function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

/**
 * The mail of a file.
 *
 * @param rua envelope recipient
 * @throws the error of node:fs when the file cannot be read
 */
export async function buildMail(path: string, rua: string): Promise<SendMailOptions> {
  const type = sniff(await readHead(path));
  const envelope = { from: SENDER, to: [rua] };
  // The bytes of a mail are not changed. (SMTP only has CRLF: a bare LF or CR arrives as CRLF.)
  if (type === "mail") return { envelope, raw: await readFile(path) };
  const filename = basename(path);
  return {
    envelope,
    from: SENDER,
    to: rua,
    subject: `Report: ${filename}`,
    text: "A report is attached.\n",
    attachments: [{ filename, path: resolve(path), contentType: MIME_TYPES[type] ?? "application/octet-stream" }],
  };
}

/** The kinds of parts of a mail that the stack will pass over; empty if the file is not a mail. */
export async function passedParts({ raw }: SendMailOptions): Promise<PassedKind[]> {
  if (!(raw instanceof Uint8Array) || raw.byteLength > MAIL_LIMITS.maxParsedMessageBytes) return [];
  const extracted = await extractMail(raw);
  return extracted.ok ? extracted.value.passedOver.map(({ kind }) => kind) : [];
}

async function readHead(path: string): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}
