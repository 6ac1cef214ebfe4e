/**
 * The bindings of the dashboard: the generated types made precise, and its settings checked once per request.
 * A setting that is missing closes what needs it; it is never replaced by a guess.
 */
import type { SqlConnection } from "../../shared/analytics/sql.ts";
import type { OperationsEntry } from "../../shared/contract/rpc.ts";
import { DEFAULT_PREFIX } from "../../shared/operator-steps.ts";

/** Secrets are set outside the TOML, so they may be missing. */
interface Secrets {
  /** Bearer secret of programs. Empty or missing: no bearer is accepted. */
  API_TOKEN?: string;
  ANALYTICS_ACCOUNT_ID?: string;
  /** Cloudflare API token with the permission Account Analytics, Read. */
  ANALYTICS_API_TOKEN?: string;
  /**
   * One machine only: the front that `npm start` puts before the dashboard sends this along; requests without it are
   * not answered.
   */
  WORKERS_SECRET?: string;
}

/** DashboardBindings with the service binding's contract and the secrets. */
export type DashboardEnv = Omit<DashboardBindings, "PROCESS" | "ANALYTICS_SQL_URL" | "DATASET_PREFIX" | "PREFIX"> &
  Secrets & { PROCESS: OperationsEntry; ANALYTICS_SQL_URL?: string; DATASET_PREFIX?: string; PREFIX?: string };

/** First part of the names of the deployment's Workers, queues and databases. */
export function resourcePrefix({ PREFIX = DEFAULT_PREFIX }: DashboardEnv): string {
  return PREFIX;
}

/** The name of one setting that is missing. */
export interface MissingSetting {
  missing: string;
}

/** Where Analytics Engine's SQL API is, or the first setting that is missing. */
export function readSqlConnection(env: DashboardEnv): SqlConnection | MissingSetting {
  const { ANALYTICS_SQL_URL = "", ANALYTICS_ACCOUNT_ID = "", ANALYTICS_API_TOKEN = "" } = env;
  const settings = { ANALYTICS_SQL_URL, ANALYTICS_ACCOUNT_ID, ANALYTICS_API_TOKEN };
  for (const [name, value] of Object.entries(settings)) if (value === "") return { missing: name };
  return {
    baseUrl: ANALYTICS_SQL_URL.replace(/(?<!\/)\/+$/, ""),
    accountId: ANALYTICS_ACCOUNT_ID,
    token: ANALYTICS_API_TOKEN,
    ...(env.DATASET_PREFIX === undefined ? {} : { datasetPrefix: env.DATASET_PREFIX }),
  };
}
