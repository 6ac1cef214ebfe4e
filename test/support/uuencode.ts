/** Support: files as text in POSIX uuencode, in its own alphabet or in base64. */

/** A file as uuencoded text with CRLF line ends. */
export function uuencode(content: Uint8Array, fileName: string): string {
  const lines = [`begin 644 ${fileName}`];
  for (let at = 0; at < content.byteLength; at += 45) lines.push(encodeLine(content.subarray(at, at + 45)));
  return [...lines, "`", "end", ""].join("\r\n");
}

/** The same in base64 (`uuencode -m`). */
export function uuencodeBase64(content: Uint8Array, fileName: string): string {
  return [`begin-base64 644 ${fileName}`, base64Lines(content), "====", ""].join("\r\n");
}

/** Base64 in lines of 76 characters with CRLF line ends. */
export function base64Lines(content: Uint8Array): string {
  return (
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  ).join("\r\n");
}

function encodeLine(bytes: Uint8Array): string {
  let line = String.fromCharCode(32 + bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) line += character((bits >> shift) & 63);
  }
  return line;
}

function character(sixBits: number): string {
  return sixBits === 0 ? "`" : String.fromCharCode(32 + sixBits);
}
