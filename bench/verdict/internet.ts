/**
 * The names and networks of the addresses in a simulated domain's reports, and its SPF record: what a resolver would answer. Drawn
 * apart from the mail, so that the mail is the same with and without it. By the senders' labels; nothing here knows the verdict. Pure.
 */
import type { AddressName } from "../../shared/guidance/address-name.ts";
import { addressesToName } from "../../shared/guidance/addresses-to-name.ts";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import type { SenderKnowledge } from "../../shared/guidance/sender-knowledge.ts";
import { type SpfNames, spfNamesOfRecords } from "../../shared/guidance/spf-names.ts";
import type { Evidence } from "../../shared/ledger/sources.ts";
import type { Chance } from "./chance.ts";
import { INTERNET, type NameShares, PARAMETERS, type Stretch } from "./parameters.ts";
import { KNOWN, type Label, type Sender, type SimulatedDomain } from "./senders.ts";

/** Hosts and networks of mailbox providers, as their servers are really named. */
const MAILBOX_HOSTS: Record<string, { host: string; asn: number }> = {
  "gmail.com": { host: "mail-wr1-f41.google.com", asn: 15169 },
  "outlook.com": { host: "mail-db8eur05.outbound.protection.outlook.com", asn: 8075 },
  "yahoo.com": { host: "sonic304.consmr.mail.ne1.yahoo.com", asn: 36646 },
  "icloud.com": { host: "outbound.mail.icloud.com", asn: 714 },
};

/** Numbers of invented networks begin here: access networks, then hosting ones, then those of single organizations. */
const FIRST_ASN = { access: 200_000, hosting: 300_000, own: 400_000 };

interface Place {
  asn: number;
  /** Domain below which the network names its addresses. */
  provider: string;
}

/** What is drawn by, and how far shares are changed. */
interface Drawing {
  chance: Chance;
  stretch: Stretch;
}

/** What the ledger would know of a domain's senders: names of those that its verdict looks up, and its SPF record. */
export function lookUp(domain: SimulatedDomain, evidence: readonly Evidence[], drawing: Drawing): SenderKnowledge {
  const all = answersAbout(domain, new Set(evidence.map(({ sourceIp }) => sourceIp)), drawing);
  const wanted = addressesToName(mailBySender(evidence, domain.name), []);
  return { ...all, names: new Map(wanted.flatMap((address) => entryOf(all.names, address))) };
}

function entryOf(names: ReadonlyMap<string, AddressName>, address: string): [string, AddressName][] {
  const name = names.get(address);
  return name === undefined ? [] : [[address, name]];
}

/** What DNS answers about a domain's senders. @param addresses that reports name */
export function answersAbout(
  domain: SimulatedDomain,
  addresses: ReadonlySet<string>,
  { chance, stretch }: Drawing,
): SenderKnowledge {
  const home = placeOf(chance, 0.5);
  const names = new Map<string, AddressName>();
  const add = (address: string, host: string, asn: number): void => {
    if (!chance.happens(INTERNET.answered)) return;
    names.set(address, { address, host, asn, holder: `NETWORK-${asn}`, country: "" });
  };
  const labelled = new Set<string>();
  for (const sender of domain.senders) {
    const drawn = drawServers(sender, { domain, home, chance, stretch });
    for (const [i, address] of sender.addresses.entries()) {
      labelled.add(address);
      add(address, drawn.nameOf(address, i), drawn.asn);
    }
  }
  // What no label names was sent by a scattered spoofer: each address is somebody else's machine.
  for (const address of addresses) {
    if (labelled.has(address)) continue;
    const place = placeOf(chance, INTERNET.spooferHosted);
    add(
      address,
      nameAt(address, spooferShares(stretch), { chance, place, own: someDomain(chance, "machine") }),
      place.asn,
    );
  }
  const own = domain.senders.filter(({ looks }) => looks.some(({ spf }) => spf === "pass"));
  return {
    names,
    spf: spfOf(domain, { chance, stretch }),
    homeNetworks: new Set(
      own.flatMap(({ addresses }) => addresses.map((one) => names.get(one)?.asn ?? 0)).filter((asn) => asn !== 0),
    ),
  };
}

