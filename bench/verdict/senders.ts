/**
 * Who sends in a simulated domain's name, each with a label. A sender is a rate by day, addresses, and how its mail looks to
 * a receiver. Whether mail is legitimate is its label; nothing here knows how a verdict tells senders apart. Pure.
 */
import type { AggregateRecord, DkimAuthResult, SpfAuthResult } from "../../shared/report/vocabulary.ts";
import type { Chance } from "./chance.ts";
import { DAYS, PARAMETERS } from "./parameters.ts";

export type Label =
  | "ownServer"
  | "forgottenServer"
  | "alignedService"
  | "unalignedService"
  | "seasonalSender"
  | "newService"
  | "forwarder"
  | "list"
  | "botnet"
  | "steadySpoofer"
  | "spammer"
  | "mailboxSpoofer";

/** One way a sender's mail looks, and how often. */
export interface Look {
  share: number;
  dkimResults: DkimAuthResult[];
  spfResults: SpfAuthResult[];
  /** Aligned results, as a receiver evaluates them. */
  dkim: "pass" | "fail";
  spf: "pass" | "fail";
  /** SPF passes for a domain of each address: a scattered sender in other people's accounts. */
  isFromAccounts?: boolean;
}

export interface Sender {
  label: Label;
  isLegitimate: boolean;
  /** Handed on by somebody: receivers may make an exception for it. */
  isIndirect: boolean;
  /** Expected messages on a day. */
  rate(day: number): number;
  addresses: readonly string[];
  /** Few messages an address: a new one for each handful. */
  isScattered: boolean;
  looks: readonly Look[];
  /** The organization whose servers they are, where it has a domain of its own. */
  host?: string;
}

type Policy = "none" | "quarantine" | "reject";

/** A domain with its senders. */
export interface SimulatedDomain {
  name: string;
  policy: Policy;
  /** Where it changes in the course of time. */
  policyOn?(day: number): Policy;
  senders: Sender[];
  hasForgedReports: boolean;
}

export const KNOWN = [
  "amazonses.com",
  "sendgrid.net",
  "mcsv.net",
  "mandrillapp.com",
  "mailgun.org",
  "zendesk.com",
  "sendinblue.com",
];
const MAILBOXES = ["gmail.com", "outlook.com", "yahoo.com", "icloud.com"];
const KNOWN_LISTS = ["googlegroups.com", "groups.io", "ietf.org", "debian.org"];

const pass = (domain: string, selector: string): DkimAuthResult => dkimResult(domain, selector, "pass");
const broken = (domain: string, selector: string): DkimAuthResult => dkimResult(domain, selector, "fail");
const keyMissing = (domain: string, selector: string): DkimAuthResult => dkimResult(domain, selector, "permerror");

function dkimResult(domain: string, selector: string, result: "pass" | "fail" | "permerror"): DkimAuthResult {
  return { domain, selector, result, rawResult: result, humanResult: "" };
}

function spfResult(domain: string, result: "pass" | "softfail" | "none"): SpfAuthResult {
  return { domain, scope: "mfrom", result, rawResult: result, humanResult: "" };
}

/** An address nobody else has; its name and network are drawn apart (internet.ts). */
function newAddress(chance: Chance): string {
  const part = (): number => 1 + Math.floor(chance.random() * 254);
  return `${part()}.${part()}.${part()}.${part()}`;
}

function addresses(chance: Chance, count: number): string[] {
  return Array.from({ length: count }, () => newAddress(chance));
}

const steady = (perDay: number) => (): number => perDay;
/** All of 30 days' mail on one day in `every`, beginning at `first`. */
const inBursts =
  (perDay: number, every: number, first: number) =>
  (day: number): number =>
    day % every === first % every ? perDay * every : 0;

/** A domain of one seed. */
export function simulateDomain(name: string, chance: Chance): SimulatedDomain {
  const p = PARAMETERS;
  const drawn = chance.random();
  const policy =
    drawn < p.quarantineDomains ? "quarantine" : drawn < p.quarantineDomains + p.rejectDomains ? "reject" : "none";
  const isParked = chance.happens(p.parkedDomains);
  const perDay = chance.logNormal(p.monthlyMessages.median, p.monthlyMessages.sigma) / 30;
  const senders = isParked ? [] : legitimateSenders(name, perDay, chance);
  return {
    name,
    policy,
    senders: [...senders, ...spoofers(name, chance)],
    hasForgedReports: chance.happens(p.forgedReports),
  };
}

