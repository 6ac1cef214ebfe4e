/** Base64 (RFC 4648 section 4). Pure. */

/** Ours: bytes encoded at a time; a function takes a limited number of arguments. */
const PART_BYTES = 8192;

/** @returns base64 with its padding */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += PART_BYTES) {
    // Not spread, which walks the bytes by their iterator and takes seven times as long.
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(i, i + PART_BYTES));
  }
  return btoa(text);
}

/** @returns the bytes; undefined if the text is not base64 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
