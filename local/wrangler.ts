/**
 * Starts wrangler's dev server as a child in a separate process group, so that nothing of it is left behind when it is
 * stopped or when this process dies. It never inherits the terminal: every line goes to `onLine`.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { StartError } from "./state-folder.ts";

/** Options of the dev server. */
export interface DevSettings {
  /** The Workers' configurations; the first gets the requests that no route of another one matches. */
  configs: string[];
  /** 0 = any free port. */
  port: number;
  /** Folder of R2, KV and the like. */
  persistTo: string;
  /** Whether a change of a source or configuration file reloads the Workers. */
  watch: boolean;
}

/** What the dev server tells, once: where it listens, or why it never will, in a sentence for people. */
export type DevMessage = { port: number } | { failure: string };

export interface WranglerOptions {
  /** They may be known later: loading wrangler takes a second, and needs none of them. */
  settings: Promise<DevSettings>;
  /** wrangler's own log goes here. */
  logFolder: string;
  onLine: (line: string) => void;
}

export interface RunningWrangler {
  /** Resolves with the port it listens on, when all Workers run; rejects when it ends, or cannot bundle one, before that. */
  ready: Promise<number>;
  /** Resolves with a reason when it, or the runtime it started, has ended, asked to or not. */
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
  // `request.cf` is nowhere used here; otherwise each start asks workers.cloudflare.com for one.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** Starts it; it is not ready yet. */
export function startWrangler({ settings, logFolder, onLine }: WranglerOptions): RunningWrangler {
  const child = fork(join(import.meta.dirname, "wrangler-dev.ts"), [], {
    cwd: join(import.meta.dirname, ".."),
    detached: true,
    // It makes a hundred megabytes while it loads; a small young generation is collected again and again.
    execArgv: ["--no-warnings", "--max-semi-space-size=64"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // Its notes about itself go there, too: the user of a service has no home folder.
    env: { ...process.env, ...QUIET, WRANGLER_LOG_PATH: logFolder, XDG_CONFIG_HOME: logFolder },
  });
  const ended = Promise.withResolvers<string>();
  child.once("exit", (code, signal) => ended.resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  child.once("error", (error) => ended.resolve(error.message));
  const gone = Promise.withResolvers<string>();
  ended.promise.then(gone.resolve);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      onLine(stripVTControlCharacters(line));
      // It starts another one, without what was waiting in its queues and without its own front.
      if (line.includes("The Workers runtime crashed unexpectedly")) gone.resolve("the Workers runtime crashed");
    });
  }
  const answered = new Promise<number>((resolve, reject) => {
    child.on("message", (message: DevMessage) => {
      if ("port" in message) resolve(message.port);
      else reject(new StartError(message.failure));
    });
  });
  settings.then(
    // Where it has ended meanwhile, "exited" says so.
    (known) => child.connected && child.send(known, () => undefined),
    () => child.kill("SIGTERM"),
  );
  const ready = Promise.race([
    answered,
    gone.promise.then((reason): never => {
      throw new Error(`wrangler ended before it was ready (${reason})`);
    }),
  ]);
  // A caller that does not wait for readiness learns of the end by `exited`.
  ready.catch(() => undefined);
  const kill = (): void => killGroup(child.pid);
  const stop = async (): Promise<void> => {
    const timer = setTimeout(kill, STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await ended.promise;
    clearTimeout(timer);
    kill();
  };
  return { ready, exited: gone.promise, stop, kill };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}
