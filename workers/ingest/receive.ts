/**
 * Processes one accepted mail: stores its report parts in R2 and enqueues a message for each. Keys are derived from the
 * content and puts are create-only, so a sender's retry after any fault stores nothing twice.
 */
import { noteAuthentication, readAuthenticationNote } from "../../shared/authentication/authentication-results.ts";
import { encodeBase64 } from "../../shared/base64.ts";
import { sha256Hex, sha256Text } from "../../shared/identity.ts";
import { MAIL_LIMITS, QUEUE_LIMITS } from "../../shared/limits.ts";
import { extractMail, type MailPart, type PassedPart } from "../../shared/mail/extract.ts";
import type { PassedKind } from "../../shared/mail/roles.ts";
import type { CarriedObject, DeliveredReport } from "../../shared/messages.ts";
import { queueBatches } from "../../shared/queue-batches.ts";
import {
  buildRawMetadata,
  fileNameForAddress,
  type MailOrigin,
  parseRawMetadata,
  type RawMetadata,
  rawKey,
  WHOLE_MAIL_NAME,
} from "../../shared/storage.ts";
import { mailOrigin } from "./mail-origin.ts";
import { bodyOf, readMail, release } from "./raw-mail.ts";

/** What was stored, for the log. */
export interface Received {
  keys: string[];
  sizes: number[];
  /** Parts of the mail that are not stored, by kind: those that are evidently not reports, and copies. */
  passedOver: Partial<Record<PassedKind | "copy", number>>;
}

interface Receipt {
  rua: string;
  receivedSeconds: number;
}

/**
 * Stores and enqueues the contents of a mail: each candidate part separately, or the whole mail if there is none, if
 * its MIME structure cannot be read, if it is a feedback report, or if its signature has yet to be verified.
 *
 * @throws whatever R2 or the queue throws; retrying is safe
 */
export async function receiveMail(
  message: Pick<ForwardableEmailMessage, "from" | "raw" | "rawSize" | "headers">,
  env: IngestBindings,
  receipt: Receipt,
): Promise<Received> {
  return storeMail({ bytes: await readMail(message), message }, env, receipt);
}

/** A mail that was read, and its envelope. */
interface ReadMail {
  /** Emptied when all is stored. */
  bytes: Uint8Array<ArrayBuffer>;
  message: Pick<ForwardableEmailMessage, "from" | "headers">;
}

/** The same with a mail that was read. */
export async function storeMail(
  { bytes: mail, message }: ReadMail,
  env: Pick<IngestBindings, "R2_DMARC_REPORTS" | "QUEUE_REPORTS" | "AUTHSERV_ID">,
  receipt: Receipt,
): Promise<Received> {
  const { rua, receivedSeconds } = receipt;
  const authentication = noteAuthentication(mail, env.AUTHSERV_ID);
  const { parts, passedOver } = await withoutCopies(await sortParts(mail, authentication));
  const keys: string[] = [];
  const messages = new Map<string, DeliveredReport>();
  const sizes: number[] = [];
  const origin = { ...receipt, ...mailOrigin(message), objectsOfMail: parts.length, authentication, importedFrom: "" };
  for (const part of parts) {
    // Recorded on one object only, so that the parts of a mail add up.
    const skipped = keys.length === 0 ? passedOver : {};
    const { key, object } = await storePart(part, env.R2_DMARC_REPORTS, { ...origin, passedOver: skipped });
    // Also for an object that already existed: an earlier attempt may have failed between the put and the send.
    if (!messages.has(key)) messages.set(key, { v: 1, kind: "report", key, rua, receivedSeconds, object });
    keys.push(key);
    sizes.push(part.bytes.byteLength);
  }
  release(mail);
  for (const batch of queueBatches([...messages.values()])) await env.QUEUE_REPORTS.sendBatch(batch);
  return { keys, sizes, passedOver };
}

interface StoredObject {
  key: string;
  /** What was stored, if its message may carry it. */
  object: CarriedObject | undefined;
}

