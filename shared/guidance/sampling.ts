/**
 * What the reported part of a domain's mail says about all of it: some receivers send no reports, and small domains
 * have few messages. Pure.
 */
import { VERDICT_LIMITS } from "../limits.ts";

/**
 * The most messages that may be lost, at all receivers, to stay below `maxLostShare`. @param reported messages in
 * reports
 */
export function mostToLose(reported: number): number {
  const all = Math.round(reported / (1 - VERDICT_LIMITS.unreportedShare));
  return Math.ceil(VERDICT_LIMITS.maxLostShare * all) - 1;
}

/**
 * Whether this many failing messages that may be the owner's break the promise of `ready`. @param reported as for
 * `mostToLose`
 */
export function isTooMuch(hit: number, reported: number): boolean {
  return hit > 0 && (hit > VERDICT_LIMITS.maxHitShare * reported || mayLoseTooMuch(hit, reported));
}

/**
 * Whether a policy may cost `maxLostShare` of the mail or more, once receivers that send no reports are counted as well: their
 * messages are expected to fail as often as the reported ones, and come by chance (Poisson's distribution).
 * @param hit failing messages in reports @param reported all messages in reports
 */
function mayLoseTooMuch(hit: number, reported: number): boolean {
  const left = mostToLose(reported) - hit;
  if (left < 0) return true;
  const { unreportedShare, maxRisk } = VERDICT_LIMITS;
  // Half a message more, since none among those reported does not mean none at all.
  const expected = ((hit + 0.5) * unreportedShare) / (1 - unreportedShare);
  return chanceOfMore(expected, left) > maxRisk;
}

/** The probability of more than `most` where `expected` are expected. */
function chanceOfMore(expected: number, most: number): number {
  let term = Math.exp(-expected);
  let upTo = term;
  for (let count = 1; count <= most; count++) {
    term *= expected / count;
    upTo += term;
  }
  return 1 - upTo;
}