function placeOf(chance: Chance, hosted: number): Place {
  const isHosted = chance.happens(hosted);
  const number = Math.floor(chance.random() * (isHosted ? INTERNET.hostingNetworks : INTERNET.accessNetworks));
  return isHosted
    ? { asn: FIRST_ASN.hosting + number, provider: `hosting${number}.example` }
    : { asn: FIRST_ASN.access + number, provider: `access${number}.example` };
}

interface Around {
  domain: SimulatedDomain;
  home: Place;
  chance: Chance;
  stretch: Stretch;
}

interface Servers {
  asn: number;
  nameOf(address: string, index: number): string;
}

/** Own servers are three at most (senders.ts). */
function isHosted({ addresses }: Pick<Sender, "addresses">): boolean {
  return addresses.length >= PARAMETERS.hostedAddresses;
}

const OWN: ReadonlySet<Label> = new Set(["ownServer", "forgottenServer"]);

/** Where a sender's servers are and how they are named: all of one sender alike. */
function drawServers(sender: Sender, around: Around): Servers {
  const { chance, stretch } = around;
  const { label, host } = sender;
  if (OWN.has(label)) return drawOwn(sender, around);
  const mailbox = MAILBOX_HOSTS[host ?? ""];
  if (mailbox !== undefined) return { asn: mailbox.asn, nameOf: () => mailbox.host };
  if (label === "steadySpoofer") {
    const place = placeOf(chance, INTERNET.spooferHosted);
    return drawn(spooferShares(stretch), { chance, place, own: someDomain(chance, "machine") });
  }
  if (label === "forwarder") return drawForwarder(around);
  const place = host === undefined || !KNOWN.includes(host) ? placeOf(chance, 1) : placeOfService(host);
  const shares =
    label === "spammer" ? INTERNET.names.spammer : stretched(INTERNET.names.service, stretch.namelessOwners);
  return drawn(shares, { chance, place, own: host ?? someDomain(chance, "sender") });
}

function drawOwn(sender: Sender, { domain, home, chance, stretch }: Around): Servers {
  const isHostedMailbox = sender.label === "ownServer" && isHosted(sender);
  if (isHostedMailbox) return { asn: 15169, nameOf: () => "mail-wr1-f41.google.com" };
  const isAtHome = sender.label === "ownServer" || !chance.happens((1 - INTERNET.inHomeNetwork) * stretch.awayFromHome);
  const place = isAtHome ? home : placeOf(chance, 0.5);
  const isUnderDomain = chance.happens(INTERNET.underDomain);
  const own = isUnderDomain ? domain.name : someDomain(chance, "company");
  return drawn(stretched(INTERNET.names.ownServer, stretch.namelessOwners), { chance, place, own });
}

function drawForwarder({ chance, stretch }: Around): Servers {
  if (chance.happens(INTERNET.forwarderMailbox)) {
    const { host, asn } = chance.pick(Object.values(MAILBOX_HOSTS));
    return { asn, nameOf: () => host };
  }
  const isUniversity = chance.happens(INTERNET.forwarderUniversity / (1 - INTERNET.forwarderMailbox));
  const number = Math.floor(chance.random() * 2000);
  const place = isUniversity
    ? { asn: FIRST_ASN.own + number, provider: `university${number}.edu` }
    : placeOf(chance, 1);
  const own = isUniversity ? place.provider : someDomain(chance, "forward");
  return drawn(stretched(INTERNET.names.forwarder, stretch.namelessOwners), { chance, place, own });
}

function placeOfService(host: string): Place {
  return { asn: FIRST_ASN.own + 10_000 + KNOWN.indexOf(host), provider: host };
}

function spooferShares({ namedSpoofers }: Stretch): NameShares {
  const { none, generic } = INTERNET.names.spoofer;
  const named = Math.min(1, (1 - none - generic) * namedSpoofers);
  const factor = (1 - named) / (none + generic);
  return { none: none * factor, generic: generic * factor };
}

