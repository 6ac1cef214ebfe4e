/**
 * Parses a DMARC record by RFC 9989 sections 4.7 and 4.8, and also what RFC 7489 receivers still read. Pure.
 */
import { ownValue } from "../own-value.ts";
import { repairedDmarc } from "./dmarc-repair.ts";
import { readTagList, repeatedNames, type Tag, withoutSigns, withoutSpace } from "./tag-list.ts";

export const POLICIES = ["none", "quarantine", "reject"] as const;
export type Policy = (typeof POLICIES)[number];

/** How a tag is treated: used as published, unknown to the standards, historic, with an invalid value, or repeated. */
export type TagStanding = "used" | "unknown" | "historic" | "invalid" | "repeated";

/** A published tag, and the value actually used. */
export interface JudgedTag extends Tag {
  standing: TagStanding;
  /** The value that a receiver uses instead of the published one. */
  usedValue?: string;
}

/** A URI of rua or ruf. */
export interface ReportUri {
  text: string;
  /** The host of a mailto URI's address; undefined for another scheme or no address. */
  host?: string;
  /** The address, percent-decoded. */
  address?: string;
  hasSize: boolean;
}

/** A record as a receiver uses it. */
export interface DmarcRecord {
  text: string;
  tags: JudgedTag[];
  malformed: string[];
  /** Undefined: missing or invalid. */
  p?: Policy;
  sp?: Policy;
  np?: Policy;
  /** Whether sp or np is present with an invalid value. */
  hasInvalidSubdomainPolicy: boolean;
  adkim: "r" | "s";
  aspf: "r" | "s";
  isTesting: boolean;
  psd: "y" | "n" | "u";
  /** 0 to 100, as RFC 7489 receivers use it. */
  pct: number;
  rua: ReportUri[];
  ruf: ReportUri[];
}

const IS_DMARC = /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|$)/;

const HISTORIC: Record<string, RegExp> = { pct: /^(100|[1-9]?[0-9])$/, rf: /^[a-z0-9:_-]+$/i, ri: /^[0-9]+$/ };

/** Tag → allowed values and default. */
const KNOWN: Record<string, { pattern: RegExp; fallback?: string }> = {
  v: { pattern: /^DMARC1$/ },
  // An invalid policy has no default: it decides about the whole record (section 4.10.1).
  p: { pattern: /^(none|quarantine|reject)$/i },
  sp: { pattern: /^(none|quarantine|reject)$/i },
  np: { pattern: /^(none|quarantine|reject)$/i },
  adkim: { pattern: /^[rs]$/i, fallback: "r" },
  aspf: { pattern: /^[rs]$/i, fallback: "r" },
  t: { pattern: /^[yn]$/i, fallback: "n" },
  psd: { pattern: /^[ynu]$/i, fallback: "u" },
  // Each at most once, and 0 or 1 (section 4.8, dmarc-fo).
  fo: { pattern: /^(?!.*([01ds]).*\1)(?!.*0.*1)(?!.*1.*0)[01ds]( *: *[01ds])*$/i, fallback: "0" },
  rua: { pattern: /\S/ },
  ruf: { pattern: /\S/ },
};

/**
 * Whether a TXT record is a DMARC record: it begins with the tag `v`, whose value is exactly `DMARC1` (RFC 9989 section 4.8:
 * names of tags in any case, no white space before the first).
 */
export function isDmarcRecord(text: string): boolean {
  return IS_DMARC.test(text);
}

/** A TXT record that was meant as a DMARC record, and that receivers take for none. */
export interface Mistaken {
  text: string;
  /** The end of a sentence: what is wrong with it. */
  reason: string;
  /** The record that was meant, if it is clear. */
  meant?: string;
}

const MEANT_AS_ONE = /\bv\s*=\s*["']?dmarc|^["'\s]*dmarc1?\b|^["'\s]*p\s*=\s*(none|quarantine|reject)\b/i;

