/**
 * What DNS says about senders, in addition to the reports: names and networks of addresses, and whom the SPF record
 * names. Where nothing is known, the verdict is based on the reports alone. Pure.
 */
import { organizationalDomain } from "../organizational-domain.ts";
import type { AddressName } from "./address-name.ts";
import { forwarderHost } from "./known-forwarders.ts";
import { isGenericName } from "./reverse-name.ts";
import type { SourceKind } from "./sources.ts";
import { NO_SPF_NAMES, namedInSpf, type SpfNames, spfNamesOf } from "./spf-names.ts";
import type { StoredCheck } from "./stored-check.ts";

/** What DNS says about senders; what is absent is unknown. */
export interface SenderKnowledge {
  /** Address → its name and network; addresses that were not looked up, or not answered about, are not in it. */
  names: ReadonlyMap<string, AddressName>;
  /** Whom the domain's SPF record names, as last checked. */
  spf: SpfNames;
  /** Numbers of the networks that mail passing SPF as the domain came from. */
  homeNetworks: ReadonlySet<number>;
}

export const NOTHING_KNOWN: SenderKnowledge = { names: new Map(), spf: NO_SPF_NAMES, homeNetworks: new Set() };

/**
 * What DNS says about a sender that the mail leaves open. inSpf, ownName: the owner put it into the SPF record, or
 * gives it a name below the domain; forwarderName: a mailbox provider's, university's or forwarding service's server;
 * stranger: without a name or with one that its network gives to every address, in a network that no mail of the domain
 * comes from.
 */
export type SenderClue = "inSpf" | "ownName" | "forwarderName" | "stranger";

/** @param ownDomain organizational domain of the policy domain @returns undefined: nothing */
export function senderClue(
  source: { name: string; kind: SourceKind; service: string },
  ownDomain: string,
  { names, spf, homeNetworks }: SenderKnowledge,
): SenderClue | undefined {
  if (namedInSpf(source, spf) !== undefined) return "inSpf";
  const name = names.get(source.name);
  if (name === undefined) return undefined;
  const { host, asn, address } = name;
  if (host !== "" && organizationalDomain(host) === ownDomain) return "ownName";
  const isGeneric = host === "" || isGenericName(host, address);
  if (!isGeneric) return forwarderHost(host) ? "forwarderName" : undefined;
  return asn !== 0 && !homeNetworks.has(asn) ? "stranger" : undefined;
}

/** What DNS was found to say. */
export interface FoundNames {
  names: readonly AddressName[];
  /** The domain's last check; undefined where it was never checked. */
  check: StoredCheck | undefined;
  /** Addresses that mail passing SPF as the domain came from. */
  homeAddresses: readonly string[];
}

/** Combines what DNS says. */
export function senderKnowledge({ names: found, check, homeAddresses }: FoundNames): SenderKnowledge {
  const names = new Map(found.map((name) => [name.address, name]));
  const networks = homeAddresses.map((address) => names.get(address)?.asn ?? 0);
  return { names, spf: spfNamesOf(check), homeNetworks: new Set(networks.filter((asn) => asn !== 0)) };
}
