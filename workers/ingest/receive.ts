/**
 * One accepted mail: its report parts to R2, a message for each to the queue. Keys come from the content and puts are
 * create-only, so a sender's retry after any fault stores nothing twice.
 */
import { sha256Hex } from "../../shared/identity.ts";
import { MAIL_LIMITS, QUEUE_LIMITS } from "../../shared/limits.ts";
import { extractMail, type MailPart } from "../../shared/mail/extract.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { buildRawMetadata, rawKey, WHOLE_MAIL_NAME } from "../../shared/storage.ts";

/** What was stored, for the log. */
export interface Received {
  keys: string[];
  sizes: number[];
}

interface Receipt {
  rua: string;
  receivedSeconds: number;
}

/**
 * Stores and enqueues what a mail holds: each candidate part by itself, or the whole mail where there is none, where its
 * MIME structure cannot be read, or where it is a feedback report.
 *
 * @throws whatever R2 or the queue throws; nothing is lost by trying again
 */
export async function receiveMail(
  message: ForwardableEmailMessage,
  env: IngestBindings,
  receipt: Receipt,
): Promise<Received> {
  const bytes = await readMail(message);
  const parts = await candidateParts(bytes);
  const stored: Received = { keys: [], sizes: [] };
  for (const part of parts) {
    const key = rawKey(receipt.receivedSeconds, await sha256Hex(part.bytes), part.fileName);
    await env.R2_DMARC_REPORTS.put(key, part.bytes, {
      onlyIf: { etagDoesNotMatch: "*" },
      customMetadata: buildRawMetadata({
        ...receipt,
        sender: message.from,
        fileName: part.fileName,
        mimeType: part.mimeType,
      }),
    });
    stored.keys.push(key);
    stored.sizes.push(part.bytes.byteLength);
  }
  // Also for objects that were already there: an earlier attempt may have failed between the put and the send.
  const keys = [...new Set(stored.keys)];
  for (let i = 0; i < keys.length; i += QUEUE_LIMITS.maxBatchMessages) {
    const batch = keys.slice(i, i + QUEUE_LIMITS.maxBatchMessages);
    await env.QUEUE_REPORTS.sendBatch(batch.map((key) => ({ body: reportMessage(key, receipt) })));
  }
  return stored;
}

function reportMessage(key: string, { rua, receivedSeconds }: Receipt): ReportMessage {
  return { v: 1, kind: "report", key, rua, receivedSeconds };
}

async function readMail(message: ForwardableEmailMessage): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(message.raw).arrayBuffer());
}

type StoredPart = MailPart & { bytes: Uint8Array<ArrayBuffer> };

async function candidateParts(bytes: Uint8Array<ArrayBuffer>): Promise<StoredPart[]> {
  const whole: StoredPart = { fileName: WHOLE_MAIL_NAME, mimeType: "message/rfc822", bytes };
  if (bytes.byteLength > MAIL_LIMITS.maxParsedMessageBytes) return [whole];
  const mail = await extractMail(bytes);
  if (!mail.ok || mail.value.feedback !== undefined || mail.value.candidates.length === 0) return [whole];
  return mail.value.candidates.map((part) => ({ ...part, bytes: new Uint8Array(part.bytes) }));
}
