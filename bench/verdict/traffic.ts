/**
 * The mail of a simulated domain, day by day and receiver by receiver: what receivers report of it, and, by the senders'
 * labels, how much legitimate mail p=reject would lose. The second is the truth; it knows nothing of the reports. Pure.
 */
import type { AggregateRecord, OverrideReason } from "../../shared/report/vocabulary.ts";
import type { DatedRecord } from "../../test/support/evidence.ts";
import type { Chance } from "./chance.ts";
import { DAYS, RECEIVERS, type Receiver } from "./parameters.ts";
import { type Look, type Sender, type SimulatedDomain, scattered } from "./senders.ts";

/** A record with the receiver that reported it. */
export interface ReportedRecord extends DatedRecord {
  receiver: string;
  /** By the label of its sender. */
  isLegitimate: boolean;
  isIndirect: boolean;
}

/** What becomes of a domain's mail. */
export interface Traffic {
  /** As reported in the days that a verdict sees. */
  reported: ReportedRecord[];
  /** The same with reports that somebody forged: their senders cannot be verified. */
  forged: DatedRecord[];
  /** Of the days that are judged, at all receivers, whether they report or not. */
  judged: Losses;
  /** Of all simulated days: also of senders that begin, or send again, after the days that are judged. */
  later: Losses;
  /** Distinct sending addresses that reports name. */
  sources: number;
}

/** What p=reject would have lost. */
export interface Losses {
  legitimate: number;
  /** Of these, those to receivers that send reports. */
  legitimateSeen: number;
  /** Of the legitimate ones, those that fail and whose receiver makes no exception. */
  lost: number;
  /** Of those, what receivers report: the rest nobody can see. */
  lostSeen: number;
  /** The same by label of their sender. */
  lostSeenByLabel: Record<string, number>;
}

/**
 * The share of a domain's legitimate mail that p=reject can be expected to lose in some days: by its senders' rates and how often each
 * of them fails, whatever happened to fail in those days.
 */
export function expectedLoss(domain: SimulatedDomain, days: number): number {
  const { sent, lost } = expectedAt(RECEIVERS, domain, days);
  return sent === 0 ? 0 : lost / sent;
}

/** The same share of the mail to receivers that send reports. */
export function expectedReportedLoss(domain: SimulatedDomain, days: number): number {
  const { sent, lost } = expectedAt(
    RECEIVERS.filter(({ reports }) => reports),
    domain,
    days,
  );
  return sent === 0 ? 0 : lost / sent;
}

/** The legitimate messages that p=reject can be expected to lose at receivers that send no reports. */
export function expectedUnseenLoss(domain: SimulatedDomain, days: number): number {
  return expectedAt(
    RECEIVERS.filter(({ reports }) => !reports),
    domain,
    days,
  ).lost;
}

function expectedAt(
  receivers: readonly Receiver[],
  { senders }: SimulatedDomain,
  days: number,
): { sent: number; lost: number } {
  const expected = { sent: 0, lost: 0 };
  const share = receivers.reduce((sum, one) => sum + one.share, 0);
  const exempted = receivers.reduce((sum, one) => sum + one.share * one.exempts, 0);
  for (const { isLegitimate, isIndirect, rate, looks } of senders) {
    if (!isLegitimate) continue;
    const messages = Array.from({ length: days }, (_, day) => rate(day)).reduce((sum, one) => sum + one, 0);
    const failing = looks.reduce((sum, look) => sum + (isFailing(look) ? look.share : 0), 0);
    expected.sent += messages * share;
    expected.lost += messages * failing * (share - (isIndirect ? exempted : 0));
  }
  return expected;
}

function isFailing({ dkim, spf }: Look): boolean {
  return dkim === "fail" && spf === "fail";
}

function noLosses(): Losses {
  return { legitimate: 0, legitimateSeen: 0, lost: 0, lostSeen: 0, lostSeenByLabel: {} };
}

/** Sends a domain's mail. @param days how many are simulated, and of how many there are reports */
export function sendMail(domain: SimulatedDomain, chance: Chance, days: Days = DAYS): Traffic {
  const traffic: Traffic = { reported: [], forged: [], judged: noLosses(), later: noLosses(), sources: 0 };
  for (const sender of domain.senders) {
    for (let day = 0; day < days.simulated; day++) {
      const messages = chance.poisson(sender.rate(day));
      let rest = messages;
      let restShare = 1;
      for (const receiver of RECEIVERS) {
        if (rest === 0) break;
        const count = chance.binomial(rest, Math.min(1, receiver.share / restShare));
        rest -= count;
        restShare -= receiver.share;
        if (count > 0) deliver({ domain, sender, receiver, day, count, seenDays: days.seen }, traffic, chance);
      }
    }
  }
  if (domain.hasForgedReports) traffic.forged = forgeReports(domain, chance);
  traffic.sources = new Set(traffic.reported.map(({ record }) => record.sourceIp)).size;
  return traffic;
}

