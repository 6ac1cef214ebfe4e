/**
 * The state folder of a local stack: made if it is missing, closed to other users of the machine, and checked for room.
 * Problems with it become a sentence that says what to do. It never reads what the parts of the stack keep in it.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { secretPath } from "./secret.ts";

/** The folders below it. */
export const STATE_FOLDERS = ["analytics", "analytics-journal", "logs", "run", "v3"] as const;

/** Ours: below it nothing is started and no mail is taken. The largest mail, twice, and what is written about it. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

/** A start that cannot succeed for a reason outside the program, said in one or two sentences for people. */
export class StartError extends Error {
  override name = "StartError";
}

/**
 * Makes the folder ready for use: nothing in it can be read or changed by anybody but its owner.
 *
 * @throws StartError when it cannot be written or has no room
 */
export function prepareStateFolder(stateDir: string): void {
  try {
    closeToOthers(stateDir);
    const probe = join(stateDir, "run", "probe");
    writeFileSync(probe, "x");
    rmSync(probe);
  } catch (error) {
    throw new StartError(explainFault(stateDir, error));
  }
  const problem = roomProblem(stateDir);
  if (problem !== undefined) throw new StartError(`${problem} Free some space, or choose another folder with --state.`);
}

/**
 * How many databases the ledger has, which is noted in the folder: never fewer than before, as accounts live in them.
 *
 * @param wanted undefined = as many as there are, one at first
 * @throws StartError when fewer are wanted, or the note cannot be read
 */
export function keptDatabases(stateDir: string, wanted: number | undefined): number {
  const path = join(stateDir, "databases");
  const noted = existsSync(path) ? Number(readFileSync(path, "utf8")) : 1;
  if (!Number.isInteger(noted) || noted < 1) {
    throw new StartError(`${path} must hold how many databases the ledger has: 1, unless --databases was given.`);
  }
  const count = wanted ?? noted;
  if (count < noted) {
    throw new StartError(
      `The ledger in ${stateDir} has ${noted} databases, and accounts may live in each of them; give --databases ${noted} or more.`,
    );
  }
  if (count !== noted) writeFileSync(path, `${count}\n`, { mode: 0o600 });
  return count;
}

/** Says that the disk of the folder is as good as full; undefined while there is room. */
export function roomProblem(stateDir: string): string | undefined {
  const { bavail, bsize } = statfsSync(stateDir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= MIN_FREE_BYTES) return undefined;
  const [free, needed] = [freeBytes, MIN_FREE_BYTES].map((bytes) => Math.floor(bytes / 1024 / 1024));
  return `The disk of the state folder ${stateDir} is full: ${free} MiB are free, and ${needed} MiB are needed.`;
}

/** What a fault of the file system means for the folder, and what to do. */
export function explainFault(stateDir: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return `The disk of the state folder ${stateDir} is full (${reason}). Free some space, or choose another folder with --state.`;
  }
  const what = `The state folder ${stateDir} cannot be written (${reason}).`;
  return `${what} Make it writable for this user, or choose another folder with --state.`;
}

// A folder that is closed closes all below it; what an earlier version left open is closed file by file, once.
function closeToOthers(stateDir: string): void {
  const isKnown = existsSync(secretPath(stateDir));
  makeFolder(stateDir);
  // The mode of an existing folder, such as /tmp, is not ours to change; that of our files in it is.
  if (isKnown && (modeOf(stateDir) & 0o1002) === 0) tighten(stateDir);
  for (const name of STATE_FOLDERS) {
    const folder = join(stateDir, name);
    makeFolder(folder);
    if ((modeOf(folder) & 0o077) !== 0) tightenTree(folder);
  }
  if (isKnown) tighten(secretPath(stateDir));
}

// Step by step: Node's own `recursive` never ends where a file system takes no folders, such as /proc.
function makeFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    makeFolder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} is not a folder`);
}

function tightenTree(folder: string): void {
  tighten(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory() || entry.isFile()) tighten(join(entry.parentPath, entry.name));
  }
}

function tighten(path: string): void {
  const mode = modeOf(path);
  if ((mode & 0o077) !== 0) chmodSync(path, mode & 0o700);
}

function modeOf(path: string): number {
  return lstatSync(path).mode & 0o7777;
}
