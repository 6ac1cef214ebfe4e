/**
 * Starts `wrangler dev` as a child in a process group of its own, so that nothing of it is left behind when it is
 * stopped or when this process dies. It never inherits the terminal: every line goes to `onLine`.
 */
import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

export interface WranglerOptions {
  /** Arguments after `wrangler dev`. */
  args: string[];
  /** Environment on top of this process's. */
  env: Record<string, string>;
  /** The repository's folder. */
  folder: string;
  onLine: (line: string) => void;
}

export interface RunningWrangler {
  /** Resolves with the port its first Worker listens on; rejects when it ends before that. */
  ready: Promise<number>;
  /** Resolves with a reason when it has ended, asked to or not. */
  exited: Promise<string>;
  /** Asks it to end and sees to it that its whole group is gone. */
  stop(): Promise<void>;
  /** Ends the group at once. */
  kill(): void;
}

/** Ours: wrangler ends within a second; what hangs longer is killed. */
const STOP_TIMEOUT_MS = 4000;

const QUIET = {
  CI: "1",
  NO_COLOR: "1",
  FORCE_COLOR: "0",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  // They keep a copy of every mail and log line, which nobody asked for.
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
};

/** Starts it; it is not ready yet. */
export function startWrangler({ args, env, folder, onLine }: WranglerOptions): RunningWrangler {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const child = fork(join(dirname(manifest), "wrangler-dist/cli.js"), ["dev", ...args], {
    cwd: folder,
    detached: true,
    execArgv: ["--no-warnings", "--import", join(import.meta.dirname, "exit-with-parent.ts")],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, ...QUIET, ...env },
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null)
      createInterface({ input: stream }).on("line", (line) => onLine(stripVTControlCharacters(line)));
  }
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    child.once("error", (error) => resolve(error.message));
  });
  const port = new Promise<number>((resolve) => {
    child.on("message", (message) => {
      const found = readReady(message);
      if (found !== undefined) resolve(found);
    });
  });
  const ready = Promise.race([
    port,
    exited.then((reason): never => {
      throw new Error(`wrangler ended before it was ready (${reason})`);
    }),
  ]);
  // Whoever does not wait for readiness learns of the end by `exited`.
  ready.catch(() => undefined);
  const kill = (): void => killGroup(child.pid);
  const stop = async (): Promise<void> => {
    const timer = setTimeout(kill, STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await exited;
    clearTimeout(timer);
    kill();
  };
  return { ready, exited, stop, kill };
}

// wrangler sends JSON text: {"event":"DEV_SERVER_READY","ip":"127.0.0.1","port":8787}
function readReady(message: unknown): number | undefined {
  if (typeof message !== "string" || !message.includes("DEV_SERVER_READY")) return undefined;
  const { port } = JSON.parse(message) as { port: number };
  return port;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}
