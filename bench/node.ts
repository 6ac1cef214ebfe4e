/**
 * The benchmarks under Node: every contestant in a process of its own, so that none has the garbage of another; they take
 * turns, round by round, so that a noisy minute meets all of them.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { CONTESTANTS, type Contestant } from "./contestants.ts";
import { type Amount, writeInputs } from "./inputs.ts";
import { median } from "./measure.ts";

/** One line of the table: what one core does in a second of CPU time. */
export interface Figure {
  name: string;
  /** Files, or mails. */
  filesPerSecond?: number;
  recordsPerSecond?: number;
  megabytesPerSecond?: number;
  /** Best round over median round: how steady the machine was. */
  bestOverMedian?: number;
  /** Times the baseline of the same group; absent for the baseline and where there is none. */
  timesBaseline?: number;
  /** Time over that of inflating alone. */
  timesInflating?: number;
}

export interface Effort {
  largeRecords: number;
  rounds: number;
  roundMilliseconds: number;
}

const run = promisify(execFile);

/** Measures every contestant. */
export async function underNode({ largeRecords, rounds, roundMilliseconds }: Effort): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
  try {
    const amounts = await writeInputs(folder, largeRecords);
    const times = new Map<Contestant, number[]>(CONTESTANTS.map((one) => [one, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [{ name }, measured] of times) {
        const child = resolve(import.meta.dirname, "contestant-child.ts");
        const { stdout } = await run(process.execPath, [child, name, folder, String(roundMilliseconds)]);
        measured.push(Number(stdout));
      }
    }
    return CONTESTANTS.map((one) => figure(one, times, amounts[one.input]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function figure(contestant: Contestant, times: Map<Contestant, number[]>, amount: Amount): Figure {
  const { name, group, role } = contestant;
  const timeOf = (one: Contestant | undefined): number => median((one && times.get(one)) ?? []);
  const other = (wanted: string): number =>
    timeOf([...times.keys()].find((one) => one.group === group && one.role === wanted));
  const milliseconds = timeOf(contestant);
  const perSecond = (count: number): number => (count / milliseconds) * 1000;
  const isCompared = role === undefined;
  return {
    name,
    ...(amount.files > 1 ? { filesPerSecond: perSecond(amount.files) } : {}),
    recordsPerSecond: perSecond(amount.records),
    ...(amount.files === 1 ? { megabytesPerSecond: perSecond(amount.xmlBytes / 1e6) } : {}),
    bestOverMedian: milliseconds / Math.min(...(times.get(contestant) ?? [])),
    ...(isCompared && other("baseline") > 0 ? { timesBaseline: other("baseline") / milliseconds } : {}),
    ...(isCompared && other("inflating") > 0 ? { timesInflating: milliseconds / other("inflating") } : {}),
  };
}
