/** Decodes bytes of a mail with the charset it names. */

/** Decodes text; an unknown charset is treated as UTF-8. Invalid bytes become U+FFFD. */
export function decodeText(bytes: Uint8Array, charset: string): string {
  return decoderOf(charset).decode(bytes);
}

type Decoder = InstanceType<typeof TextDecoder>;

const utf8 = new TextDecoder();

function decoderOf(charset: string): Decoder {
  if (charset === "" || charset.length > MAX_LABEL_CHARS) return utf8;
  try {
    return new TextDecoder(charset);
  } catch {
    return utf8;
  }
}

/** The longest label of the Encoding standard has 19. */
const MAX_LABEL_CHARS = 40;
