/** Finds the end of a record: its end tag, unless in a comment or CDATA section. */
import { reject } from "../rejection.ts";
import { findTagEnd, readToken } from "./tokens.ts";

interface RecordStart {
  at: number;
  name: string;
  /** Where to start searching for the end tag. */
  from: number;
}

/** The position after the record's end tag; 0 if not yet available. @throws Rejection malformed_xml */
export function findRecordEnd(text: string, { at, name, from }: RecordStart): number {
  const tagEnd = findTagEnd(text, at + 1 + name.length);
  if (typeof tagEnd === "string") return 0;
  if (text[tagEnd - 2] === "/") return tagEnd;
  const endTag = `</${name}`;
  let start = text.indexOf(endTag, from);
  while (start >= 0 && !/[\s>]/.test(text[start + endTag.length] ?? ">")) start = text.indexOf(endTag, start + 1);
  if (start < 0) return 0;
  const candidate = text.slice(at, start);
  if (candidate.includes("<!")) start = skipQuotedMarkup(text, { at, endTag });
  else refuseNestedRecord(candidate, name);
  const close = start < 0 ? -1 : text.indexOf(">", start);
  return close < 0 ? 0 : close + 1;
}

// A record without an end tag would swallow the next one.
function refuseNestedRecord(record: string, name: string): void {
  const nested = record.indexOf(`<${name}`, 1);
  if (nested >= 0 && /[\s/>]/.test(record[nested + 1 + name.length] ?? "")) {
    reject("malformed_xml", "a record begins within a record");
  }
}

/** The position of the end tag outside comments and CDATA sections; -1 if not yet available. */
function skipQuotedMarkup(text: string, { at, endTag }: { at: number; endTag: string }): number {
  for (let i = at + 1; i >= 0; ) {
    i = text.indexOf("<", i);
    if (i < 0) return -1;
    if (text.startsWith(endTag, i) && /[\s>]/.test(text[i + endTag.length] ?? "")) return i;
    const token = text.startsWith("<!", i) ? readToken(text, i, true) : undefined;
    if (token?.type === "more") return -1;
    i = token === undefined ? i + 1 : token.end;
  }
  return -1;
}
