/** Repairs characters that XML does not allow, without guessing at structure. */

/** What may follow `<` in well-formed XML: a name with its delimiter, CDATA, a comment, an instruction. */
const MARKUP = String.raw`\/?[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?[\s\/>]|!\[CDATA\[|!--|\?`;
const STRAY_LESS_THAN = new RegExp(`<(?!${MARKUP})`, "g");
const STRAY_AMPERSAND = /&(?!(?:#\d{1,7}|#x[0-9a-f]{1,6}|lt|gt|amp|quot|apos);)/gi;
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/**
 * Escapes `<` and `&` that do not begin markup, and removes characters that XML 1.0 section 2.2 forbids. In CDATA
 * sections only the latter are removed.
 *
 * @returns the repaired text, and a description of the repairs ("" if none)
 */
export function repairCharacters(xml: string): { xml: string; done: string } {
  const steps: string[] = [];
  let text = xml;
  const step = (repaired: string, done: string): void => {
    if (repaired !== text) steps.push(done);
    text = repaired;
  };
  step(text.replace(FORBIDDEN, ""), "removed control characters");
  step(replaceOutsideCdata(text, STRAY_LESS_THAN, "&lt;"), "escaped a raw <");
  step(replaceOutsideCdata(text, STRAY_AMPERSAND, "&amp;"), "escaped a raw &");
  return { xml: text, done: steps.join(", ") };
}

const CDATA_START = "<![CDATA[";
const CDATA_END = "]]>";

function replaceOutsideCdata(text: string, pattern: RegExp, replacement: string): string {
  let repaired = "";
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf(CDATA_START, at);
    const end = start < 0 ? -1 : text.indexOf(CDATA_END, start);
    if (end < 0) return repaired + text.slice(at).replace(pattern, replacement);
    repaired += text.slice(at, start).replace(pattern, replacement) + text.slice(start, end + CDATA_END.length);
    at = end + CDATA_END.length;
  }
  return repaired;
}
