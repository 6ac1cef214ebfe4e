/**
 * How much failing mail is too much for `ready`, which promises that less than `maxLostShare` of the mail at receivers that send
 * reports would be lost. Pure.
 */
import { VERDICT_LIMITS } from "../limits.ts";

/**
 * Whether a number of failing messages that may be the owner's is too much: they break the promise, or are so near to it that the
 * receivers which send no reports, taken to lose mail as often, may well take the loss past it.
 *
 * @param hit failing messages in reports @param reported all messages in reports
 */
export function isTooMuch(hit: number, reported: number): boolean {
  return hit > 0 && (hit >= VERDICT_LIMITS.maxLostShare * reported || mayLoseMore(hit, reported));
}

/** Whether all receivers together may lose `maxLostShare` or more: at the others messages fail by chance (Poisson's distribution). */
function mayLoseMore(hit: number, reported: number): boolean {
  const { maxLostShare, unreportedShare, maxRisk } = VERDICT_LIMITS;
  const all = Math.round(reported / (1 - unreportedShare));
  const left = Math.ceil(maxLostShare * all) - 1 - hit;
  // Half a message more, since none among those reported does not mean none at all.
  const expected = ((hit + 0.5) * unreportedShare) / (1 - unreportedShare);
  return left < 0 || chanceOfMore(expected, left) > maxRisk;
}

/** The probability of more than `most` where `expected` are expected. */
function chanceOfMore(expected: number, most: number): number {
  // Of more than these the probability of none is no longer a number above 0: then as the normal distribution, nearly.
  if (expected > MOST_SUMMED) return 1 / (1 + Math.exp((1.702 * (most + 0.5 - expected)) / Math.sqrt(expected)));
  let term = Math.exp(-expected);
  let upTo = term;
  for (let count = 1; count <= most && (count < expected || upTo + term > upTo); count++) {
    term *= expected / count;
    upTo += term;
  }
  return 1 - upTo;
}

const MOST_SUMMED = 500;
