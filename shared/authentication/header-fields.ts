/** The header of a mail as its fields, byte for byte (RFC 5322 section 2.2): what is signed, and what a receiver wrote on top. */

export interface HeaderField {
  /** Lower case. */
  name: string;
  /** As it stands in the mail, folded, one character a byte; lines end with CRLF, the last one without. */
  raw: string;
}

export interface MailHeader {
  /** From the top. */
  fields: HeaderField[];
  /** Where the body begins; undefined where the header does not end within the bytes. */
  bodyOffset: number | undefined;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const latin1 = new TextDecoder("latin1");

/**
 * Reads the fields of a header. A line that is no field ends it, as an empty one does.
 *
 * @param maxBytes what lies beyond is not read; a field that it cuts is left out
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

/** What stands behind the name of a field, unfolded. */
export function fieldValue({ raw }: HeaderField): string {
  return raw.slice(raw.indexOf(":") + 1).replaceAll("\r\n", "");
}
