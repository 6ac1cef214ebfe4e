/** Encoded words of a mail's header, `=?utf-8?q?…?=` (RFC 2047), as text for people. Pure. */
import { decodeWords } from "postal-mime";

/** @returns a text without encoded words as it is */
export function decodedWords(text: string): string {
  return text.includes("=?") ? decodeWords(text) : text;
}
