/** Tags and groups as people write them: short, in lower case, one space between words. Pure. */
import * as v from "valibot";
import { TAG_LIMITS } from "./limits.ts";

const words = v.pipe(
  v.string(),
  v.trim(),
  v.toLowerCase(),
  v.transform((text) => text.replaceAll(/\s+/g, " ")),
);

/** A tag: letters, digits, space, `.`, `_`, `-` and `/`. */
export const tag = v.pipe(
  words,
  v.minLength(1, "a tag is empty"),
  v.maxLength(TAG_LIMITS.chars, `a tag has at most ${TAG_LIMITS.chars} characters`),
  v.regex(/^[\p{L}\p{N}][\p{L}\p{N} ._/-]*$/u, "a tag has letters, digits, spaces, '.', '_', '-' and '/'"),
);

/** The name of a group of accounts, in the same form; "" = none. */
export const group = v.union([v.pipe(words, v.literal("")), tag]);

/** Tags in a text, separated by commas. @returns what lies between them, trimmed; not yet checked */
export function splitTags(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
