/**
 * What a receiving mail server mends in a mail's header, and wrangler's mail endpoint, unlike Email Routing, insists on:
 * it fails for a mail without `Message-ID` or `From`, with a line that is no field, or with more than about a thousand
 * fields. Pure; the body, and a header that needs nothing, stay byte for byte.
 */
import { createHash } from "node:crypto";

/** Ours: the runtime takes 1,024 header fields from one Worker to another. */
const MAX_FIELDS = 900;

const FIELD = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*:/;
/** What some put in front of the first field. */
const PREAMBLE = /^(?:From [^\r\n]*\r?\n)?(?:[ \t]+\r?\n)*/;
/** Fields that keep their place whatever their number. */
const NEEDED = /^(content-.*|mime-version|message-id|from|to|subject|date)$/i;

/**
 * Mends the header of a mail.
 *
 * - An mbox `From ` line in front goes, and lines of white space after it.
 * - A line that is no field is folded: it continues the field before it. So are fields beyond the first 900.
 * - A missing `Message-ID` is made of the mail's own hash, so that a sender's second try is the same mail; a missing
 *   `From` is the envelope sender.
 *
 * @param mail the mail as received
 * @param sender envelope sender, "" for the null sender
 */
export function mendMail(mail: Buffer, sender: string): Buffer {
  const { header, rest } = splitMail(mail);
  const lines = mendLines(header);
  const added = missingFields(lines, { mail, sender });
  const mended = [...added, ...lines].join("");
  if (mended === header) return mail;
  return Buffer.concat([Buffer.from(mended, "latin1"), rest]);
}

// The header with the line break of its last line, one character a byte; `rest` begins with the empty line.
function splitMail(mail: Buffer): { header: string; rest: Buffer } {
  const text = mail.toString("latin1");
  const fromFirstField = text.replace(PREAMBLE, "");
  const removed = text.length - fromFirstField.length;
  if (!FIELD.test(fromFirstField))
    return { header: "", rest: Buffer.concat([emptyLine(fromFirstField), mail.subarray(removed)]) };
  const blank = /\n(?=\r?\n)/.exec(fromFirstField);
  const end = removed + (blank === null ? fromFirstField.length : blank.index + 1);
  return { header: text.slice(0, end), rest: mail.subarray(end) };
}

// A mail that begins with its body gets the empty line that says so, unless it has one.
function emptyLine(text: string): Buffer {
  return Buffer.from(/^\r?\n/.test(text) ? "" : "\r\n");
}

function mendLines(header: string): string[] {
  const lines = header.replace(PREAMBLE, "").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let fields = 0;
  return lines.map((line) => {
    if (/^[ \t]/.test(line)) return line;
    const name = FIELD.exec(line)?.[1];
    fields++;
    const kept = name !== undefined && (fields <= MAX_FIELDS || NEEDED.test(name));
    return kept ? line : ` ${line}`;
  });
}

function missingFields(lines: string[], { mail, sender }: { mail: Buffer; sender: string }): string[] {
  const unfolded = lines.join("").replace(/\r?\n(?=[ \t])/g, "");
  const added: string[] = [];
  if (!/^message-id[ \t]*:[ \t]*\S/im.test(unfolded)) {
    added.push(`Message-ID: <${createHash("sha256").update(mail).digest("hex").slice(0, 32)}@localhost>\r\n`);
  }
  if (!/^from[ \t]*:/im.test(unfolded)) added.push(`From: <${sender}>\r\n`);
  return added;
}
