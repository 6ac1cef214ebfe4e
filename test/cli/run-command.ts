/** Support: runs the real `dmarc` command as a process of its own. */
import { spawn, spawnSync } from "node:child_process";
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
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DMARC_"));
  const child = spawn(process.execPath, [join(root, "cli/dmarc.ts"), ...args], {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
