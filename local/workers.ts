/**
 * The Workers of the stack, in one dev server, so that they share R2, KV and queues: the dashboard, ingest, process, and
 * the two that stand in for Cloudflare, which are the door and Analytics Engine. Secrets go by files of the state folder,
 * never by command line.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSecret } from "./secret.ts";
import { type RunningWrangler, startWrangler } from "./wrangler.ts";

export interface WorkersOptions {
  /** Absolute. */
  stateDir: string;
  /** The local Analytics Engine, without a path. */
  analyticsUrl: string;
  /** Where the Workers write points: the same, unless a test puts something in between. */
  pointsUrl: string;
  token: string;
  onLine: (line: string) => void;
}

export interface RunningWorkers extends RunningWrangler {
  /** Every request to the dashboard and to the door has to carry it. */
  doorSecret: string;
}

/** Where a request goes, and what lets it in. */
export interface WorkersAddress {
  port: number;
  doorSecret: string;
}

const REPOSITORY = join(import.meta.dirname, "..");
/**
 * Who the browser is on this machine. Only a copy of the TOML in the state folder holds it, and wrangler reads it in
 * development only, so it can never be deployed.
 */
export const DEVELOPER = "developer@localhost";
/** The dashboard first: the others are reached by a route or a binding. */
const WORKERS = ["dashboard", "ingest", "process", "analytics", "door"] as const;
type WorkerName = (typeof WORKERS)[number];

/** Starts them; they are not ready yet. */
export function startWorkers(options: WorkersOptions): RunningWorkers {
  const doorSecret = makeSecret();
  const configs = writeRunFolder(options, doorSecret);
  const wrangler = startWrangler({
    settings: { configs, port: 0, persistTo: options.stateDir },
    logFolder: join(options.stateDir, "logs", "wrangler"),
    onLine: options.onLine,
  });
  return { ...wrangler, doorSecret };
}

/**
 * Files that only hold while the Workers run: of each Worker a copy of its TOML, and beside it its variables, which
 * wrangler reads from there and from nowhere else. @returns the paths of the TOMLs
 */
function writeRunFolder(options: WorkersOptions, doorSecret: string): string[] {
  const run = join(options.stateDir, "run");
  rmSync(run, { recursive: true, force: true });
  const { analyticsUrl, pointsUrl, token } = options;
  const variables: Partial<Record<WorkerName, Record<string, string>>> = {
    dashboard: {
      ANALYTICS_SQL_URL: `${analyticsUrl}/client/v4`,
      ANALYTICS_ACCOUNT_ID: "local",
      ANALYTICS_API_TOKEN: token,
      API_TOKEN: token,
      DOOR_SECRET: doorSecret,
    },
    analytics: { LOCAL_ANALYTICS_URL: pointsUrl, LOCAL_ANALYTICS_TOKEN: token },
    door: { DOOR_SECRET: doorSecret },
  };
  return WORKERS.map((worker) => {
    const folder = join(run, worker);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, ".dev.vars"), variableLines(variables[worker] ?? {}), { mode: 0o600 });
    const path = join(folder, "wrangler.toml");
    writeFileSync(path, configCopy(worker), { mode: 0o600 });
    return path;
  });
}

// A Worker's TOML for another folder: its main file is named whole.
function configCopy(worker: WorkerName): string {
  const config = readFileSync(join(REPOSITORY, `wrangler.${worker}.toml`), "utf8");
  const copy = config.replace(
    /^main = "(.*)"$/m,
    (_, main: string) => `main = ${JSON.stringify(join(REPOSITORY, main))}`,
  );
  if (worker !== "dashboard") return copy;
  return `${copy}\n[env.local.access.dev]\naud = "local"\nidentity = { email = ${JSON.stringify(DEVELOPER)} }\n`;
}

function variableLines(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join("");
}
