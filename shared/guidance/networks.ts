/** IP addresses as bits: whether a network holds an address, and the fewest networks that hold some addresses. Pure. */
import { reverseLabels } from "./address-name.ts";

/** The bits of an address as text, 32 or 128 of them; undefined if it is not an address. */
function bitsOfAddress(address: string): string | undefined {
  const labels = reverseLabels(address);
  if (labels === undefined) return undefined;
  const [radix, width] = labels.isFour ? [10, 8] : [16, 4];
  const bits = labels.text
    .split(".")
    .reverse()
    .map((label) => Number.parseInt(label, radix).toString(2).padStart(width, "0"))
    .join("");
  return bits.length === (labels.isFour ? 32 : 128) ? bits : undefined;
}

/**
 * Whether a network, such as `192.0.2.0/24`, contains an address or another network entirely; false for anything else.
 */
export function networkHolds(network: string, other: string): boolean {
  const [a, b] = [prefixOf(network), prefixOf(other)];
  return a !== undefined && b !== undefined && a.size === b.size && b.bits.startsWith(a.bits);
}

function prefixOf(network: string): { bits: string; size: number } | undefined {
  const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
  const bits = bitsOfAddress(address);
  if (bits === undefined || Number(length ?? 0) > bits.length) return undefined;
  return { bits: bits.slice(0, length === undefined ? bits.length : Number(length)), size: bits.length };
}

/** The widest network proposed for addresses of one sender. */
const WIDEST = { four: 24, six: 64 };
/** With at least this many addresses in such a network, the network is proposed instead. */
const MANY = 3;

/** Terms of an SPF record, without a lookup, that let in addresses and networks: `ip4:192.0.2.1`, `ip6:2001:db8::/64`. */
export function addressTerms(networks: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const network of new Set(networks)) {
    const prefix = prefixOf(network);
    if (prefix === undefined) continue;
    const isSix = prefix.size === 128;
    const key = `${isSix ? "6" : "4"}${prefix.bits.slice(0, isSix ? WIDEST.six : WIDEST.four)}`;
    groups.set(key, [...(groups.get(key) ?? []), network]);
  }
  return [...groups.values()].flatMap((members) => {
    const kind = members[0]?.includes(":") ? "ip6" : "ip4";
    const named = members.length < MANY ? members : [commonNetwork(members)];
    return named.map((network) => `${kind}:${network}`);
  });
}

// All are of one /24 or /64.
function commonNetwork(members: readonly string[]): string {
  const prefixes = members.flatMap((member) => prefixOf(member) ?? []);
  const [first] = prefixes;
  if (first === undefined) return "";
  if (first.size === 128) return `${groupsOf(first.bits.slice(0, WIDEST.six))}::/${WIDEST.six}`;
  const shortest = Math.min(...prefixes.map(({ bits }) => bits.length));
  let length = WIDEST.four;
  while (length < shortest && prefixes.every(({ bits }) => bits[length] === first.bits[length])) length += 1;
  const bits = first.bits.slice(0, length).padEnd(32, "0");
  const octets = [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2));
  return `${octets.join(".")}/${length}`;
}

function groupsOf(bits: string): string {
  return [0, 16, 32, 48].map((at) => Number.parseInt(bits.slice(at, at + 16), 2).toString(16)).join(":");
}
