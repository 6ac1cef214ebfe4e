/**
 * What the best verdict there can be would come to. It knows what no report tells: whose each message is, what was really lost at
 * each receiver that reports, how much was sent in all, and at what rate each sender sends and fails. It does not know what was
 * lost at receivers that send no reports. Pure.
 */

/** What it knows of a domain. */
export interface Known {
  legitimate: number;
  /** Lost at receivers that report. */
  lostSeen: number;
  /** Messages that can be expected to be lost at the others. */
  expectedUnseen: number;
}

/** The probability that less than a share of the legitimate mail was lost: losses that nobody sees come by chance (Poisson). */
export function chanceOfLess(maxShare: number, { legitimate, lostSeen, expectedUnseen }: Known): number {
  if (legitimate === 0) return 1;
  const left = Math.ceil(maxShare * legitimate) - 1 - lostSeen;
  if (left < 0) return 0;
  let term = Math.exp(-expectedUnseen);
  let upTo = term;
  for (let count = 1; count <= left; count++) {
    term *= expectedUnseen / count;
    upTo += term;
  }
  return upTo;
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
