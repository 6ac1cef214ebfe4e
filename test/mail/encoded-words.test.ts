/** Encoded words of header fields, as people see them. */
import { expect, test } from "vitest";
import { decodedWords } from "../../shared/mail/encoded-words.ts";

test.each([
  ["Report Domain: acme.example", "Report Domain: acme.example"],
  ["=?utf-8?q?Bericht_f=C3=BCr?= acme.example", "Bericht für acme.example"],
  ["=?UTF-8?B?UmFwcG9ydCBkZSBsYSBqb3VybsOpZQ==?=", "Rapport de la journée"],
  ["=?iso-8859-1?q?Z=FCrich?=", "Zürich"],
  ["=?utf-8?q?one?= =?utf-8?q?_two?=", "one two"],
  // What is cut, or never was one, stays.
  ["=?utf-8?q?cut", "=?utf-8?q?cut"],
  ["a =? b", "a =? b"],
  ["", ""],
])("%s is read as %s", (text, read) => {
  expect(decodedWords(text)).toBe(read);
});
