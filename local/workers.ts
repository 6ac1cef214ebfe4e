/**
 * The Workers of the stack, in one dev server, so that they share R2, KV, D1 and queues: the dashboard, ingest, process,
 * and those that stand in for Cloudflare: outgoing mail and Analytics Engine. Secrets are passed in files of the state
 * folder, never on a command line.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INGEST_HOST } from "./ask-ingest.ts";
import { makeSecret } from "./secret.ts";
import { localConfig, type WorkerConfig, type WorkerName } from "./worker-config.ts";
import { type RunningWrangler, startWrangler } from "./wrangler.ts";

export interface WorkersOptions {
  /** Absolute. */
  stateDir: string;
  /** Of the ledger. */
  databases: number;
  token: string;
  /** Where DNS is asked; "" = nowhere. */
  dnsUrl: string;
  /** For links in what is sent. */
  dashboardUrl: string;
  /** An origin that webhooks may go to although it is not public; "" = none. */
  webhookOrigin: string;
  /** Whether a change of a source file reloads the Workers. */
  watch: boolean;
  /** Main module that replaces that of process; "" = no replacement. */
  processMain: string;
  outside: Promise<OutsideServers>;
  onLine: (line: string) => void;
}

/** What the Workers reach outside of them. */
export interface OutsideServers {
  /** The local Analytics Engine, without a path. */
  analyticsUrl: string;
  /** Where the Workers write points: the same, unless a test puts something in between. */
  pointsUrl: string;
  /** Where mail goes out (mail-out.ts), and the token for it. */
  mailUrl: string;
  mailToken: string;
}

type RunSettings = Omit<WorkersOptions, "outside" | "onLine"> & OutsideServers;

export interface RunningWorkers extends RunningWrangler {
  /** Every request to the dashboard and to ingest has to carry it. */
  workersSecret: string;
}

/** Where a request goes, and what lets it in. */
export interface WorkersAddress {
  port: number;
  workersSecret: string;
}

/**
 * Who the browser is on this machine. Only the configuration in the state folder holds it, and wrangler reads it in
 * development only, so it can never be deployed.
 */
export const DEVELOPER = "developer@localhost";
/** The dashboard first: the others are reached by a route or a binding. */
const WORKERS: readonly WorkerName[] = ["dashboard", "ingest", "process", "analytics", "mail-out"];

/** The dashboard with the limits of an invocation. */
const DASHBOARD_MAIN = join(import.meta.dirname, "worker", "dashboard.ts");
/** Ingest with a way in for the SMTP server. */
const INGEST_MAIN = join(import.meta.dirname, "worker", "ingest.ts");
/** Process behind bindings that gather points. */
const PROCESS_MAIN = join(import.meta.dirname, "worker", "process.ts");
const INGEST_ROUTE = { pattern: `${INGEST_HOST}/*`, zone_name: INGEST_HOST };

/** Starts them; they are not ready yet. What the rest needs may still be starting, too. */
export function startWorkers({ stateDir, outside, onLine, ...options }: WorkersOptions): RunningWorkers {
  const workersSecret = makeSecret();
  const settings = outside.then((known) => {
    const configs = writeRunFolder({ stateDir, ...options, ...known }, workersSecret);
    return { configs, port: 0, persistTo: stateDir, watch: options.watch };
  });
  const wrangler = startWrangler({ settings, logFolder: join(stateDir, "logs", "wrangler"), onLine });
  return { ...wrangler, workersSecret };
}

/**
 * Files for this run of the Workers: each Worker's configuration and, beside it, its secret variables, which wrangler
 * reads from there only. @returns the paths of the configurations
 */
function writeRunFolder(options: RunSettings, workersSecret: string): string[] {
  const run = join(options.stateDir, "run");
  rmSync(run, { recursive: true, force: true });
  const { analyticsUrl, pointsUrl, token, dnsUrl } = options;
  const variables: Partial<Record<WorkerName, Record<string, string>>> = {
    dashboard: {
      ANALYTICS_SQL_URL: `${analyticsUrl}/client/v4`,
      ANALYTICS_ACCOUNT_ID: "local",
      ANALYTICS_API_TOKEN: token,
      API_TOKEN: token,
      WORKERS_SECRET: workersSecret,
    },
    process: {
      DNS_OVER_HTTPS_URL: dnsUrl,
      DASHBOARD_URL: options.dashboardUrl,
      NOTIFY_LOCAL_ORIGIN: options.webhookOrigin,
    },
    analytics: { LOCAL_ANALYTICS_URL: pointsUrl, LOCAL_ANALYTICS_TOKEN: token },
    ingest: { WORKERS_SECRET: workersSecret },
    "mail-out": { LOCAL_MAIL_URL: options.mailUrl, LOCAL_MAIL_TOKEN: options.mailToken },
  };
  return WORKERS.map((worker) => {
    const folder = join(run, worker);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, ".dev.vars"), variableLines(variables[worker] ?? {}), { mode: 0o600 });
    const path = join(folder, "wrangler.json");
    writeFileSync(path, JSON.stringify(runConfig(worker, options), null, 2), { mode: 0o600 });
    return path;
  });
}

function runConfig(worker: WorkerName, { processMain, databases }: RunSettings): WorkerConfig {
  const config = localConfig(worker, databases);
  if (worker === "dashboard") {
    config.main = DASHBOARD_MAIN;
    config.access = { dev: { aud: "local", identity: { email: DEVELOPER } } };
  }
  if (worker === "ingest") {
    config.main = INGEST_MAIN;
    config.routes = [INGEST_ROUTE];
  }
  if (worker === "process") config.main = processMain === "" ? PROCESS_MAIN : processMain;
  return config;
}

function variableLines(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join("");
}
