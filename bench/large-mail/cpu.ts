/** CPU time of a process by thread, as Linux counts it. */
import { readdirSync, readFileSync } from "node:fs";

/** CPU milliseconds, by thread group. */
export interface Cpu {
  /** The thread that runs JavaScript: what the platform counts, and workerd's own work on each call of a binding. */
  main: number;
  /** All threads, V8's compilers and collectors included. */
  all: number;
}

/** What a process has used so far; proc(5): the first field of a thread's schedstat is the time it ran, nanoseconds. */
export function cpuOf(pid: number): Cpu {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => ({
    isMain: Number(thread) === pid,
    milliseconds: Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6,
  }));
  const sum = (of: typeof threads): number => of.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return { main: sum(threads.filter(({ isMain }) => isMain)), all: sum(threads) };
}