/** A way of sending that other senders hand on: its signature, and whether SPF aligns. */
interface Origin {
  selector: string | undefined;
  isSpfAligned: boolean;
  perDay: number;
}

function legitimateSenders(name: string, perDay: number, chance: Chance): Sender[] {
  const p = PARAMETERS;
  const own = ownMail(name, perDay, chance);
  const senders: Sender[] = [own.sender];
  const origins: Origin[] = [own.origin];
  const services = chance.poisson(p.services);
  for (let i = 0; i < services; i++) {
    const setUp = setUpOf(chance);
    const { low, high } = setUp === "none" ? p.unalignedServiceShare : p.serviceShare;
    const rate = perDay * chance.logBetween(low, high);
    const every = chance.pick([1, 1, 1, 7, 30]);
    const first = Math.floor(chance.between(0, every));
    const made = service(name, chance, {
      rate: every === 1 ? steady(rate) : inBursts(rate, every, first),
      perDay: rate,
      setUp,
    });
    senders.push(made.sender);
    origins.push(made.origin);
  }
  if (chance.happens(p.forgottenServer)) senders.push(forgottenServer(name, perDay, chance));
  if (chance.happens(p.seasonalSender)) {
    const rate = perDay * chance.logBetween(0.005, 0.2);
    const bursts = inBursts(rate, 45, Math.floor(chance.between(0, 45)));
    senders.push({
      ...service(name, chance, { rate: bursts, perDay: rate, setUp: setUpOf(chance) }).sender,
      label: "seasonalSender",
    });
  }
  if (chance.happens(p.newService)) {
    const rate = perDay * chance.logBetween(0.005, 0.3);
    const since = chance.between(5, DAYS.simulated - 5);
    const made = service(name, chance, {
      rate: (day) => (day < since ? 0 : rate),
      perDay: rate,
      setUp: setUpOf(chance),
    });
    senders.push({ ...made.sender, label: "newService" });
  }
  return [...senders, ...forwarders(name, origins, chance), ...lists(name, own.origin, chance)];
}

function ownMail(name: string, perDay: number, chance: Chance): { sender: Sender; origin: Origin } {
  const p = PARAMETERS;
  const isHosted = chance.happens(p.hostedMailboxes);
  const isSigned = chance.happens(p.signedOwnMail) || perDay >= p.alwaysSignedPerDay;
  const selector = isSigned ? (isHosted ? "google" : "mail") : undefined;
  const second = isHosted ? [pass(`${name.replace(".", "-")}.20230601.gappssmtp.com`, "20230601")] : [];
  const looks = (dkim: DkimAuthResult[]): Omit<Look, "share" | "dkim"> => ({
    dkimResults: [...dkim, ...(isSigned ? [] : second)],
    spfResults: [spfResult(name, "pass")],
    spf: "pass",
  });
  return {
    origin: { selector, isSpfAligned: true, perDay },
    sender: {
      label: "ownServer",
      isLegitimate: true,
      isIndirect: false,
      rate: (day) => perDay * (day % 7 < 5 ? 1.2 : 0.5),
      addresses: addresses(chance, isHosted ? p.hostedAddresses : Math.ceil(chance.between(0.1, 3))),
      isScattered: false,
      looks:
        selector === undefined
          ? [{ share: 1, dkim: "fail", ...looks([]) }]
          : [
              { share: 1 - p.chanceBreaks, dkim: "pass", ...looks([pass(name, selector)]) },
              { share: p.chanceBreaks, dkim: "fail", ...looks([broken(name, selector)]) },
            ],
    },
  };
}

/** What of a service is the domain's: signature, return path, both or nothing. */
type SetUp = "dkim" | "spf" | "both" | "none";

function setUpOf(chance: Chance): SetUp {
  const { dkim, both, spf } = PARAMETERS.serviceAligned;
  const drawn = chance.random();
  if (drawn < dkim) return chance.happens(both) ? "both" : "dkim";
  return drawn < dkim + spf ? "spf" : "none";
}

interface ServicePlan {
  rate(day: number): number;
  perDay: number;
  setUp: SetUp;
}

