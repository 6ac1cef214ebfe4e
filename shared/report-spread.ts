/**
 * Spreads the counts of a report over its days: in proportion to the period's seconds on each day, in whole numbers
 * with exact sums. Every message is assigned to one day with all its attributes, so that a subset of a day's messages
 * never exceeds them, and a day's figures add up to its sums. Pure.
 */

/**
 * Apportions a count by the method of largest remainders; ties go to the first.
 *
 * @param weights the proportions, at least one above 0
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
 * Apportions a sequence of counts so that each day ends up with exactly its target: the days are halved recursively,
 * and of the first n counted the first half gets n times its share, rounded down.
 */
export class Spreader {
  readonly #targets: readonly number[];
  #taken = 0;

  /** @param targets the total for each day over all counts */
  constructor(targets: readonly number[]) {
    this.#targets = targets;
  }

  /**
   * @returns the next count split by day: none below 0, adding up to the count, as long as the targets are not exceeded
   */
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
 * Spreads counts by key over days.
 *
 * @param weights seconds of the period in each day
 * @returns the counts of each day, whose total is the day's share by largest remainders
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

// A million records of a billion messages each, times the seconds of a month, exceeds the exact range of a double.
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
