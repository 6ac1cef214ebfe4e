/**
 * Starts the local Analytics Engine as a child process; used by `npm start` and by tests. It never keeps running after
 * its parent: the child ends when the channel between them closes.
 */
import { fork } from "node:child_process";
import { join } from "node:path";

/** How the process tells that another one has the state folder open. */
export const FOLDER_IN_USE_EXIT_CODE = 3;

/** The state folder is in use; the message is for people. */
export class StateInUseError extends Error {
  override name = "StateInUseError";
}

/** What is in the folder cannot be opened; the message is for people. */
export class BrokenDataError extends Error {
  override name = "BrokenDataError";
}

export interface AnalyticsOptions {
  /** State folder; data goes to its subfolder `analytics`. */
  stateDir: string;
  /** 0 = any free port. */
  port: number;
  /** Bearer token for writing and for queries. */
  token: string;
  /** Called with each line the process prints; absent = discarded. */
  log?: (line: string) => void;
}

export interface RunningAnalytics {
  /** Where it listens, without a path: `http://127.0.0.1:<port>`. */
  url: string;
  port: number;
  pid: number;
  /** Resolves with a reason when the process has ended, asked to or not. */
  exited: Promise<string>;
  /** Ends it after storing what it has taken; resolves when the process is gone. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): void;
}

/**
 * Resolves when it answers.
 *
 * @throws StateInUseError when another one has the folder open; BrokenDataError when its data cannot be opened; Error with
 * the last line it printed when it cannot start otherwise
 */
export async function startAnalytics(options: AnalyticsOptions): Promise<RunningAnalytics> {
  const child = fork(join(import.meta.dirname, "server.ts"), [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      ...process.env,
      // ClickHouse takes the machine's time zone for its default; Cloudflare's is always UTC.
      TZ: "Etc/UTC",
      LOCAL_ANALYTICS_FOLDER: join(options.stateDir, "analytics"),
      LOCAL_ANALYTICS_PORT: String(options.port),
      LOCAL_ANALYTICS_TOKEN: options.token,
    },
  });
  let printed = "";
  const onData = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-4000);
    for (const line of chunk.toString().split("\n")) if (line.trim() !== "") options.log?.(line);
  };
  child.stdout?.on("data", onData);
  child.stderr?.on("data", onData);
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? exitReason(code) : `signal ${signal}`));
  });
  const ready = new Promise<number>((resolve) => {
    child.once("message", (message: { port: number }) => resolve(message.port));
  });
  const port = await Promise.race([ready, exited.then((reason) => startFailed(reason, { printed, ...options }))]);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exited;
  };
  const kill = (): void => void child.kill("SIGKILL");
  return { url: `http://127.0.0.1:${port}`, port, pid: child.pid ?? 0, exited, stop, kill };
}

function startFailed(reason: string, { printed, stateDir }: { printed: string; stateDir: string }): never {
  if (reason === exitReason(FOLDER_IN_USE_EXIT_CODE)) {
    throw new StateInUseError(
      `The state folder ${stateDir} is in use by another stack; stop that one or take another folder.`,
    );
  }
  const exception = /.*DB::Exception: (.*)/.exec(printed)?.[1];
  if (exception !== undefined) {
    throw new BrokenDataError(
      `The data of the local Analytics Engine in ${join(stateDir, "analytics")} cannot be opened ` +
        `(${firstSentence(exception)}). Move this folder away and start again; then dmarc reprocess --all rewrites ` +
        "its points from the stored reports.",
    );
  }
  throw new Error(`The local Analytics Engine did not start (${reason}): ${printed.trim().split("\n").at(-1) ?? ""}`);
}

// ClickHouse appends everything that was in progress, the statement and its columns.
function firstSentence(exception: string): string {
  const [sentence = ""] = exception.split(/: (?=Cannot attach|Cannot parse definition)|\. Expected one of/, 1);
  return sentence.length > 300 ? `${sentence.slice(0, 299)}…` : sentence;
}

function exitReason(code: number | null): string {
  return `exit code ${code}`;
}