function service(
  name: string,
  chance: Chance,
  { rate, perDay, setUp }: ServicePlan,
): { sender: Sender; origin: Origin } {
  const p = PARAMETERS;
  const domain = chance.happens(p.unknownService)
    ? `sender${Math.floor(chance.random() * 1e6)}.example`
    : chance.pick(KNOWN);
  const isSigned = setUp === "dkim" || setUp === "both";
  const isSpfAligned = setUp === "spf" || setUp === "both";
  const selector = `k${Math.floor(chance.random() * 100)}`;
  const itself = chance.happens(p.servicesSigning) ? [pass(domain, "own")] : [];
  const spf = spfResult(isSpfAligned ? `bounce.${name}` : `mail.${domain}`, "pass");
  const look = (dkim: DkimAuthResult[], share: number, aligned: "pass" | "fail"): Look => ({
    share,
    dkimResults: [...dkim, ...itself],
    spfResults: [spf],
    dkim: aligned,
    spf: isSpfAligned ? "pass" : "fail",
  });
  const hasMissingKey = setUp === "none" && chance.happens(p.missingKey);
  const { low, high } = p.serviceAddresses;
  return {
    origin: { selector: isSigned ? selector : undefined, isSpfAligned, perDay },
    sender: {
      label: setUp === "none" ? "unalignedService" : "alignedService",
      isLegitimate: true,
      isIndirect: false,
      rate,
      addresses: addresses(chance, Math.round(chance.logBetween(low, high))),
      host: domain,
      isScattered: false,
      looks: isSigned
        ? [
            look([pass(name, selector)], 1 - p.chanceBreaks, "pass"),
            look([broken(name, selector)], p.chanceBreaks, "fail"),
          ]
        : [look(hasMissingKey ? [keyMissing(name, selector)] : [], 1, "fail")],
    },
  };
}

function forgottenServer(name: string, perDay: number, chance: Chance): Sender {
  const rate = perDay * chance.logBetween(0.0005, 0.05);
  const every = chance.pick([1, 1, 7, 30]);
  const spf = chance.happens(0.5) ? spfResult(name, "softfail") : spfResult("", "none");
  return {
    label: "forgottenServer",
    isLegitimate: true,
    isIndirect: false,
    rate: every === 1 ? steady(rate) : inBursts(rate, every, Math.floor(chance.between(0, every))),
    addresses: addresses(chance, 1),
    isScattered: false,
    looks: [{ share: 1, dkimResults: [], spfResults: [spf], dkim: "fail", spf: "fail" }],
  };
}

// Forwarders hand on mail of every way the domain sends, in proportion.
function forwarders(name: string, origins: readonly Origin[], chance: Chance): Sender[] {
  const { median, sigma, max } = PARAMETERS.forwardedShare;
  const share = Math.min(max, chance.logNormal(median, sigma));
  const total = origins.reduce((sum, { perDay }) => sum + perDay, 0);
  const weights = Array.from({ length: 1 + chance.poisson(4) }, () => chance.logNormal(1, PARAMETERS.forwarders.sigma));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => forwarder(name, { origins, perDay: (share * total * weight) / all }, chance));
}

/** Share of the mail a forwarder changes so that signatures break. */
function breaksOf(chance: Chance): number {
  const { breaking, intermittent, some, few } = PARAMETERS.forwarders;
  const drawn = chance.random();
  if (drawn < breaking) return 1;
  return drawn < breaking + intermittent ? chance.logBetween(some.low, some.high) : few;
}

interface Forwarding {
  origins: readonly Origin[];
  perDay: number;
}

function forwarder(name: string, { origins, perDay }: Forwarding, chance: Chance): Sender {
  const p = PARAMETERS;
  const isRewriting = chance.happens(p.rewritingForwarders);
  const host = chance.happens(0.3) ? chance.pick(MAILBOXES) : `forward${Math.floor(chance.random() * 1e6)}.example`;
  const spf = isRewriting ? spfResult(host, "pass") : spfResult(name, "softfail");
  const itself = chance.happens(p.signingForwarders) ? [pass(host, "forward")] : [];
  const breaks = breaksOf(chance);
  const total = origins.reduce((sum, origin) => sum + origin.perDay, 0);
  const look = (share: number, dkimResults: DkimAuthResult[], dkim: "pass" | "fail"): Look => ({
    share,
    dkimResults: [...dkimResults, ...itself],
    spfResults: [spf],
    dkim,
    spf: "fail",
  });
  return {
    label: "forwarder",
    isLegitimate: true,
    isIndirect: true,
    rate: steady(perDay),
    addresses: addresses(chance, 1 + chance.poisson(1)),
    isScattered: false,
    host,
    looks: origins.flatMap(({ selector, perDay: sent }): Look[] => {
      const share = sent / total;
      if (selector === undefined) return [look(share, [], "fail")];
      return [
        look(share * (1 - breaks), [pass(name, selector)], "pass"),
        look(share * breaks, [broken(name, selector)], "fail"),
      ];
    }),
  };
}

