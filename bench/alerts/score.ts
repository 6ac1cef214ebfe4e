/** Compares the notices about simulated domains with their labels. Pure. */
import { mulberry32 } from "../../local/random.ts";
import type { RuleCode } from "../../shared/watch/finding.ts";
import { type Chance, chanceOf } from "../verdict/chance.ts";
import { answersAbout } from "../verdict/internet.ts";
import { AS_THEY_ARE } from "../verdict/parameters.ts";
import { type Sender, type SimulatedDomain, simulateDomain } from "../verdict/senders.ts";
import { type ReportedRecord, sendMail } from "../verdict/traffic.ts";
import { ReportedDays } from "./days.ts";
import { inject, KINDS, type Kind, type Label } from "./incidents.ts";
import { BENCH } from "./parameters.ts";
import { type Told, watchDomain } from "./watch.ts";
import { Zone } from "./zone.ts";

/** A label with what became of it. */
export interface Outcome {
  kind: Kind;
  /** First day on which reports show it; undefined: they never do. */
  shownDay: number | undefined;
  /** Days from then to the first notice sent at once, and to the first of any kind; undefined: there was none. */
  toldAfter: number | undefined;
  digestAfter: number | undefined;
  isCauseRight: boolean;
}

/** What was found of one domain. */
export interface WatchedDomain {
  outcomes: Outcome[];
  /** Notices that nothing true is behind. */
  falseAlarms: { day: number; rule: RuleCode; subject: string; isImmediate: boolean }[];
  /** Notices about what is not labelled: senders and campaigns that begin in the simulation by themselves. */
  natural: number;
  notices: number;
}

/** Simulates a domain with as many incidents as it has room for, and watches it. */
export function watchOne(seed: number, number: number, wanted: number): WatchedDomain {
  const chance = chanceOf(mulberry32((seed * 1_000_003 + number) * 0x9e3779b9));
  const domain = simulateDomain(`domain${number}.example`, chance);
  const perDay = domain.senders.filter(({ isLegitimate }) => isLegitimate).reduce((sum, { rate }) => sum + rate(1), 0);
  const zone = new Zone(domain.name, domain.policy, { perDay, chance });
  const natural = naturalStarts(domain);
  const labels = injectSome(domain, zone, { chance, wanted });
  const seen = BENCH.learnedDays + BENCH.watchedDays;
  const { reported } = sendMail(domain, chance, { simulated: seen, seen });
  const arrived = reported.filter(({ day, receiver }) => !zone.isSilent(receiver, day));
  const lost = new Set<string>();
  const kept = arrived.filter(({ day, receiver }) => {
    const key = `${day} ${receiver}`;
    if (!lost.has(`seen ${key}`)) {
      lost.add(`seen ${key}`);
      if (chance.happens(BENCH.lostReports)) lost.add(key);
    }
    return !lost.has(key);
  });
  const addresses = new Set(kept.map(({ record }) => record.sourceIp));
  const drawing = { chance: chanceOf(mulberry32((seed * 7_000_003 + number) * 0x9e3779b9)), stretch: AS_THEY_ARE };
  const knowledge = answersAbout(domain, addresses, drawing);
  const told = watchDomain(domain, { zone, knowledge }, new ReportedDays(domain.name, kept));
  return score(labels, told, { records: kept, natural });
}

/** Days on which senders begin that the simulation has by itself: what a rule says of them is true. */
function naturalStarts({ senders }: SimulatedDomain): number[] {
  const startOf = ({ rate }: Sender): number => {
    for (let day = 0; day < BENCH.learnedDays + BENCH.watchedDays; day++) if (rate(day) > 0) return day;
    return -1;
  };
  return senders.map(startOf).filter((day) => day > 14);
}

/** Kinds that few domains have what it takes for: they come first where it can be. */
const IN_MAIL: ReadonlySet<Kind> = new Set([
  "dkimKeyGone",
  "newSelector",
  "signingStopped",
  "spfChanged",
  "policyTightened",
]);

