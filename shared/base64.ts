/** Bytes as base64 (RFC 4648 section 4), a part at a time: a function takes only so many arguments. Pure. */

/** Ours: bytes of one part. */
const PART_BYTES = 8192;

/** @returns base64 with its padding */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += PART_BYTES) {
    text += String.fromCharCode(...bytes.subarray(i, i + PART_BYTES));
  }
  return btoa(text);
}
