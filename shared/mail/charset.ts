/** Decodes bytes of a mail with the charset it names. */

/**
 * Decodes text; one of an unknown charset is UTF-8, or else windows-1252. Invalid bytes of a known one become U+FFFD.
 */
export function decodeText(bytes: Uint8Array, charset: string): string {
  const decoder = decoderOf(charset);
  if (decoder !== undefined) return decoder.decode(bytes);
  try {
    return utf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}

type Decoder = InstanceType<typeof TextDecoder>;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const windows1252 = new TextDecoder("windows-1252");

function decoderOf(charset: string): Decoder | undefined {
  if (charset === "" || charset.length > MAX_LABEL_CHARS) return undefined;
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}

/** The longest label of the Encoding standard has 19. */
const MAX_LABEL_CHARS = 40;
