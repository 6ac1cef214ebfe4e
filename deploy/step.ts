/** What a step of a deployment is, and what it works with. */
import type { Result } from "../shared/result.ts";
import type { CloudflareApi } from "./cloudflare-api.ts";
import type { Worker } from "./configuration.ts";
import { type Kept, writeKept } from "./kept.ts";
import type { Names, Settings } from "./settings.ts";
import type { RunWrangler } from "./wrangler.ts";

/** What a look at one step's resources found. */
export interface Look {
  isThere: boolean;
  /** What was found, or what is missing. */
  said: string;
}

/** One step. Looking changes nothing; making can be repeated, wherever it was interrupted. */
export interface Step {
  name: string;
  /** For the plan: what it makes. */
  plan(settings: Settings): string;
  /** @returns a sentence for what stands in the way */
  look(deployment: Deployment): Promise<Result<Look, string>>;
  /** Makes what is missing. @returns what was done, or why it could not be */
  make(deployment: Deployment): Promise<Result<string, string>>;
}

/** A deployment in work. */
export interface Deployment {
  /** The repository. */
  root: string;
  /** Where its untracked files are. */
  folder: string;
  settings: Settings;
  names: Names;
  accountId: string;
  api: CloudflareApi;
  wrangler: RunWrangler;
  /** Reaches the deployed dashboard. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  nowMilliseconds(): number;
  sleep(milliseconds: number): Promise<void>;
  /** A new secret. */
  newToken(): string;
  kept: Kept;
  /** Hash of what would be uploaded for a Worker, once it is known. */
  hashes: Map<Worker, string>;
}

/** Notes something for the next run, at once. */
export function keep(deployment: Deployment, changes: Partial<Kept>): void {
  deployment.kept = { ...deployment.kept, ...changes };
  writeKept(deployment.folder, deployment.kept);
}

/** Keeps where the dashboard answers. @param subdomain the account's name below workers.dev @returns its address */
export function keepDashboardUrl(deployment: Deployment, subdomain: string): string {
  const url = `https://${deployment.names.workers.dashboard}.${subdomain}.workers.dev`;
  if (deployment.kept.url !== url) keep(deployment, { url });
  return url;
}
