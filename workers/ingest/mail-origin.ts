/**
 * What a mail says about its origin, stored with each of its parts, so that a person can tell the senders of two
 * versions apart.
 */
import { STORAGE_LIMITS } from "../../shared/limits.ts";
import type { MailOrigin } from "../../shared/storage.ts";

/** The envelope sender and a few headers as received, one line each, cut to fit metadata; "" = none. */
export function mailOrigin({ from, headers }: Pick<ForwardableEmailMessage, "from" | "headers">): MailOrigin {
  const header = (name: string): string =>
    (headers.get(name) ?? "").slice(0, STORAGE_LIMITS.maxMetadataValueBytes).replaceAll(/\s+/g, " ").trim();
  return { sender: from, from: header("from"), subject: header("subject"), messageId: header("message-id") };
}
