/** An SPF record's text as terms (RFC 7208 sections 4.6 and 12). It asks nobody and knows no limit of lookups. Pure. */

export type Qualifier = "+" | "-" | "~" | "?";
export type MechanismName = "all" | "include" | "a" | "mx" | "ptr" | "ip4" | "ip6" | "exists";

/** A term that matches senders. */
export interface Mechanism {
  text: string;
  kind: "mechanism";
  qualifier: Qualifier;
  name: MechanismName;
  /** The domain of include, exists, and of a, mx and ptr where one is given; undefined: the record's own. */
  domain?: string;
  /** The network of ip4 and ip6, without its length. */
  network?: string;
  /** Prefix lengths; undefined: all bits. */
  bits4?: number;
  bits6?: number;
}

/** `redirect=` or `exp=`, or a modifier that RFC 7208 does not know and every receiver ignores. */
export interface Modifier {
  text: string;
  kind: "modifier";
  name: string;
  domain: string;
}

/** A term that cannot be read: the whole record is a permanent error (section 4.6). */
export interface BrokenTerm {
  text: string;
  kind: "broken";
  reason: string;
}

export type SpfTerm = Mechanism | Modifier | BrokenTerm;

/** Whether a TXT record is an SPF record (section 4.5): `v=spf1`, then a space or the end. */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1( |$)/i.test(text);
}

/** The terms of a record, in order. */
export function readSpfTerms(text: string): SpfTerm[] {
  const terms = text
    .split(" ")
    .slice(1)
    .filter((term) => term !== "")
    .map(readTerm);
  const seen = new Set<string>();
  return terms.map((term) => {
    if (term.kind !== "modifier" || (term.name !== "redirect" && term.name !== "exp")) return term;
    // Section 6: each may be there once.
    if (seen.has(term.name)) return { text: term.text, kind: "broken", reason: `a second ${term.name}` };
    seen.add(term.name);
    return term;
  });
}

/** Whether a domain of a term depends on the mail (section 7): it cannot be looked up beforehand. */
export function hasMacro(domain: string): boolean {
  return domain.includes("%");
}

/** What the macros of a domain stand for where it does not depend on the mail. */
export interface MacroValues {
  /** `%{d}`: the domain of the record. */
  domain: string;
  /** `%{o}`: the domain of the sender, whose record is checked. */
  sender: string;
}

/**
 * A domain with those of its macros replaced that do not depend on the mail: `%{d}` and `%{o}` with their transformers
 * (section 7.3). The others stay.
 */
export function expandMacros(spec: string, { domain, sender }: MacroValues): string {
  return spec.replace(/%\{([do])([1-9]\d*)?(r)?([.+,/_=-]*)\}/gi, (_, letter, digits, reversed, delimiters) => {
    const parts = splitAt(letter.toLowerCase() === "d" ? domain : sender, delimiters === "" ? "." : delimiters);
    if (reversed !== undefined) parts.reverse();
    return parts.slice(digits === undefined ? 0 : -Number(digits)).join(".");
  });
}

