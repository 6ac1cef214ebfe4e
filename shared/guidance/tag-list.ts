/**
 * Lists of tags as DMARC, DKIM, TLS-RPT, MTA-STS and BIMI records have them: `name=value` with `;` between (RFC 6376
 * section 3.2). Pure.
 */

/** A tag as published: the name in lower case, the value without surrounding white space. */
export interface Tag {
  name: string;
  value: string;
}

/** A list and what in it is no tag. */
export interface TagList {
  tags: Tag[];
  /** Parts without a name and an equals sign. */
  malformed: string[];
}

/** Reads a list. Empty parts, as after a last `;`, are nothing. @param isCased names stay as they are published: `P` is not `p` */
export function readTagList(text: string, isCased = false): TagList {
  const tags: Tag[] = [];
  const malformed: string[] = [];
  for (const part of text.split(";")) {
    const trimmed = withoutSpace(part);
    if (trimmed === "") continue;
    const equals = trimmed.indexOf("=");
    const published = withoutSpace(trimmed.slice(0, Math.max(equals, 0)));
    const name = isCased ? published : published.toLowerCase();
    if (/^[a-z][a-z0-9_-]*$/i.test(name)) tags.push({ name, value: withoutSpace(trimmed.slice(equals + 1)) });
    else malformed.push(trimmed);
  }
  return { tags, malformed };
}

/** The value of a tag's first occurrence. */
export function firstValue(list: TagList, name: string): string | undefined {
  return list.tags.find((tag) => tag.name === name)?.value;
}

/** The names that occur more than once. */
export function repeatedNames(list: TagList): string[] {
  const counts = new Map<string, number>();
  for (const { name } of list.tags) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 1).map(([name]) => name);
}

/** A text without the quotation marks, parentheses, white space and semicolons around it. */
export function withoutSigns(text: string): string {
  return withoutAround(text, /["';()\s]/);
}

/** A text without what is white space in DNS and in mail around it: no-break spaces and the like are none there. */
export function withoutSpace(text: string): string {
  return withoutAround(text, /[ \t\r\n]/);
}

function withoutAround(text: string, sign: RegExp): string {
  let [start, end] = [0, text.length];
  while (start < end && sign.test(text.charAt(start))) start += 1;
  while (end > start && sign.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** A record with its version as it has to be, whatever stood there for it: quotation marks, other letters, no semicolon. @param version as `v=STSv1` */
export function respelled(text: string, version: string): string {
  const plain = text.replaceAll(/["\u2018-\u201f\u200b-\u200f\ufeff\\]/g, "");
  return `${version}; ${withoutSigns(plain.replace(/^[^=]*\bv\s*=\s*[a-z]*[\d.]*[\s;,:]*/i, ""))}`;
}

/** Full-width characters, as Chinese and Japanese keyboards type them, with the ASCII character of each. */
export const WIDE = /[\uff01-\uff5e]/g;
export function narrowed(sign: string): string {
  return String.fromCharCode(sign.charCodeAt(0) - 0xfee0);
}
