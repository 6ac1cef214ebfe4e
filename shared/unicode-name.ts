/**
 * Domain names for people: U-labels beside the A-labels that are compared and stored (domain-name.ts). For a name that
 * resembles another, the A-labels come first. Pure.
 */
import { domainName } from "./domain-name.ts";
import { toULabels } from "./u-labels.ts";

/** A domain name for display. */
export interface ShownName {
  /** The form shown first, and the one beside it. */
  first: string;
  beside: string;
}

/**
 * Both forms of an internationalised domain name, or of a mail address with one.
 *
 * @param name in either form, whatever its case
 * @returns undefined for a name without such labels, and for an invalid name
 */
export function shownName(name: string): ShownName | undefined {
  const at = name.lastIndexOf("@");
  const shown = shownDomain(name.slice(at + 1));
  if (shown === undefined || at < 0) return shown;
  const local = name.slice(0, at + 1);
  return { first: local + shown.first, beside: local + shown.beside };
}

function shownDomain(name: string): ShownName | undefined {
  const aLabels = domainName(name);
  if (!/(^|\.)xn--/.test(aLabels) || !/^[a-z0-9._-]+$/.test(aLabels)) return undefined;
  const uLabels = toULabels(aLabels);
  // A name whose encoding differs from that of its letters would be shown as a different name.
  if (uLabels === undefined || uLabels === aLabels || domainName(uLabels) !== aLabels) return undefined;
  if (uLabels.split(".").some(mayMislead)) return { first: aLabels, beside: uLabels };
  return { first: uLabels, beside: aLabels };
}

/**
 * Adds the second form to internationalised names in a text for titles and terminals: `bücher.example
 * (xn--bcher-kva.example)`. Other words stay unchanged.
 */
export function withBothForms(text: string): string {
  if (!text.includes("xn--")) return text;
  return text
    .split(/([\s,;()]+)/)
    .map((word) => {
      const shown = word.includes("xn--") ? shownName(word) : undefined;
      return shown === undefined ? word : `${shown.first} (${shown.beside})`;
    })
    .join("");
}

const SCRIPTS: readonly [name: string, letter: RegExp][] = [
  ["Latin", /\p{Script=Latin}/u],
  ["Han", /\p{Script=Han}/u],
  ["Hiragana", /\p{Script=Hiragana}/u],
  ["Katakana", /\p{Script=Katakana}/u],
  ["Hangul", /\p{Script=Hangul}/u],
  ["Bopomofo", /\p{Script=Bopomofo}/u],
  ["Cyrillic", /\p{Script=Cyrillic}/u],
  ["Greek", /\p{Script=Greek}/u],
];
/** Scripts that may be mixed (UTS #39 section 5.2, "highly restrictive"). */
const TOGETHER = [
  new Set(["Latin", "Han", "Hiragana", "Katakana"]),
  new Set(["Latin", "Han", "Hangul"]),
  new Set(["Latin", "Han", "Bopomofo"]),
];
const NO_SCRIPT = /[\p{Script=Common}\p{Script=Inherited}]/u;
/** Letters of other scripts that look like Latin ones: a label made only of them reads as a Latin word. */
const LIKE_LATIN = /^[-0-9асԁеһіјӏорԛѕԝхуъЬҽпгѵѡтмквнαικνορτυωχηγ]+$/u;

// A label that mixes scripts, reads as Latin but is not, or has characters not allowed in names (RFC 5892).
function mayMislead(label: string): boolean {
  if (!/^[\p{L}\p{M}\p{Nd}_·'-]+$/u.test(label)) return true;
  const found = new Set([...label].filter((letter) => !NO_SCRIPT.test(letter)).map(scriptOf));
  if (!found.has("Latin") && found.size > 0 && LIKE_LATIN.test(label)) return true;
  return found.size > 1 && !TOGETHER.some((allowed) => [...found].every((script) => allowed.has(script)));
}

// All other scripts count as one, because the platform cannot distinguish them.
function scriptOf(letter: string): string {
  return SCRIPTS.find(([, pattern]) => pattern.test(letter))?.[0] ?? "other";
}
