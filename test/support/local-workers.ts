/** Support of tests and benchmarks: a Worker as it runs on one machine, with what a test wants to be different. */
import { localConfig, type WorkerConfig, type WorkerName } from "../../local/worker-config.ts";

export interface WorkerChanges {
  vars?: Record<string, string | number>;
  /** Names of bindings that are services of the Worker `service` instead. */
  replaced?: { bindings: readonly string[]; service: string };
  /** Mail address of the identity that Cloudflare Access asserts; absent = Access is off. */
  accessEmail?: string | undefined;
  /** Cloudflare Access has let in something without a mail address: its identity, undefined = none. */
  accessService?: { identity: Record<string, unknown> | undefined } | undefined;
  /** Databases of the ledger; absent = as configured. */
  databases?: number | undefined;
}

/** @returns it as wrangler's test harness takes it */
export function localWorker(worker: WorkerName, changes: WorkerChanges = {}): { config: WorkerConfig } {
  const { vars, replaced, accessEmail, accessService, databases } = changes;
  const config = localConfig(worker, databases);
  config.vars = { ...config.vars, ...vars };
  if (accessEmail !== undefined) config.access = { dev: { aud: "test", identity: { email: accessEmail } } };
  if (accessService !== undefined) {
    const { identity } = accessService;
    config.access = { dev: { aud: "test", ...(identity !== undefined && { identity }) } };
  }
  if (replaced !== undefined) replaceBindings(config, replaced.bindings, replaced.service);
  return { config };
}

function replaceBindings(config: WorkerConfig, bindings: readonly string[], service: string): void {
  const isKept = ({ binding }: { binding: string }): boolean => !bindings.includes(binding);
  config.kv_namespaces = config.kv_namespaces?.filter(isKept) ?? [];
  config.r2_buckets = config.r2_buckets?.filter(isKept) ?? [];
  config.d1_databases = config.d1_databases?.filter(isKept) ?? [];
  config.queues = { ...config.queues, producers: config.queues?.producers?.filter(isKept) ?? [] };
  config.services = [...(config.services ?? []).filter(isKept), ...bindings.map((binding) => ({ binding, service }))];
}
