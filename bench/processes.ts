/** What this process and those it started take of the processor, by program. Linux only. */
import { readdirSync, readFileSync } from "node:fs";
import { cpuSeconds } from "./large-mail/memory.ts";

/** Processor seconds so far, by the name of the program; this process under `ownName`. Elsewhere than on Linux empty. */
export function cpuByProgram(ownName: string): Record<string, number> {
  const processes = new Map<number, { parent: number; name: string }>();
  for (const entry of listProcesses()) {
    try {
      const [, name = "", parent = "0"] = /\((.*)\) . (\d+)/s.exec(readFileSync(`/proc/${entry}/stat`, "utf8")) ?? [];
      processes.set(Number(entry), { parent: Number(parent), name });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(processes.get(pid)?.parent ?? 0));
  const sums: Record<string, number> = {};
  for (const [pid, { name }] of processes) {
    if (!isOurs(pid)) continue;
    const program = pid === process.pid ? ownName : name;
    sums[program] = (sums[program] ?? 0) + cpuSeconds(pid);
  }
  return sums;
}

/** What was taken between two looks, by program. */
export function cpuBetween(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