/** What is wrong with a record that was meant as a DMARC record; undefined where it is one, or is about something else. */
export function mistakenRecord(text: string): Mistaken | undefined {
  if (isDmarcRecord(text) || !MEANT_AS_ONE.test(text)) return undefined;
  const rest = withoutSigns(
    repairedDmarc(text).replace(/(^[^=]*)?\bv\s*=\s*["']?DMARC(?:[ \t]*1)?(?:\.0)?\b["']?[\s,:;]*/i, ""),
  );
  const meant = repairedDmarc(`v=DMARC1; ${rest}`);
  const read = readDmarcRecord(meant);
  const isClear = read.p !== undefined && read.malformed.length === 0 && !/["']|\bv\s*=/i.test(rest);
  return { text, reason: reasonOf(text), ...(isClear ? { meant } : {}) };
}

function reasonOf(text: string): string {
  if (/^\s/.test(text)) return "it begins with white space";
  if (/^["']/.test(text)) return "quotation marks are part of it";
  if (/^[^\x20-\x7e]/.test(text)) return "it begins with an invisible character, or with a typographic quotation mark";
  if (/\\;/.test(text)) return "it has \\; instead of ;";
  if (/^v\s*=\s*DMARC1\b/.test(text)) return "there is no ; after v=DMARC1";
  if (/^v\s*=\s*dmarc1\b/i.test(text)) return "DMARC1 has to be in capitals";
  return "it does not begin with v=DMARC1";
}

/** Parses a record; mistakes are noted on their tags. */
export function readDmarcRecord(text: string): DmarcRecord {
  const list = readTagList(text);
  const repeated = new Set(repeatedNames(list));
  const seen = new Set<string>();
  const tags = list.tags.map((tag): JudgedTag => {
    if (repeated.has(tag.name) && seen.has(tag.name)) return { ...tag, standing: "repeated" };
    seen.add(tag.name);
    return judgeTag(tag);
  });
  const used = new Map(tags.filter(({ standing }) => standing === "used").map(({ name, value }) => [name, value]));
  const record: DmarcRecord = {
    text,
    tags,
    malformed: list.malformed,
    hasInvalidSubdomainPolicy: tags.some(
      ({ name, standing }) => (name === "sp" || name === "np") && standing === "invalid",
    ),
    adkim: used.get("adkim")?.toLowerCase() === "s" ? "s" : "r",
    aspf: used.get("aspf")?.toLowerCase() === "s" ? "s" : "r",
    isTesting: used.get("t")?.toLowerCase() === "y",
    psd: psdOf(used.get("psd")),
    pct: pctOf(tags),
    rua: readReportUris(used.get("rua") ?? ""),
    ruf: readReportUris(used.get("ruf") ?? ""),
  };
  for (const name of ["p", "sp", "np"] as const) {
    const policy = POLICIES.find((one) => one === used.get(name)?.toLowerCase());
    if (policy !== undefined) record[name] = policy;
  }
  return record;
}

function judgeTag(tag: Tag): JudgedTag {
  const historic = ownValue(HISTORIC, tag.name);
  if (historic !== undefined) return { ...tag, standing: historic.test(tag.value) ? "historic" : "invalid" };
  const known = ownValue(KNOWN, tag.name);
  if (known === undefined) return { ...tag, standing: "unknown" };
  if (known.pattern.test(tag.value)) return { ...tag, standing: "used" };
  return { ...tag, standing: "invalid", ...(known.fallback === undefined ? {} : { usedValue: known.fallback }) };
}

function psdOf(value: string | undefined): "y" | "n" | "u" {
  const lower = value?.toLowerCase();
  return lower === "y" || lower === "n" ? lower : "u";
}

function pctOf(tags: JudgedTag[]): number {
  const tag = tags.find(({ name, standing }) => name === "pct" && standing === "historic");
  return tag === undefined ? 100 : Number(tag.value);
}

/** The URIs of rua or ruf: separated by commas, each mailto with an optional size that RFC 9989 ignores. */
export function readReportUris(value: string): ReportUri[] {
  return value
    .split(",")
    .map(withoutSpace)
    .filter((text) => text !== "")
    .map(readReportUri);
}

function readReportUri(text: string): ReportUri {
  const size = /![0-9]+[kmgt]?$/i.exec(text);
  const uri: ReportUri = { text, hasSize: size !== null };
  const plain = size === null ? text : text.slice(0, size.index);
  const [, local = "", domain = ""] = MAILTO.exec(plain) ?? [];
  const host = domain.toLowerCase();
  const address = decoded(local);
  if (address === undefined || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(host)) return uri;
  return { ...uri, address: `${address}@${domain}`, host };
}

/** RFC 6068 section 2: one address. Its one `@` is written as it stands; white space and `<>"` are never in a URI. */
const MAILTO = /^mailto:(?!\/\/|mailto[:=])([^\s<>"@?]+)@([^\s@?]+)(?:\?\S*)?$/i;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * The URI of an address, for rua and ruf (RFC 6068 section 2): everything in its local part that has another meaning in a URI or
 * in a record is percent-encoded.
 */
export function mailtoUri(address: string): string {
  const at = address.lastIndexOf("@");
  const local = address
    .slice(0, at)
    .replaceAll(/^\/\/|(?<=^mailto)[:=]|[^a-z0-9._~$*+=:/-]+/gi, (signs) =>
      encodeURIComponent(signs.toWellFormed()).replaceAll(/[!'()]/g, hexOf),
    );
  return `mailto:${local}@${address.slice(at + 1)}`;
}

function hexOf(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Whether a text has the form of a URI, of whatever scheme (RFC 3986 section 3). */
function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9a-f]{2})+$/i.test(text) && !/^mailto:/i.test(text);
}

/** What a policy applies to. */
export type PolicySubject = "domain" | "subdomain" | "nonexistent";

/**
 * The policy that a receiver applies (RFC 9989 section 4.10.1): p of the domain's own record; from a parent's sp, or np where
 * the name does not exist. One level below while testing.
 *
 * @returns undefined if the record cannot be used
 */
export function effectivePolicy(record: DmarcRecord, subject: PolicySubject): Policy | undefined {
  if (!isUsable(record)) return undefined;
  const p = record.p ?? "none";
  if (record.p === undefined || record.hasInvalidSubdomainPolicy) return "none";
  const bySubject = {
    domain: p,
    subdomain: record.sp ?? p,
    nonexistent: record.np ?? record.sp ?? p,
  };
  const policy = bySubject[subject];
  return record.isTesting ? oneLevelBelow(policy) : policy;
}

/** Whether a receiver may use the record: without a valid policy only if reports can be sent somewhere (RFC 9989 section 4.10.1). */
export function isUsable(record: DmarcRecord): boolean {
  const hasPolicy = record.p !== undefined && !record.hasInvalidSubdomainPolicy;
  return hasPolicy || record.rua.some(({ text, host }) => host !== undefined || isUri(text));
}

function oneLevelBelow(policy: Policy): Policy {
  return policy === "reject" ? "quarantine" : "none";
}
