/**
 * Decodes files that came as text: in base64 (RFC 2045, or in the alphabet of URLs) that no header of the mail declares, or
 * twice, and uuencoded (POSIX uuencode). Streaming; never fails, since what the text decodes to shows whether it was damaged.
 */
import { withLineFeeds } from "../mail/line-ends.ts";
import { LineReader } from "../mail/lines.ts";
import { base64Decoder, HELD_BYTES, transferDecoder } from "../mail/transfer-encoding.ts";
import type { OutputBudget } from "./inflate.ts";

const latin1 = new TextDecoder("latin1");
/** Digits that only the alphabet of URLs has, beside others; or nothing that tells the alphabets apart. */
const OF_URLS = /[A-Za-z0-9][-_]|[-_][A-Za-z0-9]|^[^-_]*$/;

/**
 * Decodes base64 in the alphabet that its start is in: in the one of mails, rows of dashes between its lines are no digits.
 *
 * @param head its start, to be examined
 * @throws what the budget throws
 */
export async function* decodeBase64(
  { head, chunks }: { head: Uint8Array; chunks: AsyncIterable<Uint8Array> },
  budget: OutputBudget,
): AsyncGenerator<Uint8Array> {
  const start = latin1.decode(head);
  const decoder = base64Decoder(!/[+/]/.test(start) && OF_URLS.test(start));
  for await (const chunk of chunks) {
    const decoded = new Uint8Array(chunk.byteLength + HELD_BYTES);
    yield charged(decoded.subarray(0, decoder.decode(chunk, decoded, 0)), budget);
  }
  const rest = new Uint8Array(HELD_BYTES);
  yield charged(rest.subarray(0, decoder.end(rest, 0)), budget);
}

const BEGIN_BASE64 = /^begin-base64 /;
/** The line after the data, in either alphabet. */
const END = /^(?:end|====)\s*$/;

/**
 * Decodes the first uuencoded file in a text; its first line is the one that begins with `begin`.
 *
 * @throws what the budget throws
 */
export async function* decodeUuencoded(
  chunks: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
): AsyncGenerator<Uint8Array> {
  const lines = new LineReader(withLineFeeds(chunks));
  const base64 = transferDecoder("base64");
  let isBase64: boolean | undefined;
  for (;;) {
    const line = lines.take();
    if (line === undefined) {
      if (await lines.fill()) continue;
      return;
    }
    const { bytes } = line;
    if (isBase64 === undefined) {
      // Zero bytes may stand before it.
      const start = latin1.decode(bytes.subarray(0, MAX_LINE_CHARS)).replace(/^[^!-~]+/, "");
      if (start.startsWith("begin")) isBase64 = BEGIN_BASE64.test(start);
    } else if (END.test(latin1.decode(bytes.subarray(0, MAX_LINE_CHARS)))) return;
    else if (isBase64) {
      const decoded = new Uint8Array(bytes.byteLength + HELD_BYTES);
      yield charged(decoded.subarray(0, base64.decode(bytes, decoded, 0)), budget);
    } else yield charged(decodeLine(bytes), budget);
  }
}

/** A line of uuencode has at most 61 characters (45 bytes). */
const MAX_LINE_CHARS = 80;

/** One line: how many bytes it holds, then four characters for each three of them; each has six bits. */
function decodeLine(line: Uint8Array): Uint8Array {
  const length = sixBits(line[0]);
  const decoded = new Uint8Array(length + 2);
  for (let from = 1, to = 0; to < length; from += 4, to += 3) {
    let bits = 0;
    for (let i = 0; i < 4; i++) bits = (bits << 6) | sixBits(line[from + i]);
    decoded[to] = bits >> 16;
    decoded[to + 1] = bits >> 8;
    decoded[to + 2] = bits;
  }
  return decoded.subarray(0, length);
}

// A space or a grave accent is zero; spaces at the end of a line may be gone.
function sixBits(byte: number | undefined): number {
  return byte === undefined || byte < SPACE ? 0 : (byte - SPACE) & 63;
}

const SPACE = 0x20;

function charged(bytes: Uint8Array, budget: OutputBudget): Uint8Array {
  budget.takeOutput(bytes.byteLength);
  return bytes;
}
