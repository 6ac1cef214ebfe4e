/** What a process takes of memory, as Linux tells it; elsewhere it fails. */
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

/** Runs something and watches a process meanwhile. */
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

function statusBytes(pid: number, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes) * 1024;
}
