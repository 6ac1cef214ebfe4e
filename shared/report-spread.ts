/**
 * Counts of a report spread over its days: in proportion to the seconds of the period that lie in each, in whole numbers
 * whose sums are exact. Every message belongs to one day, with all that is said of it, so that a part of a day's messages is
 * never more than its messages, and figures of a day add up to its sums. Pure.
 */

/**
 * Apportions a count by the method of largest remainders; of equal ones the first gets more.
 *
 * @param weights what it is in proportion to, one above 0 at least
 * @returns whole numbers that add up to the count
 */
export function apportion(count: number, weights: readonly number[]): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = weights.map((weight) => floorOfProduct(count, weight, all));
  const remainder = (i: number): number => remainderOfProduct(count, weights[i] ?? 0, all);
  const order = weights.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || a - b);
  let left = count - parts.reduce((sum, part) => sum + part, 0);
  for (const i of order) {
    if (left === 0) break;
    parts[i] = (parts[i] ?? 0) + 1;
    left--;
  }
  return parts;
}

/**
 * Apportions counts that come one after the other, so that at the end each day has exactly what it is to have: the days are
 * halved again and again, and of the first n of all counted the first half gets n times its share, rounded down.
 */
export class Spreader {
  readonly #targets: readonly number[];
  #taken = 0;

  /** @param targets what each day is to have of all counts together */
  constructor(targets: readonly number[]) {
    this.#targets = targets;
  }

  /** @returns the next count by days: none below 0, together the count, while no more is taken than the targets add up to */
  take(count: number): number[] {
    const before = this.#firstOf(this.#taken, this.#targets);
    this.#taken += count;
    return this.#firstOf(this.#taken, this.#targets).map((part, i) => part - (before[i] ?? 0));
  }

  #firstOf(taken: number, targets: readonly number[]): number[] {
    if (targets.length <= 1) return [taken];
    const middle = Math.ceil(targets.length / 2);
    const [first, second] = [targets.slice(0, middle), targets.slice(middle)];
    const ofFirst = sumOf(first);
    const all = ofFirst + sumOf(second);
    const part = all === 0 ? 0 : floorOfProduct(taken, ofFirst, all);
    return [...this.#firstOf(part, first), ...this.#firstOf(taken - part, second)];
  }
}

/**
 * Counts by what they are of, spread over days.
 *
 * @param weights seconds of the period in each day
 * @returns what each day has of each: over all it has its share by largest remainders
 */
export function spreadCounts<Key>(
  counts: ReadonlyMap<Key, number>,
  weights: readonly number[],
): ReadonlyMap<Key, readonly number[]> {
  const spreader = new Spreader(apportion(sumOf([...counts.values()]), weights));
  return new Map([...counts].map(([key, count]) => [key, spreader.take(count)]));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

// A million records of a billion messages, times the seconds of a month, is more than a double counts exactly.
function floorOfProduct(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (Number.isSafeInteger(product)) return Math.floor(product / divisor);
  return Number((BigInt(a) * BigInt(b)) / BigInt(divisor));
}

function remainderOfProduct(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (Number.isSafeInteger(product)) return product % divisor;
  return Number((BigInt(a) * BigInt(b)) % BigInt(divisor));
}
