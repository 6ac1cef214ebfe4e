/** What a process takes of memory and of the processor, as Linux tells it; elsewhere it fails. */
import { readFileSync, writeFileSync } from "node:fs";

/** What the memory of a process grew by while something ran, bytes. */
export interface Growth {
  /** At most: resident memory, as the system counts it; pages of workerd's own program that were needed are in it. */
  peak: number;
  /** At most: memory that is of no file, looked at every few milliseconds. */
  anonymousPeak: number;
  /** At the end, of no file. */
  anonymousAfter: number;
}

const SAMPLE_MILLISECONDS = 5;
/** USER_HZ, the same on every Linux of today. */
const TICKS_PER_SECOND = 100;

/** Runs something and watches a process meanwhile; of one that ends, what was seen until then. */
export async function watchProcess(pid: number, run: () => Promise<void>): Promise<Growth> {
  const before = statusBytes(pid, "VmRSS");
  const anonymousBefore = statusBytes(pid, "RssAnon");
  // Forgets the peak so far.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  let anonymous = anonymousBefore;
  const timer = setInterval(() => {
    anonymous = Math.max(anonymous, statusBytes(pid, "RssAnon"));
  }, SAMPLE_MILLISECONDS);
  await run().finally(() => clearInterval(timer));
  const after = statusBytes(pid, "RssAnon");
  return {
    peak: statusBytes(pid, "VmHWM") - before,
    anonymousPeak: Math.max(anonymous, after) - anonymousBefore,
    anonymousAfter: after - anonymousBefore,
  };
}

/** Processor time of all threads of a process so far, seconds, to a hundredth; 0 of one that has ended. */
export function cpuSeconds(pid: number): number {
  // proc(5): the name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
  const fields = readProcessFile(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11] ?? "0") + Number(fields[12] ?? "0")) / TICKS_PER_SECOND;
}

// 0 of a process that has ended.
function statusBytes(pid: number, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readProcessFile(pid, "status"))?.[1];
  return Number(kibibytes ?? "0") * 1024;
}

function readProcessFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
