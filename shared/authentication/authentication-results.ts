/**
 * Reads the Authentication-Results (RFC 8601) of the server that received a mail, and never those a sender wrote. Pure;
 * ingest stores the relevant part as a short text, which process parses.
 */
import { domainName, domainOfAddress } from "../domain-name.ts";
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import { fieldValue, readHeaderFields } from "./header-fields.ts";
import { type Token, tokensOf } from "./tokens.ts";

const METHODS = ["dmarc", "dkim", "spf"] as const;
export type Method = (typeof METHODS)[number];

/** The result of one method, and its domain: that of From, of the signature, or of the envelope sender. */
export interface MethodResult {
  method: Method;
  /** Lower case: `pass`, `fail`, `none` … */
  result: string;
  /** A-label; "" if none is named. */
  domain: string;
}

/** The properties that name each method's domain, in order of preference. */
const PROPERTIES: Record<Method, readonly string[]> = {
  dmarc: ["header.from"],
  dkim: ["header.d", "header.i"],
  spf: ["smtp.mailfrom", "smtp.helo"],
};

/**
 * Fields that a receiver puts on top of a mail besides its own Received. Everything from any other field on was written
 * by the sender.
 */
const TRACE_FIELDS = new Set([
  "arc-authentication-results",
  "arc-message-signature",
  "arc-seal",
  "delivered-to",
  "received-spf",
  "return-path",
]);

/**
 * The receiver's results: the topmost Authentication-Results, if it has the receiver's id and no field of the sender or
 * an earlier server is above it (RFC 8601 sections 5 and 7.1).
 *
 * @param mail its bytes, or the beginning of them
 * @param authservId the receiver's id; "" = no receiver is trusted
 * @returns undefined if there are none
 */
export function receiverResults(mail: Uint8Array, authservId: string): MethodResult[] | undefined {
  if (authservId === "") return undefined;
  let hops = 0;
  for (const field of readHeaderFields(mail, AUTHENTICATION_LIMITS.maxResultsBytes).fields) {
    if (field.name === "authentication-results") return readResults(fieldValue(field), authservId);
    if (field.name === "received") hops++;
    else if (!TRACE_FIELDS.has(field.name) && !field.name.startsWith("x-")) return undefined;
    if (hops > 1) return undefined;
  }
  return undefined;
}

/** @returns undefined if it is another server's or malformed */
function readResults(value: string, authservId: string): MethodResult[] | undefined {
  const tokens = tokensOf(value, ";=");
  if (tokens === undefined) return undefined;
  const [id, ...infos] = splitAt(tokens, ";");
  // A version may follow the id.
  const [name, version, ...more] = id ?? [];
  if (name?.kind !== "text" || domainName(name.text) !== domainName(authservId)) return undefined;
  if (more.length > 0 || (version !== undefined && !/^\d{1,3}$/.test(version.text))) return undefined;
  const found: MethodResult[] = [];
  for (const info of infos.slice(0, AUTHENTICATION_LIMITS.maxMethods)) {
    const [[method = "", result = ""] = [], ...properties] = pairsOf(info);
    const known = METHODS.find((one) => one === method.split("/", 1)[0]);
    if (known !== undefined)
      found.push({ method: known, result: result.toLowerCase(), domain: domainIn(known, properties) });
  }
  return found;
}

function domainIn(method: Method, properties: readonly [string, string][]): string {
  for (const name of PROPERTIES[method]) {
    const value = properties.find(([property]) => property === name)?.[1];
    if (value !== undefined) return plainDomain(value.includes("@") ? domainOfAddress(value) : domainName(value));
  }
  return "";
}

/** A name that is safe in the stored text; any other is left out. */
function plainDomain(name: string): string {
  return /^[a-z0-9_.-]{1,253}$/.test(name) ? name : "";
}

function splitAt(tokens: readonly Token[], mark: string): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "mark" && token.text === mark) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** `name=value` pairs with names in lower case: white space separates pairs, except around an equals sign. */
function pairsOf(tokens: readonly Token[]): [string, string][] {
  const pairs: [string, string][] = [];
  let name = "";
  let value: string | undefined;
  let isOpen = false;
  for (const token of tokens) {
    if (token.kind === "mark" && value === undefined) {
      value = "";
      isOpen = true;
    } else if (value === undefined) name += token.text;
    else if (isOpen || !token.isApart) {
      value += token.text;
      isOpen = false;
    } else {
      pairs.push([name.toLowerCase(), value]);
      name = token.text;
      value = undefined;
    }
  }
  if (value !== undefined) pairs.push([name.toLowerCase(), value]);
  return pairs;
}

/** A mail's authentication as stored with each of its raw objects. */
export interface AuthenticationNote {
  /** Whether a receiver is configured: if so, a mail without its results is unauthenticated. */
  isExpected: boolean;
  /** The receiver's results; undefined if there were none. */
  results: MethodResult[] | undefined;
  /** Whether the mail has a DKIM signature. */
  isSigned: boolean;
}

/**
 * The most characters of the stored text when encoded for R2, so that it is never cut: a cut name would be a different
 * name.
 */
const MAX_NOTE_CHARS = 900;

/** The text that ingest stores about a mail. @param authservId as in `receiverResults` */
export function noteAuthentication(mail: Uint8Array, authservId: string): string {
  const results = receiverResults(mail, authservId);
  const { fields } = readHeaderFields(mail, AUTHENTICATION_LIMITS.maxHeaderBytes);
  const words = [
    ...(authservId === "" ? [] : ["expected"]),
    ...(fields.some(({ name }) => name === "dkim-signature") ? ["signed"] : []),
    ...(results === undefined ? [] : ["results"]),
  ];
  // DMARC's result first: it decides.
  const sorted = METHODS.flatMap((method) => (results ?? []).filter((result) => result.method === method));
  for (const { method, result, domain } of sorted) {
    const word = `${method}=${/^[a-z]{1,20}$/.test(result) ? result : "unknown"}/${domain}`;
    if (encodeURIComponent([...words, word].join(" ")).length > MAX_NOTE_CHARS) break;
    words.push(word);
  }
  return words.length === 0 ? "unsigned" : words.join(" ");
}

/** Parses what `noteAuthentication` wrote. @returns undefined for an object stored before this was recorded */
export function readAuthenticationNote(text: string): AuthenticationNote | undefined {
  if (text === "") return undefined;
  const words = text.split(" ");
  const results = words.flatMap((word): MethodResult[] => {
    const [, name, result = "", domain = ""] = /^([a-z]+)=([a-z]+)\/([a-z0-9_.-]*)$/.exec(word) ?? [];
    const method = METHODS.find((one) => one === name);
    return method === undefined ? [] : [{ method, result, domain }];
  });
  return {
    isExpected: words.includes("expected"),
    isSigned: words.includes("signed"),
    results: words.includes("results") ? results : undefined,
  };
}
