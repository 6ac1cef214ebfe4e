/**
 * What a receiving mail server adds to a mail that lacks it: the header fields wrangler's mail endpoint insists on.
 * Pure; everything else of the mail stays byte for byte.
 */
import { createHash } from "node:crypto";

/**
 * Puts `Message-ID` and `From` in front of a mail that has none. The Message-ID is made of the mail's own hash, so that
 * a sender's second try is the same mail.
 *
 * @param mail the mail as received
 * @param sender envelope sender, "" for the null sender
 */
export function addMissingFields(mail: Buffer, sender: string): Buffer {
  const header = headerText(mail);
  const added: string[] = [];
  if (!/^message-id[ \t]*:[ \t]*\S/im.test(header)) {
    added.push(`Message-ID: <${createHash("sha256").update(mail).digest("hex").slice(0, 32)}@localhost>`);
  }
  if (!/^from[ \t]*:/im.test(header)) added.push(`From: <${sender}>`);
  if (added.length === 0) return mail;
  return Buffer.concat([Buffer.from(added.map((line) => `${line}\r\n`).join("")), mail]);
}

/** The header as text, one character a byte; unfolded, so that a folded value stands on its field's line. */
function headerText(mail: Buffer): string {
  const ends = ["\r\n\r\n", "\n\n"].map((blank) => mail.indexOf(blank)).filter((place) => place !== -1);
  const end = Math.min(mail.length, ...ends);
  const startsWithBody = mail[0] === 0x0d || mail[0] === 0x0a;
  return startsWithBody ? "" : mail.toString("latin1", 0, end).replace(/\r?\n(?=[ \t])/g, "");
}
