/** Support: runs the real `dmarc` command as a process of its own. */
import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

const root = resolve(import.meta.dirname, "../..");

export interface CommandOutcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs it with a standard output that cannot be written to, as on a full disk. @returns code and error output */
export function runWithoutOutput(args: string[]): { code: number | null; stderr: string } {
  const readOnly = openSync(join(root, "package.json"), "r");
  const stdio = ["ignore", readOnly, "pipe"] as const;
  const { status, stderr } = spawnSync(process.execPath, [join(root, "cli/dmarc.ts"), ...args], {
    cwd: root,
    stdio: [...stdio],
    encoding: "utf8",
  });
  closeSync(readOnly);
  return { code: status, stderr };
}

/** @param env added to an environment that names no stack */
export async function runCommand(args: string[], env: Record<string, string> = {}): Promise<CommandOutcome> {
  const child = spawn(process.execPath, [join(root, "cli/dmarc.ts"), ...args], {
    cwd: root,
    env: { ...inherited(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** What a host is told. */
export interface CommandRun {
  args: string[];
  /** All of the environment. */
  env: Record<string, string>;
}

/** Those that wait for a run. */
const hosts: ChildProcess[] = [];

/** As `runCommand`, in a process that runs one after the other: to start takes a command longer than most of what it does. */
export async function runAgain(args: string[], env: Record<string, string> = {}): Promise<CommandOutcome> {
  const host = hosts.pop() ?? startHost();
  let complaint = "";
  const onComplaint = (chunk: string): void => {
    complaint += chunk;
  };
  host.stderr?.on("data", onComplaint);
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutcome>();
  const onExit = (code: number | null): void => reject(new Error(`The host ended with ${code}. ${complaint}`));
  host.once("message", resolve).once("exit", onExit);
  host.send({ args, env: { ...inherited(), ...env } } satisfies CommandRun);
  try {
    return await promise;
  } finally {
    host.off("exit", onExit).off("message", resolve);
    host.stderr?.off("data", onComplaint);
    if (host.exitCode === null) hosts.push(host);
  }
}

function startHost(): ChildProcess {
  const host = fork(join(import.meta.dirname, "command-host.ts"), [], {
    cwd: root,
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  host.stderr?.setEncoding("utf8");
  return host;
}

/** An environment that names no stack. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = ""]) => (name.startsWith("DMARC_") ? [] : [[name, value]])),
  );
}
