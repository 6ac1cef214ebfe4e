/**
 * The two wrangler processes of the stack. One runs ingest, process and the stand-in for Analytics Engine, which share
 * R2, KV and queues; the first gets mail. The other runs the dashboard, which needs HTTP of its own, and reaches
 * process by service binding. Secrets go by files of the state folder, never by command line.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningWrangler, startWrangler } from "./wrangler.ts";

export interface WorkersOptions {
  httpPort: number;
  /** Absolute. */
  stateDir: string;
  /** The local Analytics Engine, without a path. */
  analyticsUrl: string;
  /** Where the Workers write points: the same, unless a test puts something in between. */
  pointsUrl: string;
  token: string;
  onLine: (process: "pipeline" | "dashboard", line: string) => void;
}

export interface RunningWorkers {
  pipeline: RunningWrangler;
  dashboard: RunningWrangler;
}

const REPOSITORY = join(import.meta.dirname, "..");
/**
 * Who the browser is on this machine. Only a copy of the TOML in the state folder holds it, and wrangler reads it in
 * development only, so it can never be deployed.
 */
export const DEVELOPER = "developer@localhost";
/** Against pages of other origins that make their name point to this machine. */
const LOCAL_HOSTS = "localhost 127.0.0.1 [::1]";
const COMMON = ["--env", "local", "--ip", "127.0.0.1", "--inspector-port", "0", "--show-interactive-dev-session=false"];

/** Starts both; neither is ready yet. */
export function startWorkers(options: WorkersOptions): RunningWorkers {
  const run = prepareRunFolder(options);
  const start = (process: "pipeline" | "dashboard", args: string[]): RunningWrangler =>
    startWrangler({
      args: [...COMMON, "--persist-to", options.stateDir, ...args],
      folder: REPOSITORY,
      env: { WRANGLER_REGISTRY_PATH: run.registry, WRANGLER_LOG_PATH: join(options.stateDir, "logs", "wrangler") },
      onLine: (line) => options.onLine(process, line),
    });
  const configs = ["wrangler.ingest.toml", "wrangler.process.toml", run.analyticsConfig].flatMap((file) => [
    "-c",
    file,
  ]);
  return {
    pipeline: start("pipeline", [...configs, "--port", "0", "--env-file", run.noVariables]),
    dashboard: start("dashboard", [
      ...["-c", run.dashboardConfig, "--port", String(options.httpPort)],
      ...["--env-file", run.dashboardVariables],
    ]),
  };
}

interface RunFolder {
  registry: string;
  analyticsConfig: string;
  dashboardConfig: string;
  dashboardVariables: string;
  noVariables: string;
}

/**
 * Files that only hold while the stack runs. The registry is the stack's own, so that two stacks on one machine do not
 * find each other's Workers. wrangler reads variables of a second config only from a `.dev.vars` beside it, so the
 * stand-in's TOML is copied next to one.
 */
function prepareRunFolder({ stateDir, analyticsUrl, pointsUrl, token }: WorkersOptions): RunFolder {
  const folder = join(stateDir, "run");
  rmSync(folder, { recursive: true, force: true });
  const registry = join(folder, "registry");
  mkdirSync(registry, { recursive: true });
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const access = `\n[env.local.access.dev]\naud = "local"\nidentity = { email = ${JSON.stringify(DEVELOPER)} }\n`;
  written(".dev.vars", variables({ LOCAL_ANALYTICS_URL: pointsUrl, LOCAL_ANALYTICS_TOKEN: token }));
  return {
    registry,
    analyticsConfig: written("wrangler.analytics.toml", configCopy("analytics")),
    dashboardConfig: written("wrangler.dashboard.toml", configCopy("dashboard") + access),
    noVariables: written("none.env", ""),
    dashboardVariables: written(
      "dashboard.env",
      variables({
        ANALYTICS_SQL_URL: `${analyticsUrl}/client/v4`,
        ANALYTICS_ACCOUNT_ID: "local",
        ANALYTICS_API_TOKEN: token,
        API_TOKEN: token,
        ALLOWED_HOSTS: LOCAL_HOSTS,
      }),
    ),
  };
}

// A Worker's TOML for another folder: its main file is named whole.
function configCopy(worker: "analytics" | "dashboard"): string {
  const config = readFileSync(join(REPOSITORY, `wrangler.${worker}.toml`), "utf8");
  return config.replace(/^main = "(.*)"$/m, (_, main: string) => `main = ${JSON.stringify(join(REPOSITORY, main))}`);
}

function variables(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join("");
}