function lists(name: string, { selector, perDay }: Origin, chance: Chance): Sender[] {
  const p = PARAMETERS;
  if (!chance.happens(p.listDomains) || chance.happens(p.rewritingLists)) return [];
  const { median, sigma, max } = p.listShare;
  const host = chance.happens(0.5) ? chance.pick(KNOWN_LISTS) : `lists${Math.floor(chance.random() * 1e6)}.example`;
  const signed = selector === undefined ? [] : [broken(name, selector)];
  const own = chance.happens(0.5) ? [pass(host, "list")] : [];
  return [
    {
      label: "list",
      isLegitimate: true,
      isIndirect: true,
      rate: steady(perDay * Math.min(max, chance.logNormal(median, sigma))),
      addresses: addresses(chance, 1),
      host,
      isScattered: false,
      looks: [
        {
          share: 1,
          dkimResults: [...signed, ...own],
          spfResults: [spfResult(host, "pass")],
          dkim: "fail",
          spf: "fail",
        },
      ],
    },
  ];
}

function spoofers(name: string, chance: Chance): Sender[] {
  const p = PARAMETERS;
  const monthly = (): number => chance.logNormal(p.spoofedMessages.median, p.spoofedMessages.sigma);
  const foreign = { isLegitimate: false, isIndirect: false, isScattered: false };
  const unauthenticated: Look = {
    share: 1,
    dkimResults: [],
    spfResults: [spfResult(name, "softfail")],
    dkim: "fail",
    spf: "fail",
  };
  const asItself = (domain: string): Look => ({ ...unauthenticated, spfResults: [spfResult(domain, "pass")] });
  const senders: Sender[] = [];
  if (chance.happens(p.botnets)) {
    const campaign = inBursts(monthly() / 30, chance.pick([5, 10, 20]), Math.floor(chance.between(0, 20)));
    senders.push({
      ...foreign,
      label: "botnet",
      rate: campaign,
      addresses: [],
      isScattered: true,
      looks: [
        { ...unauthenticated, share: 1 - p.spoofedFromAccounts },
        { ...unauthenticated, share: p.spoofedFromAccounts, isFromAccounts: true },
      ],
    });
  }
  if (chance.happens(p.steadySpoofers)) {
    const rate = steady(monthly() / 30);
    senders.push({
      ...foreign,
      label: "steadySpoofer",
      rate,
      addresses: addresses(chance, 2),
      looks: [unauthenticated],
    });
  }
  if (chance.happens(p.spammersPassingSpf)) {
    const once = inBursts(monthly() / 30, chance.pick([10, 30]), Math.floor(chance.between(0, 30)));
    const domain = `spam${Math.floor(chance.random() * 1e6)}.example`;
    const signed = chance.happens(p.spammersSigning) ? [pass(domain, "spam")] : [];
    senders.push({
      ...foreign,
      label: "spammer",
      rate: once,
      addresses: addresses(chance, 3),
      host: domain,
      looks: [{ ...asItself(domain), dkimResults: signed }],
    });
  }
  if (chance.happens(p.spoofersByMailbox)) {
    const rate = inBursts(monthly() / 60, 15, Math.floor(chance.between(0, 15)));
    const host = chance.pick(MAILBOXES);
    const looks = [asItself(host)];
    senders.push({ ...foreign, label: "mailboxSpoofer", rate, addresses: addresses(chance, 4), host, looks });
  }
  return senders;
}

/** Where a handful of a scattered sender's messages comes from: an address nobody used before, and what SPF says of it. */
export function scattered(
  { spfResults, isFromAccounts }: Look,
  chance: Chance,
): Pick<AggregateRecord, "sourceIp" | "spfResults"> {
  const account = `account${Math.floor(chance.random() * 1e6)}.example`;
  return {
    sourceIp: newAddress(chance),
    spfResults: isFromAccounts === true ? [spfResult(account, "pass")] : spfResults,
  };
}