/** Stores a part unless it exists. */
async function storePart(
  part: HashedPart,
  bucket: R2Bucket,
  origin: Receipt & MailOrigin & Pick<RawMetadata, "objectsOfMail" | "authentication" | "importedFrom" | "passedOver">,
): Promise<StoredObject> {
  const { bytes, sha256, fileName, mimeType, tlsReportDomain, keyName, isRemovable } = part;
  const customMetadata = buildRawMetadata({ ...origin, fileName, mimeType, tlsReportDomain });
  const options = { sha256, onlyIf: { etagDoesNotMatch: "*" }, customMetadata };
  const put = (key: string): Promise<R2Object | null | undefined> =>
    bucket.put(key, bodyOf(bytes), options).catch(undefinedIfBusy);
  const stored = (key: string, created: R2Object | null): StoredObject => ({
    key,
    object: created === null ? undefined : carriedObject(part, customMetadata),
  });
  // The same report sent to two of our addresses, or in a mail copied by another sender, is stored once for each, so
  // that each has its own outcome.
  if (!isRemovable) {
    const key = rawKey(origin.receivedSeconds, sha256, keyName);
    const created = await put(key);
    if (created) return stored(key, created);
    const existing = await bucket.head(key);
    if (existing === null && created === null) throw new Error(`${key} disappeared while it was stored.`);
    const { rua, authentication } = parseRawMetadata(existing?.customMetadata);
    if (existing !== null && rua === origin.rua && authentication === origin.authentication) return stored(key, null);
  }
  const own = fileNameForAddress(await sha256Text(`${origin.rua} ${origin.authentication}`), keyName);
  const ownKey = rawKey(origin.receivedSeconds, sha256, own);
  const created = await put(ownKey);
  if (created === undefined && (await bucket.head(ownKey)) === null) throw new Error(`${ownKey} is being stored.`);
  return stored(ownKey, created ?? null);
}

/**
 * R2 takes one write of a key at a time (developers.cloudflare.com/r2/platform/limits), and refuses others with 10058, also those
 * that only create: the same file came at this moment, to another address or again.
 */
function undefinedIfBusy(error: unknown): undefined {
  if (!String(error).includes("(10058)")) throw error;
}

/** Metadata and content for the message, so that process need not fetch them; undefined if they must not be there. */
function carriedObject(
  { bytes, mayBeCarried }: StoredPart,
  metadata: Record<string, string>,
): CarriedObject | undefined {
  if (!mayBeCarried || bytes.byteLength > QUEUE_LIMITS.maxCarriedBytes) return undefined;
  return { content: encodeBase64(bytes), metadata };
}

interface StoredPart extends Omit<MailPart, "isMail"> {
  bytes: Uint8Array<ArrayBuffer>;
  /** File name in the key. */
  keyName: string;
  /** It may be a failure report, which process deletes: its absence does not prove that nobody else received it. */
  isRemovable: boolean;
  /** It is a report's file, or a mail with one. Anything else may be personal, and must not stay in a queue. */
  mayBeCarried: boolean;
}

interface SortedParts {
  parts: StoredPart[];
  /** What is not in the parts. */
  passedOver: Received["passedOver"];
}

type HashedPart = StoredPart & { sha256: string };

/** A file that a mail contains twice under the same name is one object: copies are passed over. */
async function withoutCopies({ parts, passedOver }: SortedParts): Promise<{
  parts: HashedPart[];
  passedOver: Received["passedOver"];
}> {
  const found = new Map<string, HashedPart>();
  for (const part of parts) {
    const sha256 = await sha256Hex(part.bytes);
    found.set(`${sha256} ${part.keyName}`, { ...part, sha256 });
  }
  const copies = parts.length - found.size;
  return { parts: [...found.values()], passedOver: copies === 0 ? passedOver : { ...passedOver, copy: copies } };
}

async function sortParts(bytes: Uint8Array<ArrayBuffer>, authentication: string): Promise<SortedParts> {
  const whole = {
    fileName: WHOLE_MAIL_NAME,
    keyName: WHOLE_MAIL_NAME,
    mimeType: "message/rfc822",
    tlsReportDomain: "",
    bytes,
  };
  const isLarge = bytes.byteLength > MAIL_LIMITS.maxParsedMessageBytes;
  const mail = isLarge ? undefined : await extractMail(bytes);
  if (mail === undefined || !mail.ok || mail.value.feedback.length > 0) {
    return { parts: [{ ...whole, isRemovable: true, mayBeCarried: false }], passedOver: {} };
  }
  const { candidates, passedOver } = mail.value;
  // The signature covers the whole mail, and nobody else has verified it.
  const note = readAuthenticationNote(authentication);
  const isProof = note?.isSigned === true && note.results === undefined;
  const isRemovable = candidates.some(({ isMail }) => isMail);
  // For a mail that is stored whole, process counts what is passed over.
  if (isProof || candidates.length === 0) {
    const mayBeCarried = !isRemovable && candidates.length > 0;
    return { parts: [{ ...whole, isRemovable, mayBeCarried }], passedOver: {} };
  }
  return { parts: candidates.map(storedPart), passedOver: countKinds(passedOver) };
}

// The key names a mail within the mail, or a mailbox, so that process knows it may have to be deleted.
function storedPart({ isMail, bytes, ...part }: MailPart): StoredPart {
  return {
    ...part,
    bytes: new Uint8Array(bytes),
    keyName: isMail ? WHOLE_MAIL_NAME : part.fileName,
    isRemovable: isMail,
    mayBeCarried: !isMail,
  };
}

function countKinds(passed: readonly PassedPart[]): Received["passedOver"] {
  const counts: Received["passedOver"] = {};
  for (const { kind } of passed) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
