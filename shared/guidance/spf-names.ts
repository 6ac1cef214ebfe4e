/** Whom a domain's SPF record names, as its last check found it: domains it includes and networks it lists. Asks nobody. Pure. */
import { organizationalDomain } from "../organizational-domain.ts";
import { knownService } from "./known-services.ts";
import type { SourceKind } from "./sources.ts";
import { isSpfRecord, readSpfTerms } from "./spf-record.ts";
import type { StoredCheck } from "./stored-check.ts";
import { familyBits, prefixBits } from "./subject.ts";

/** What a record and those it includes name. */
export interface SpfNames {
  /** Organizational domains included, and the services that they belong to. */
  domains: ReadonlySet<string>;
  /** Bits of a network → its text. */
  networks: ReadonlyMap<string, string>;
}

export const NO_SPF_NAMES: SpfNames = { domains: new Set(), networks: new Map() };

/** Reads them from what DNS said. @param check undefined where the domain was never checked */
export function spfNamesOf(check: StoredCheck | undefined): SpfNames {
  const asked = check?.checks.find(({ kind }) => kind === "spf")?.asked ?? [];
  return spfNamesOfRecords(
    asked.flatMap(({ records }) => records),
    check?.domain ?? "",
  );
}

/** Reads them from TXT records, of the domain and of what it includes; other TXT records are left out. */
export function spfNamesOfRecords(records: readonly string[], policyDomain: string): SpfNames {
  const domains = new Set<string>();
  const networks = new Map<string, string>();
  for (const text of records.filter(isSpfRecord)) {
    for (const term of readSpfTerms(text)) {
      if (term.kind !== "mechanism" || term.qualifier !== "+") continue;
      if (term.name === "include" && term.domain !== undefined) {
        const domain = organizationalDomain(term.domain);
        domains.add(domain);
        const service = knownService(domain);
        if (service !== undefined) domains.add(service);
      }
      if (term.network === undefined) continue;
      const isSix = term.name === "ip6";
      const prefix = `${term.network.toLowerCase()}/${(isSix ? term.bits6 : term.bits4) ?? (isSix ? 128 : 32)}`;
      networks.set(prefixBits(prefix), prefix);
    }
  }
  domains.delete(organizationalDomain(policyDomain));
  return { domains, networks };
}

/** What of the record names a sender: its domain, its service, or a network; undefined where nothing does. */
export function namedInSpf(
  { name, kind, service }: { name: string; kind: SourceKind; service: string },
  { domains, networks }: SpfNames,
): string | undefined {
  if (kind !== "none") return [name, service].find((one) => one !== "" && domains.has(one));
  const bits = familyBits(name);
  for (let length = bits.length; length > 1; length--) {
    const network = networks.get(bits.slice(0, length));
    if (network !== undefined) return network;
  }
  return undefined;
}
