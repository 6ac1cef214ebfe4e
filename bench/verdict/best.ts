/**
 * What the best verdict there can be would come to. It knows what no report tells: whose each message is. Where mail at all receivers
 * counts, it also knows what was really lost at those that report, how much was sent in all, and at what rate each sender sends and
 * fails; not what was lost at receivers that send no reports. Where only mail at receivers that report counts, it knows what they
 * wrote; not which failing messages they let through without saying so. Pure.
 */
import { RECEIVERS } from "./parameters.ts";
import type { SimulatedDomain } from "./senders.ts";
import type { ReportedRecord } from "./traffic.ts";

/** Messages each of which was lost with a probability. */
export interface Perhaps {
  messages: number;
  probability: number;
}

/** What it knows of a domain. */
export interface Known {
  legitimate: number;
  /** Lost for certain. */
  lost: number;
  /** Messages that can be expected to be lost at receivers that send no reports. */
  unseen?: number;
  /** What receivers that report may have lost. */
  perhaps?: readonly Perhaps[];
}

/** The probability that less than a share of the legitimate mail was lost; losses that nobody sees come by chance (Poisson). */
export function chanceOfLess(maxShare: number, { legitimate, lost, unseen = 0, perhaps = [] }: Known): number {
  if (legitimate === 0) return 1;
  const left = Math.ceil(maxShare * legitimate) - 1 - lost;
  const mean = perhaps.reduce((sum, { messages, probability }) => sum + messages * probability, 0);
  // Ten standard deviations above what may be lost, there is nothing to add up.
  if (left < 0 || mean - 10 * Math.sqrt(mean) > left) return 0;
  // Probabilities of 0, 1, … `left` more; what is above need not be distinguished.
  let chances = Array.from({ length: left + 1 }, () => 0);
  chances[0] = 1;
  for (const { messages, probability } of perhaps) {
    for (let i = 0; i < messages; i++) {
      chances = chances.map((chance, count) => chance * (1 - probability) + (chances[count - 1] ?? 0) * probability);
    }
  }
  const upTo = poissonUpTo(unseen, left);
  return chances.reduce((sum, chance, count) => sum + chance * (upTo[left - count] ?? 0), 0);
}

/** The probabilities of at most 0, 1, … `most` where `expected` are expected. */
function poissonUpTo(expected: number, most: number): number[] {
  let term = Math.exp(-expected);
  const upTo = [term];
  for (let count = 1; count <= most; count++) {
    term *= expected / count;
    upTo.push((upTo[count - 1] ?? 0) + term);
  }
  return upTo;
}

/**
 * What of reported mail was lost, as far as its reports say: legitimate mail that fails is, unless somebody handed it on; then a receiver
 * may have let it through. Receivers that name reasons say so, and under quarantine the disposition does.
 *
 * @param policy as published
 */
export function mayBeLost(
  records: readonly ReportedRecord[],
  policy: SimulatedDomain["policy"],
): { certain: number; perhaps: Perhaps[] } {
  let certain = 0;
  const perhaps: Perhaps[] = [];
  for (const { record, receiver, isLegitimate, isIndirect } of records) {
    const { dkim, spf, disposition, reasons, count } = record;
    if (!isLegitimate || dkim === "pass" || spf === "pass" || reasons.length > 0) continue;
    const by = RECEIVERS.find(({ name }) => name === receiver);
    const isKnown = policy !== "none" || by === undefined || by.namesReasons;
    if (isIndirect && policy !== "none" && disposition === "none") continue;
    if (!isIndirect || isKnown) certain += count;
    else perhaps.push({ messages: count, probability: 1 - by.exempts });
  }
  return { certain, perhaps };
}

/** What it can reach. */
export interface AtBest {
  /** The largest recall with at least the precision that is asked for. */
  recall: number;
  /** The largest precision with at least the recall that is asked for. */
  precision: number;
}

/**
 * The best by calling the likeliest domains ready, and no others: as can be expected by the probabilities, without the luck of these
 * domains.
 *
 * @param chances of each domain that it is ready
 */
export function atBest(chances: readonly number[], goal: AtBest): AtBest {
  const expected = chances.reduce((sum, chance) => sum + chance, 0);
  const best: AtBest = { recall: 0, precision: 0 };
  let right = 0;
  for (const [called, chance] of [...chances].sort((a, b) => b - a).entries()) {
    right += chance;
    const precision = right / (called + 1);
    const recall = right / expected;
    if (precision >= goal.precision) best.recall = recall;
    if (recall >= goal.recall && best.precision === 0) best.precision = precision;
  }
  return best;
}