interface Delivery {
  domain: SimulatedDomain;
  sender: Sender;
  receiver: Receiver;
  day: number;
  count: number;
  seenDays: number;
}

interface Days {
  simulated: number;
  seen: number;
}

function deliver(delivery: Delivery, traffic: Traffic, chance: Chance): void {
  const { sender, receiver, count, seenDays } = delivery;
  let rest = count;
  let restShare = 1;
  for (const look of sender.looks) {
    const messages = chance.binomial(rest, Math.min(1, look.share / restShare));
    rest -= messages;
    restShare -= look.share;
    if (messages === 0) continue;
    const exempted = isFailing(look) && sender.isIndirect ? chance.binomial(messages, receiver.exempts) : 0;
    if (sender.isLegitimate) {
      const lost = isFailing(look) ? messages - exempted : 0;
      const part = { label: sender.label, messages, lost, isSeen: receiver.reports };
      addLosses(traffic.later, part);
      if (delivery.day < seenDays) addLosses(traffic.judged, part);
    }
    if (!receiver.reports || delivery.day >= seenDays) continue;
    report(delivery, { look, messages: messages - exempted, isExempted: false }, { traffic, chance });
    report(delivery, { look, messages: exempted, isExempted: true }, { traffic, chance });
  }
}

interface Part {
  label: string;
  messages: number;
  lost: number;
  isSeen: boolean;
}

function addLosses(losses: Losses, { label, messages, lost, isSeen }: Part): void {
  losses.legitimate += messages;
  losses.lost += lost;
  if (isSeen) {
    losses.legitimateSeen += messages;
    losses.lostSeen += lost;
    if (lost > 0) losses.lostSeenByLabel[label] = (losses.lostSeenByLabel[label] ?? 0) + lost;
  }
}

interface Outcome {
  look: Look;
  messages: number;
  isExempted: boolean;
}

function report(
  { domain, sender, receiver, day }: Delivery,
  { look, messages, isExempted }: Outcome,
  { traffic, chance }: { traffic: Traffic; chance: Chance },
): void {
  const policy = domain.policyOn?.(day) ?? domain.policy;
  const disposition = isFailing(look) && !isExempted ? policy : "none";
  const reasons: OverrideReason[] = isExempted && receiver.namesReasons ? [reasonOf(sender, chance)] : [];
  const write = (count: number, from: Pick<AggregateRecord, "sourceIp" | "spfResults">): void => {
    const { dkim, spf, dkimResults } = look;
    const record: AggregateRecord = {
      ...from,
      count,
      disposition,
      rawDisposition: disposition,
      dkim,
      spf,
      reasons,
      headerFrom: domain.name,
      envelopeFrom: "",
      envelopeTo: "",
      dkimResults,
    };
    const { isLegitimate, isIndirect } = sender;
    traffic.reported.push({ day, record, receiver: receiver.name, isLegitimate, isIndirect });
  };
  if (!sender.isScattered) {
    for (const [sourceIp, count] of spread(messages, sender.addresses, chance)) {
      write(count, { sourceIp, spfResults: look.spfResults });
    }
    return;
  }
  for (let rest = messages; rest > 0; ) {
    const count = Math.min(rest, 1 + Math.floor(chance.random() * 3));
    write(count, scattered(look, chance));
    rest -= count;
  }
}

/** Messages by the address that sent them, any as likely as the others. */
function spread(messages: number, addresses: readonly string[], chance: Chance): [string, number][] {
  if (messages < addresses.length) {
    const counts = new Map<string, number>();
    for (let i = 0; i < messages; i++) {
      const address = chance.pick(addresses);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    return [...counts];
  }
  let rest = messages;
  return addresses
    .map((address, i): [string, number] => {
      const count = chance.binomial(rest, 1 / (addresses.length - i));
      rest -= count;
      return [address, count];
    })
    .filter(([, count]) => count > 0);
}

// As Google and Fastmail write them.
function reasonOf({ label }: Sender, chance: Chance): OverrideReason {
  if (label === "list") return { type: "mailing_list", rawType: "mailing_list", comment: "" };
  return chance.happens(0.5)
    ? { type: "local_policy", rawType: "local_policy", comment: "arc=pass" }
    : { type: "forwarded", rawType: "forwarded", comment: "" };
}

/** Reports that make it look as if the domain's own server failed, steadily. */
function forgeReports(domain: SimulatedDomain, chance: Chance): DatedRecord[] {
  const perDay = chance.logBetween(5, 500);
  return Array.from({ length: DAYS.seen }, (_, day) => ({
    day,
    record: {
      sourceIp: "192.0.2.66",
      count: Math.ceil(perDay),
      disposition: domain.policy,
      rawDisposition: domain.policy,
      dkim: "fail",
      spf: "fail",
      reasons: [],
      headerFrom: domain.name,
      envelopeFrom: "",
      envelopeTo: "",
      dkimResults: [],
      spfResults: [],
    },
  }));
}