function injectSome(
  domain: SimulatedDomain,
  zone: Zone,
  { chance, wanted }: { chance: Chance; wanted: number },
): Label[] {
  const labels: Label[] = [];
  let firstDay = BENCH.learnedDays + Math.floor(chance.between(2, 12));
  while (labels.length < wanted && firstDay < BENCH.learnedDays + BENCH.watchedDays - BENCH.incidentDays - 4) {
    const isInMail = chance.happens(BENCH.inMail);
    const order = (kind: Kind): number => chance.random() + (isInMail && !IN_MAIL.has(kind) ? 1 : 0);
    const kinds = KINDS.map((kind) => ({ kind, order: order(kind) })).sort((a, b) => a.order - b.order);
    for (const { kind } of kinds) {
      const label = inject(kind, { domain, zone, firstDay, chance });
      if (label === undefined) continue;
      labels.push(label);
      break;
    }
    firstDay += BENCH.daysBetween + Math.floor(chance.between(0, 6));
  }
  return labels;
}

interface Truth {
  records: readonly ReportedRecord[];
  natural: readonly number[];
}

function score(labels: readonly Label[], told: readonly Told[], truth: Truth): WatchedDomain {
  const opened = told.filter(({ notice }) => notice.step === "opened");
  let natural = 0;
  const falseAlarms: WatchedDomain["falseAlarms"] = [];
  for (const { day, notice } of opened) {
    // What is found at the first look at a domain is announced in the digest, and is no alarm.
    if (day === BENCH.learnedDays || notice.severity === "info") continue;
    if (labels.some((label) => mayBeAbout(label, notice.rule, day))) continue;
    const isNatural = notice.rule === "newSender" && truth.natural.some((start) => day > start && day <= start + 14);
    if (isNatural) natural++;
    else
      falseAlarms.push({
        day,
        rule: notice.rule,
        subject: notice.subject,
        isImmediate: notice.urgency === "immediate",
      });
  }
  return {
    outcomes: labels.map((label) => outcomeOf(label, opened, truth.records)),
    falseAlarms,
    natural,
    notices: told.length,
  };
}

/** Whether a notice may be about an incident: in its time, or, of what follows from it, shortly after. */
function mayBeAbout({ firstDay, lastDay, rules }: Label, rule: RuleCode, day: number): boolean {
  if (day <= firstDay) return false;
  if (rule === "verdictChanged") return day <= lastDay + BENCH.afterDaysOfVerdict;
  const follows: readonly RuleCode[] = ["passRateDrops", "ownSenderFails", "ownMailRefused", "recordBroke"];
  return day <= lastDay + BENCH.afterDays && (rules.includes(rule) || follows.includes(rule));
}

function outcomeOf(label: Label, opened: readonly Told[], records: readonly ReportedRecord[]): Outcome {
  const shownDay = shownDayOf(label, records);
  const about = opened.filter(
    ({ day, notice }) =>
      label.rules.includes(notice.rule) &&
      day > label.firstDay &&
      day <= label.lastDay + BENCH.afterDays &&
      (label.subject === undefined || notice.subject === label.subject || notice.rule !== label.rules[0]),
  );
  const immediate = about.find(({ notice }) => notice.urgency === "immediate");
  const after = (found: Told | undefined): number | undefined =>
    found === undefined || shownDay === undefined ? undefined : Math.max(0, found.day - shownDay);
  return {
    kind: label.kind,
    shownDay,
    toldAfter: after(immediate),
    digestAfter: after(about[0]),
    isCauseRight: label.causes.includes((immediate ?? about[0])?.causes[0] ?? ""),
  };
}

/** The day on whose morning reports of enough of its messages are there, or a check has been made. */
function shownDayOf(
  { firstDay, lastDay, isAffected, shownAfterDays }: Label,
  records: readonly ReportedRecord[],
): number | undefined {
  if (isAffected === undefined) return firstDay + (shownAfterDays ?? 1);
  let messages = 0;
  for (let day = firstDay; day <= lastDay; day++) {
    for (const { day: of, record } of records) {
      if (of === day && isAffected({ sourceIp: record.sourceIp, day })) messages += record.count;
    }
    if (messages >= BENCH.shownMessages) return day + 1;
  }
  return undefined;
}
