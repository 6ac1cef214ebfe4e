/** The author domain of a mail as DMARC defines it, from the From field (RFC 5322 section 3.6.2). Pure. */
import { domainOfAddress } from "../domain-name.ts";
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import { fieldValue, readHeaderFields } from "./header-fields.ts";
import { type Token, tokensOf } from "./tokens.ts";

/** The author domain of a mail; "" unless it has exactly one From field that names exactly one author. */
export function authorOf(mail: Uint8Array): string {
  const { fields } = readHeaderFields(mail, AUTHENTICATION_LIMITS.maxHeaderBytes);
  const [from, ...others] = fields.filter(({ name }) => name === "from");
  return from === undefined || others.length > 0 ? "" : fromDomain(fieldValue(from));
}

/**
 * @param value of the From field
 * @returns the domain as A-labels; "" if the field names no author or several
 */
export function fromDomain(value: string): string {
  const tokens = tokensOf(value, "<>,;:@");
  if (tokens === undefined) return "";
  const isMark = ({ kind, text }: Token, mark: string): boolean => kind === "mark" && text === mark;
  const opened = tokens.flatMap((token, i) => (isMark(token, "<") ? [i] : []));
  const closed = tokens.flatMap((token, i) => (isMark(token, ">") ? [i] : []));
  if (opened.length > 1 || opened.length !== closed.length) return "";
  const [start = -1] = opened;
  const [end = tokens.length] = closed;
  const inside = tokens.slice(start + 1, end);
  const outside = [...tokens.slice(0, Math.max(0, start)), ...tokens.slice(end + 1)];
  if ([...inside, ...outside].some((token) => isMark(token, ",") || isMark(token, ";"))) return "";
  const at = inside.findIndex((token) => isMark(token, "@"));
  if (at < 0 || inside.slice(at + 1).some((token) => token.kind === "mark")) return "";
  return domainOfAddress(
    `@${inside
      .slice(at + 1)
      .map(({ text }) => text)
      .join("")}`,
  );
}
