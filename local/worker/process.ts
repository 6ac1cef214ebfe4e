/**
 * Main module of process on one machine: the Worker as it is deployed, with bindings of the datasets that gather points, and
 * with the limits of an invocation. In production the datasets return at once; here each point would be a call to another
 * Worker.
 */
import type { ProcessEnv } from "../../workers/process/env.ts";
import process, { Operations as ProcessOperations } from "../../workers/process/index.ts";
import { GatheredPoints, type PointsWriter } from "./gathered-points.ts";
import { InvocationLimits, limitedBucket, limitedKv, limitedLedger, limitedQueue } from "./limited.ts";

/** The bindings as local/worker-config.ts makes them. */
type LocalEnv = ProcessEnv & Record<Dataset, PointsWriter>;
type Dataset = "DMARC_ANALYTICS" | "DMARC_EVENTS" | "DMARC_TLS" | "DMARC_FAILURES";

function gathering(env: LocalEnv): ProcessEnv {
  const limits = new InvocationLimits();
  return {
    ...limitedLedger(env, limits),
    KV_DMARC_REPORTS: limitedKv(env.KV_DMARC_REPORTS, limits),
    R2_DMARC_REPORTS: limitedBucket(env.R2_DMARC_REPORTS),
    QUEUE_REPORTS: limitedQueue(env.QUEUE_REPORTS),
    QUEUE_POINTS: limitedQueue(env.QUEUE_POINTS),
    DMARC_ANALYTICS: new GatheredPoints(env.DMARC_ANALYTICS, limits),
    DMARC_EVENTS: new GatheredPoints(env.DMARC_EVENTS, limits),
    DMARC_TLS: new GatheredPoints(env.DMARC_TLS, limits),
    DMARC_FAILURES: new GatheredPoints(env.DMARC_FAILURES, limits),
  };
}

/** The RPC entry point of process, with the limits that it has in production. */
export class Operations extends ProcessOperations {
  constructor(context: ExecutionContext, env: LocalEnv) {
    super(context, gathering(env));
  }
}

export default {
  queue: (batch, env) => process.queue(batch, gathering(env)),
  scheduled: (controller, env) => process.scheduled(controller, gathering(env)),
  fetch: () => process.fetch(),
} satisfies ExportedHandler<LocalEnv>;
