/** Runs wrangler, which uploads Workers and applies migrations: its own command, with this deployment's account and token. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import * as v from "valibot";
import { fail, ok, type Result } from "../shared/result.ts";
import { API_BASE_URL } from "./cloudflare-api.ts";

export interface WranglerProblem {
  /** Cloudflare's number, 0 where wrangler names none. */
  code: number;
  message: string;
}

/** Runs wrangler with arguments. @returns what it printed */
export type RunWrangler = (args: readonly string[]) => Promise<Result<string, WranglerProblem>>;

export interface WranglerSettings {
  root: string;
  baseUrl: string;
  accountId: string | undefined;
  /** undefined: wrangler uses its own login. */
  token: string | undefined;
}

/** Ours: an upload takes seconds, a migration of a large ledger a minute. */
const TIMEOUT_MS = 300_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** @returns wrangler for one account */
export function wranglerFor({ root, baseUrl, accountId, token }: WranglerSettings): RunWrangler {
  const env = {
    ...process.env,
    ...(accountId !== undefined && { CLOUDFLARE_ACCOUNT_ID: accountId }),
    ...(token !== undefined && { CLOUDFLARE_API_TOKEN: token }),
    ...(baseUrl !== API_BASE_URL && { CLOUDFLARE_API_BASE_URL: baseUrl }),
    // It must not ask: nobody sees its questions.
    CI: "1",
    NO_COLOR: "1",
    FORCE_COLOR: "0",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
  };
  const command = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  return (args) =>
    new Promise((resolve) => {
      const options = { cwd: root, env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
      execFile(process.execPath, ["--no-warnings", command, ...args], options, (error, stdout, stderr) => {
        const output = stripVTControlCharacters(`${stdout}${stderr}`);
        resolve(error === null ? ok(output) : fail(problemOf(args, output)));
      });
    });
}

/** What wrangler says went wrong: its error and the lines below it, without its advice to report a bug. */
function problemOf(args: readonly string[], output: string): WranglerProblem {
  const lines = output.split("\n").map((line) => line.trim());
  const start = lines.findIndex((line) => line.includes("[ERROR]"));
  const end = lines.findIndex((line, i) => i > start && /If you think this is a bug|Logs were written to/.test(line));
  const said = (start < 0 ? lines.slice(-5) : lines.slice(start, end < 0 ? start + 8 : end))
    .filter((line) => line !== "")
    .join(" ")
    .replace(/^\S* ?\[ERROR\] /, "");
  const code = Number(/\[code: (\d+)\]/.exec(said)?.[1] ?? 0);
  return { code, message: `wrangler ${args.slice(0, 3).join(" ")}: ${said}` };
}

const loggedIn = v.pipe(v.string(), v.parseJson(), v.object({ token: v.pipe(v.string(), v.minLength(1)) }));

/** The token of `wrangler login`, renewed where it was old. @returns undefined when nobody is logged in */
export async function loginToken(run: RunWrangler): Promise<string | undefined> {
  const printed = await run(["auth", "token", "--json"]);
  if (!printed.ok) return undefined;
  const read = v.safeParse(loggedIn, printed.value.slice(printed.value.indexOf("{")));
  return read.success ? read.output.token : undefined;
}
