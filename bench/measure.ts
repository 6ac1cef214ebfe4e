/**
 * Timing with tinybench, in CPU time of the whole process (so the collector's threads count, and waiting for a busy
 * machine does not). Contestants take turns, round by round, so that a noisy minute meets all of them.
 */
import { Bench } from "tinybench";

/** One thing to time. */
export interface Contestant {
  name: string;
  run: () => unknown;
  /** Milliseconds of CPU time to spend on it in one round; at least two runs are made. */
  roundMilliseconds: number;
}

/** CPU time this process has used, milliseconds. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Median CPU milliseconds of one run of each contestant, over all rounds, after a warm-up of each. */
export async function measure(contestants: Contestant[], rounds: number): Promise<Map<string, number>> {
  const medians = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run, roundMilliseconds: time } of contestants) {
      const warmup = round === 0;
      const bench = new Bench({
        now: cpuMilliseconds,
        time,
        iterations: 2,
        warmup,
        warmupIterations: 1,
        warmupTime: time / 2,
      });
      await bench.add(name, run).run();
      const result = bench.getTask(name)?.result;
      if (result?.state !== "completed") throw new Error(`${name}: ${JSON.stringify(result)}`, { cause: result });
      medians.get(name)?.push(result.latency.p50);
    }
  }
  return new Map([...medians].map(([name, values]) => [name, median(values)]));
}

/** The middle one of some numbers; of an even count the lower middle one. */
export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN;
}
