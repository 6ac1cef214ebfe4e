/**
 * The log of one run of the stack: a separate file in the state folder, and lines for people. A full disk loses lines
 * but never stops the stack.
 */
import { createWriteStream, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export interface Log {
  path: string;
  /** A line to the file. */
  write(line: string): void;
  /** A line for people. */
  show(line: string): void;
  /** Shows a problem when it appears and when it is over; returns it. */
  showOnce(problem: string | undefined): string | undefined;
  close(): void;
}

/** Ours: logs of earlier starts that are kept. */
const KEPT_LOGS = 10;

/** Opens the log of a run and removes the oldest ones. @param show absent = nothing is shown */
export function openLog(stateDir: string, show: (line: string) => void = () => undefined): Log {
  const folder = join(stateDir, "logs");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const old = readdirSync(folder).filter((name) => name.endsWith(".log"));
  for (const name of old.sort().slice(0, -KEPT_LOGS)) rmSync(join(folder, name), { force: true });
  const path = join(folder, `${new Date().toISOString().replaceAll(":", "").slice(0, 17)}.log`);
  const file = createWriteStream(path, { flags: "a", mode: 0o600 });
  // A full disk must not end the stack, and a child's last lines may come after the end.
  file.on("error", () => undefined);
  let hasProblem = false;
  const showOnce = (problem: string | undefined): string | undefined => {
    if (problem !== undefined && !hasProblem) show(`error     ${problem} Mail gets 452 until there is room.`);
    if (problem === undefined && hasProblem) show("start     there is room on the disk again; mail is taken");
    hasProblem = problem !== undefined;
    return problem;
  };
  return { path, write: (line) => void file.write(`${line}\n`), show, showOnce, close: () => void file.end() };
}
