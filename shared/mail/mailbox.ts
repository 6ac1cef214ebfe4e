/**
 * Splits a mailbox (RFC 4155: mbox; MMDF) into its mails while it streams. Only one mail is in memory.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { withLineFeeds } from "./line-ends.ts";
import { LineReader } from "./lines.ts";

/** One mail of a mailbox. */
export interface MailboxMail {
  bytes: Uint8Array;
  /** It exceeds the size of any mail: `bytes` is incomplete. */
  isCut: boolean;
}

const latin1 = new TextDecoder("latin1");
/**
 * RFC 4155: the line has a sender and a time and follows an empty line; without the empty line, the time must be
 * complete.
 */
const SEPARATOR = /^From [^\n]*\d{1,2}:\d{2}/;
const WHOLE_SEPARATOR = /^From \S{1,256} {1,3}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d(?::\d\d)?[^\n]* \d{4}/;
/** Some programs write no time; then the field that follows has to be one that mails begin with. */
const TIMELESS_SEPARATOR = /^From \S{1,256}[ \t\r]*\n?$/;
const FIRST_FIELD =
  /^(?:received|return-path|delivered-to|from|to|date|subject|message-id|mime-version|content-type|status|dkim-signature|arc-[a-z-]{1,30}|x-[a-z0-9-]{1,60})[ \t]*:/i;
/** MMDF mailboxes have a line of these before and after each mail. */
const MMDF_SEPARATOR = /^\x01\x01\x01\x01\r?\n?$/;
const HEADER_FIELD = /^[!-9;-~]+[ \t]*:/;
/** A quoted line that would otherwise look like a separator (mboxrd). */
const QUOTED = /^>+From /;

/** Splits a mailbox, removing separator lines and the quoting of lines that look like them. */
export async function* splitMailbox(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<MailboxMail> {
  const mail = new Collector();
  // A separator counts only if a header follows, so it is held until then.
  let held: Uint8Array | undefined;
  let isMmdf: boolean | undefined;
  let isTimeless = false;
  let isFirst = true;
  let isAfterBlank = true;
  for await (const { bytes, isStart } of linesOf(withLineFeeds(chunks))) {
    const text = isStart ? latin1.decode(bytes.subarray(0, MAX_LOOKED_AT)) : "";
    isMmdf ??= MMDF_SEPARATOR.test(text);
    if (isMmdf && MMDF_SEPARATOR.test(text)) {
      if (mail.length > 0) yield mail.take();
      isFirst = false;
      continue;
    }
    if (held !== undefined && (isTimeless ? FIRST_FIELD : HEADER_FIELD).test(text)) {
      if (!isFirst && mail.length > 0) yield mail.take();
      isFirst = false;
      held = undefined;
    } else if (held !== undefined) {
      mail.add(held);
      held = undefined;
    }
    const isFrom = text.startsWith("From ");
    isTimeless = isFrom && !isFirst && isAfterBlank && TIMELESS_SEPARATOR.test(text);
    const isSeparator = isFrom && (isFirst || isTimeless || (isAfterBlank ? SEPARATOR : WHOLE_SEPARATOR).test(text));
    if (isSeparator) held = bytes.slice();
    else mail.add(QUOTED.test(text) ? bytes.subarray(1) : bytes);
    isAfterBlank = isStart && /^[\r\n]*$/.test(text);
  }
  if (held !== undefined) mail.add(held);
  if (mail.length > 0) yield mail.take();
}

/** Ours: bytes of a line that show whether it separates two mails. */
const MAX_LOOKED_AT = 300;

async function* linesOf(chunks: AsyncIterable<Uint8Array>) {
  const lines = new LineReader(chunks);
  for (;;) {
    const line = lines.take();
    if (line !== undefined) yield line;
    else if (!(await lines.fill())) return;
  }
}

/** Concatenates lines in a growing buffer. */
class Collector {
  #buffer: Uint8Array = new Uint8Array(FIRST_BYTES);
  #isCut = false;
  length = 0;

  add(bytes: Uint8Array): void {
    const length = this.length + bytes.byteLength;
    this.#isCut ||= length > MAIL_LIMITS.maxMessageBytes;
    if (this.#isCut) return;
    if (length > this.#buffer.byteLength) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#buffer.subarray(0, this.length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.length);
    this.length = length;
  }

  take(): MailboxMail {
    const mail = { bytes: this.#buffer.slice(0, this.length), isCut: this.#isCut };
    this.length = 0;
    this.#isCut = false;
    return mail;
  }
}

/** Ours: bytes of the buffer before it grows: most mails fit. */
const FIRST_BYTES = 64 * 1024;
