/**
 * The name of an IP address: its reverse DNS name, if that resolves back to the address (RFC 8601 section 3, "iprev"),
 * and the network that announces it, from the DNS zones of Team Cymru (team-cymru.com/ip-asn-mapping), which need no
 * database. Pure.
 */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";

/** The name of an address. */
export interface AddressName {
  address: string;
  /** "" if there is no reverse name that resolves back. */
  host: string;
  /** 0 if unknown. */
  asn: number;
  /** Such as "GOOGLE"; "" if unknown. */
  holder: string;
  /** ISO 3166 code of the country the network is registered in, "" if unknown. */
  country: string;
}

/**
 * Looks up an address. Unanswered questions are never guessed.
 *
 * @param address in its canonical spelling
 * @returns undefined if it is not an address or a question was not answered; then nothing should be stored
 */
export async function nameAddress(address: string, resolver: Resolver): Promise<AddressName | undefined> {
  const labels = reverseLabels(address);
  if (labels === undefined) return undefined;
  const [host, network] = await Promise.all([findHost(address, labels, resolver), findNetwork(labels, resolver)]);
  return host === undefined || network === undefined ? undefined : { address, host, ...network };
}

interface ReverseLabels {
  text: string;
  isFour: boolean;
}

/** `1.2.0.192`, or the 32 digits of an IPv6 address from the last one on. */
export function reverseLabels(address: string): ReverseLabels | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return { text: address.split(".").reverse().join("."), isFour: true };
  const digits = ipv6Digits(address);
  return digits === undefined ? undefined : { text: [...digits].reverse().join("."), isFour: false };
}

function ipv6Digits(address: string): string | undefined {
  if (!/^[0-9a-f:]+$/.test(address) || !address.includes(":")) return undefined;
  const [head = "", tail] = address.split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array<string>(Math.max(missing, 0)).fill("0"), ...after];
  return all.length === 8 ? all.map((group) => group.padStart(4, "0")).join("") : undefined;
}

function groups(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

/** @returns undefined: not answered */
async function findHost(
  address: string,
  { text, isFour }: ReverseLabels,
  resolver: Resolver,
): Promise<string | undefined> {
  const answer = await resolver.lookup(`${text}.${isFour ? "in-addr" : "ip6"}.arpa`, "PTR");
  if (isUnanswered(answer)) return undefined;
  for (const name of recordsOf(answer).slice(0, GUIDANCE_LIMITS.maxReverseNames)) {
    const host = name.toLowerCase().replace(/\.$/, "");
    const forward = await resolver.lookup(host, isFour ? "A" : "AAAA");
    if (isUnanswered(forward)) return undefined;
    const wanted = reverseLabels(address)?.text;
    if (recordsOf(forward).some((found) => reverseLabels(found)?.text === wanted)) return host;
  }
  return "";
}

type Network = Pick<AddressName, "asn" | "holder" | "country">;

const NO_NETWORK: Network = { asn: 0, holder: "", country: "" };

/** @returns undefined: not answered */
async function findNetwork({ text, isFour }: ReverseLabels, resolver: Resolver): Promise<Network | undefined> {
  const origin = await resolver.lookup(`${text}.origin${isFour ? "" : "6"}.asn.cymru.com`, "TXT");
  if (isUnanswered(origin)) return undefined;
  // "15169 | 8.8.8.0/24 | US | arin | 2023-12-28"; if several networks announce it, the first number counts.
  const fields = recordsOf(origin)[0]
    ?.split("|")
    .map((field) => field.trim());
  const number = /^\d{1,10}/.exec(fields?.[0] ?? "")?.[0];
  if (number === undefined) return NO_NETWORK;
  const named = await resolver.lookup(`AS${number}.asn.cymru.com`, "TXT");
  if (isUnanswered(named)) return undefined;
  // "15169 | US | arin | 2000-03-30 | GOOGLE - Google LLC, US"
  const holder =
    recordsOf(named)[0]
      ?.split("|")[4]
      ?.trim()
      .replace(/, [A-Z]{2}$/, "") ?? "";
  return {
    asn: Number(number),
    holder: holder.slice(0, 100),
    country: /^[A-Z]{2}$/.exec(fields?.[2] ?? "")?.[0] ?? "",
  };
}
