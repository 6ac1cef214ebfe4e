/** Timing in CPU time of the whole process: the collector's threads count, and waiting for a busy machine does not. */
import { Bench } from "tinybench";

/** CPU time this process has used, milliseconds. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Median CPU milliseconds of one run, after a warm-up; runs for about `milliseconds`, at least twice. */
export async function measure(run: () => unknown, milliseconds: number): Promise<number> {
  const bench = new Bench({
    now: cpuMilliseconds,
    time: milliseconds,
    iterations: 2,
    warmupIterations: 2,
    warmupTime: milliseconds / 2,
  });
  const [task] = await bench.add("run", run).run();
  if (task?.result.state !== "completed") throw new Error("the run failed", { cause: task?.result });
  return task.result.latency.p50;
}

/** The middle one of some numbers; of an even count the lower middle one. */
export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN;
}