function splitAt(text: string, delimiters: string): string[] {
  const parts = [""];
  for (const sign of text) {
    if (delimiters.includes(sign)) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts;
}

const MODIFIER = /^([a-z][a-z0-9_.-]*)=(.*)$/i;
const MECHANISM = /^([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:(:)([^/]*))?((?:\/[^/]*){0,3})$/i;

/** Stands for a `/` meanwhile. */
const SLASH = "\u0001";

function readTerm(text: string): SpfTerm {
  // Section 4.6.1: spaces alone are between terms.
  if (/[^\x21-\x7e]/.test(text)) return { text, kind: "broken", reason: oddCharacter(text) };
  const modifier = MODIFIER.exec(text);
  if (modifier !== null) return readModifier(text, modifier[1] ?? "", modifier[2] ?? "");
  if (/^[+?~-]?ip[46]:/i.test(text)) return readNetwork(text);
  // A macro may have a / between its braces, which begins no prefix length.
  const parts = MECHANISM.exec(text.replace(/%\{[^{}]*\}/g, (macro) => macro.replaceAll("/", SLASH)));
  if (parts === null) return { text, kind: "broken", reason: unknownTerm(text) };
  const [, qualifier = "", name = "", colon, domain, length = ""] = parts;
  const mechanism: Mechanism = {
    text,
    kind: "mechanism",
    qualifier: qualifierOf(qualifier),
    name: mechanismName(name),
  };
  return readArguments(mechanism, colon === undefined ? undefined : (domain ?? "").replaceAll(SLASH, "/"), length);
}

function oddCharacter(text: string): string {
  if (/^[^\x00-\x7f]all$/i.test(text)) return "all after a sign that is neither the hyphen nor the tilde of a keyboard";
  if (/[\t\r\n]/.test(text)) return "a term with a tab or a line break in it, where only a space may be";
  if (/[\u00a0\u2000-\u200f\u202f\u2060\ufeff]/.test(text)) {
    return "a term with an invisible character in it, such as a no-break space pasted from a text";
  }
  if (/^[\x00-\x7f]*$/.test(text)) return "a term with a control character in it";
  return "a term with a character that is not ASCII in it";
}

function unknownTerm(text: string): string {
  if (/^.+[-~?+]all$/i.test(text)) return "two terms with no space between them";
  if (/^[+?~-]$/.test(text)) return "a sign apart from its term";
  if (/^[\d.]+(\/\d+)?$/.test(text)) return "an address without ip4 and a colon before it";
  if (/:/.test(text) && /^[0-9a-f:]+(\/\d+)?$/i.test(text)) return "an address without ip6 and a colon before it";
  if (/^[+?~-]?(redirect|exp)[:=]/i.test(text)) return "a modifier, which has = after its name and no sign before it";
  if (/^[+?~-]?ipv[46]:/i.test(text)) return "ip4 or ip6 with a v";
  if (/^[+?~-]?(all|a|mx|ptr)[^a-z0-9_-]+$/i.test(text)) return "a term with a sign too many at its end";
  if (/^[^:=]+\.[a-z-]+$/i.test(text)) return "a name without include or a, and a colon, before it";
  return "an unknown term";
}

function readModifier(text: string, name: string, domain: string): SpfTerm {
  const lower = name.toLowerCase();
  const isKnown = lower === "redirect" || lower === "exp";
  if (isKnown && !isDomainSpec(domain)) return { text, kind: "broken", reason: `${lower} without a domain name` };
  return { text, kind: "modifier", name: lower, domain: domain.toLowerCase().replace(/\.$/, "") };
}

/** An address of IPv4 ends before a letter. */
const RUN_TOGETHER = /^[^:]*:[\d./]+(ip[46]|include|exists|redirect|mx|a)([:=]|$)/i;

function readNetwork(text: string): SpfTerm {
  const parts = /^([+?~-]?)(ip[46]):([^/]*)(?:\/([^/]*))?$/i.exec(text);
  const [, qualifier = "", name = "", network = "", length] = parts ?? [];
  const isFour = name.toLowerCase() === "ip4";
  if (isFour && RUN_TOGETHER.test(text)) {
    return {
      text,
      kind: "broken",
      reason: "two terms with no space between them, as where the strings of a record are joined",
    };
  }
  if (!(isFour ? isIpv4(network) : isIpv6(network))) {
    const isOther = isFour ? isIpv6(network) : isIpv4(network);
    const [version, other] = isFour ? [4, 6] : [6, 4];
    const reason = isOther
      ? `an IPv${other} address (write it as ip${other})`
      : /[0-9a-f][,-][0-9a-f]/i.test(network)
        ? "a list or a range of addresses, and each needs a term of its own"
        : `not an IPv${version} address`;
    return { text, kind: "broken", reason };
  }
  const bits = length === undefined ? undefined : readLength(length, isFour ? 32 : 128);
  if (bits === null) return { text, kind: "broken", reason: "an impossible prefix length" };
  const mechanism: Mechanism = {
    text,
    kind: "mechanism",
    qualifier: qualifierOf(qualifier),
    name: isFour ? "ip4" : "ip6",
    network: network.toLowerCase(),
  };
  if (bits !== undefined && isFour) mechanism.bits4 = bits;
  if (bits !== undefined && !isFour) mechanism.bits6 = bits;
  return mechanism;
}

function readArguments(mechanism: Mechanism, domain: string | undefined, length: string): SpfTerm {
  const { text, name } = mechanism;
  if (/:\/\//.test(text)) return { text, kind: "broken", reason: "a web address where a domain name belongs" };
  const takesLength = name === "a" || name === "mx";
  if (length !== "" && !takesLength) return { text, kind: "broken", reason: "a prefix length where none may be" };
  if (name === "all" && domain !== undefined) return { text, kind: "broken", reason: "a domain after all" };
  if ((name === "include" || name === "exists") && domain === undefined) {
    return { text, kind: "broken", reason: `${name} without a domain name` };
  }
  if (domain !== undefined && !isDomainSpec(domain)) return { text, kind: "broken", reason: whyNotDomainSpec(domain) };
  const lengths = takesLength ? readLengths(length) : {};
  if (lengths === undefined) return { text, kind: "broken", reason: "an impossible prefix length" };
  const read: Mechanism = { ...mechanism, ...lengths };
  if (domain !== undefined) read.domain = domain.toLowerCase().replace(/\.$/, "");
  return read;
}

// `/24`, `//64` or `/24//64` (section 5.3).
function readLengths(text: string): Pick<Mechanism, "bits4" | "bits6"> | undefined {
  if (text === "") return {};
  const match = /^(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const lengths: Pick<Mechanism, "bits4" | "bits6"> = {};
  const bits4 = match[1] === undefined ? undefined : readLength(match[1], 32);
  const bits6 = match[2] === undefined ? undefined : readLength(match[2], 128);
  if (bits4 === null || bits6 === null) return undefined;
  if (bits4 !== undefined) lengths.bits4 = bits4;
  if (bits6 !== undefined) lengths.bits6 = bits6;
  return lengths;
}

function readLength(text: string, most: number): number | null {
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return null;
  return Number(text) <= most ? Number(text) : null;
}

/** Section 7.1: `c`, `r` and `t` stand for something in an explanation only. */
const MACRO = /%\{[slodiphv](?:[1-9]\d*)?r?[.+,/_=-]*\}|%%|%_|%-/gi;

// Macros, or a name whose last label is not all digits (toplabel in section 7.1).
function isDomainSpec(text: string): boolean {
  const plain = text.replace(MACRO, "m");
  if (plain.includes("%")) return false;
  if (text.endsWith("}") && !plain.endsWith("}")) return true;
  // Among macros any visible character may stand (macro-literal), as in exists:%{l}+%{o}.example.com.
  const isName = plain === text ? IS_NAME : ENDS_IN_LABEL;
  return isName.test(plain) && !/(^|\.)\d+\.?$/.test(plain);
}

const ENDS_IN_LABEL = /^[\x21-\x7e]+\.[a-z0-9]([a-z0-9-]*[a-z0-9])?\.?$/i;

const IS_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+\.?$/i;

function whyNotDomainSpec(text: string): string {
  if (text.replace(MACRO, "").includes("%")) return "a domain with a macro that does not exist";
  if (isIpv4(text)) return "an address where a domain name belongs (write it as ip4)";
  return "not followed by a domain name";
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => readLength(part, 255) !== null);
}

function isIpv6(text: string): boolean {
  if (!text.includes(":") || !/^[0-9a-f:.]+$/i.test(text)) return false;
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return false;
  const groups = [...groupsOf(head), ...groupsOf(tail ?? "")];
  const last = groups.at(-1) ?? "";
  const size = groups.length + (last.includes(".") ? 1 : 0);
  const areGroups = groups.every((group, index) =>
    group.includes(".") ? index === groups.length - 1 && isIpv4(group) : /^[0-9a-f]{1,4}$/i.test(group),
  );
  return areGroups && (tail === undefined ? size === 8 : size < 8);
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

function qualifierOf(text: string): Qualifier {
  return text === "-" || text === "~" || text === "?" ? text : "+";
}

function mechanismName(text: string): MechanismName {
  const names: MechanismName[] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
  return names.find((name) => name === text.toLowerCase()) ?? "all";
}