function stretched({ none, generic }: NameShares, factor: number): NameShares {
  return { none: none * factor, generic: generic * factor };
}

interface Naming {
  chance: Chance;
  place: Place;
  /** The domain of names of one's own. */
  own: string;
}

type NameKind = "none" | "generic" | "opaque" | "own";

function drawKind({ none, generic }: NameShares, chance: Chance): NameKind {
  const drawn = chance.random();
  if (drawn < none) return "none";
  if (drawn >= none + generic) return "own";
  return chance.happens(INTERNET.opaqueGeneric) ? "opaque" : "generic";
}

function drawn(shares: NameShares, naming: Naming): Servers {
  const kind = drawKind(shares, naming.chance);
  return { asn: naming.place.asn, nameOf: (address, i) => nameOfKind(kind, { address, number: i }, naming) };
}

function nameAt(address: string, shares: NameShares, naming: Naming): string {
  return nameOfKind(drawKind(shares, naming.chance), { address, number: 1 }, naming);
}

function nameOfKind(kind: NameKind, { address, number }: { address: string; number: number }, naming: Naming): string {
  const { place, own, chance } = naming;
  switch (kind) {
    case "none":
      return "";
    case "own":
      return `mail${number}.${own}`;
    case "opaque":
      return `vps-${Math.floor(chance.random() * 100_000)}.${place.provider}`;
    case "generic":
      return `${genericLabel(address, chance)}.${place.provider}`;
  }
}

function genericLabel(address: string, chance: Chance): string {
  const parts = address.split(".");
  return chance.pick([
    parts.join("-"),
    `static.${parts.toReversed().join(".")}.clients`,
    `host${parts.join("-")}`,
    `ip${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`,
    `cpe-${parts[3]}.pool`,
  ]);
}

function someDomain(chance: Chance, kind: string): string {
  return `${kind}${Math.floor(chance.random() * 1e6)}.example`;
}

/** The domain's SPF record, as a check of it would find it. */
function spfOf(domain: SimulatedDomain, { chance, stretch }: Drawing): SpfNames {
  const terms: string[] = [];
  for (const { label, host, addresses, looks } of domain.senders) {
    if (label === "ownServer") {
      terms.push(...(isHosted({ addresses }) ? ["include:_spf.google.com"] : addresses.map((one) => `ip4:${one}`)));
      continue;
    }
    // With a return path of the domain, a server that the record had would pass.
    const isChecked = looks.some(({ spfResults }) => spfResults.some((found) => found.domain === domain.name));
    if (label === "forgottenServer" && !isChecked && chance.happens(INTERNET.forgottenInSpf)) {
      terms.push(...addresses.map((one) => `ip4:${one}`));
    }
    if (!SERVICES.has(label) || host === undefined) continue;
    const isAligned = looks.some(({ dkim, spf }) => dkim === "pass" || spf === "pass");
    const { aligned, unaligned } = INTERNET.includedService;
    if (chance.happens(isAligned ? aligned : unaligned)) terms.push(`include:${host}`);
  }
  if (chance.happens(INTERNET.staleInclude * stretch.staleSpf)) terms.push(`include:${chance.pick(KNOWN)}`);
  if (chance.happens(INTERNET.staleAddress * stretch.staleSpf))
    terms.push(`ip4:${staleAddress(domain, { chance, stretch })}`);
  return spfNamesOfRecords([`v=spf1 ${terms.join(" ")} ~all`], domain.name);
}

const SERVICES: ReadonlySet<Label> = new Set(["alignedService", "unalignedService", "seasonalSender", "newService"]);

// Most go back to a pool of many; now and then the next to get it sends in the domain's name.
function staleAddress({ senders }: SimulatedDomain, { chance, stretch }: Drawing): string {
  const spoofers = senders.filter(({ label }) => label === "steadySpoofer").flatMap(({ addresses }) => addresses);
  const isTaken = spoofers.length > 0 && chance.happens(INTERNET.staleAddressOfSpoofer * stretch.staleSpf);
  return isTaken ? chance.pick(spoofers) : `198.51.100.${1 + Math.floor(chance.random() * 254)}`;
}
