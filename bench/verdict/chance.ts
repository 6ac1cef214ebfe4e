/** Draws from a seeded source of random numbers. Pure. */

/** Random numbers from 0 up to 1, and what is drawn with them. */
export interface Chance {
  random(): number;
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Evenly between, both included. */
  between(low: number, high: number): number;
  /** Log-evenly between. */
  logBetween(low: number, high: number): number;
  /** Log-normal by its median and the standard deviation of its logarithm. */
  logNormal(median: number, sigma: number): number;
  poisson(mean: number): number;
  /** How many of `count` have a property of this probability. */
  binomial(count: number, probability: number): number;
}

export function chanceOf(random: () => number): Chance {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const happens = (probability: number): boolean => random() < probability;
  const chance: Chance = {
    random,
    happens,
    pick<T>(list: readonly T[]): T {
      const found = list[Math.floor(random() * list.length)];
      if (found === undefined) throw new Error("Nothing to pick from.");
      return found;
    },
    between: (low, high) => low + random() * (high - low),
    logBetween: (low, high) => low * (high / low) ** random(),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    poisson(mean) {
      // Knuth's method takes as long as the mean is large; from here on the normal distribution is as good.
      if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = random(); product > limit; product *= random()) count++;
      return count;
    },
    binomial(count, probability) {
      if (probability <= 0 || count === 0) return 0;
      if (probability >= 1) return count;
      // Poisson's distribution, below, is near the binomial one for rare things only.
      if (probability > 0.5) return count - chance.binomial(count, 1 - probability);
      const mean = count * probability;
      if (mean > 50 && count - mean > 50) {
        const drawn = Math.round(mean + Math.sqrt(mean * (1 - probability)) * normal());
        return Math.min(count, Math.max(0, drawn));
      }
      if (count > 200) return Math.min(count, chance.poisson(mean));
      let found = 0;
      for (let i = 0; i < count; i++) if (happens(probability)) found++;
      return found;
    },
  };
  return chance;
}
