/**
 * Splits the header of a mail into its fields, byte for byte (RFC 5322 section 2.2), for signatures and receivers'
 * results.
 */

export interface HeaderField {
  /** Lower case. */
  name: string;
  /** As in the mail, folded, one character per byte; lines end with CRLF except the last. */
  raw: string;
}

export interface MailHeader {
  /** From the top. */
  fields: HeaderField[];
  /** Where the body begins; undefined if the header does not end within the bytes. */
  bodyOffset: number | undefined;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const latin1 = new TextDecoder("latin1");

/**
 * Parses the fields of a header. A line that is not a field ends it, as an empty line does.
 *
 * @param maxBytes the most bytes to read; a field cut by it is left out
 */
export function readHeaderFields(mail: Uint8Array, maxBytes: number): MailHeader {
  const fields: HeaderField[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    const raw = lines.join("\r\n");
    const colon = raw.indexOf(":");
    if (colon > 0) fields.push({ name: raw.slice(0, colon).trim().toLowerCase(), raw });
    lines = [];
  };
  for (let at = 0; at < mail.byteLength && at < maxBytes; ) {
    const lineFeed = mail.indexOf(LINE_FEED, at);
    if (lineFeed < 0 || lineFeed >= maxBytes) return { fields, bodyOffset: undefined };
    const end = lineFeed > at && mail[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    const line = latin1.decode(mail.subarray(at, end));
    const goesOn = lines.length > 0 && (line.startsWith(" ") || line.startsWith("\t"));
    if (!goesOn && lines.length > 0) finish();
    if (line === "") return { fields, bodyOffset: lineFeed + 1 };
    if (!goesOn && !line.includes(":")) return { fields, bodyOffset: at };
    lines.push(line);
    at = lineFeed + 1;
  }
  return { fields, bodyOffset: undefined };
}

/** The value of a field, unfolded. */
export function fieldValue({ raw }: HeaderField): string {
  return raw.slice(raw.indexOf(":") + 1).replaceAll("\r\n", "");
}
