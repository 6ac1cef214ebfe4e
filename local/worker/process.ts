/**
 * Main module of process on one machine: the Worker as it is deployed, with bindings of the datasets that gather points. In
 * production these bindings return at once; here each point would be a call to another Worker.
 */
import type { ProcessEnv } from "../../workers/process/env.ts";
import process, { Operations as ProcessOperations } from "../../workers/process/index.ts";
import { GatheredPoints, type PointsWriter } from "./gathered-points.ts";

/** The bindings as local/worker-config.ts makes them. */
type LocalEnv = ProcessEnv & Record<Dataset, PointsWriter>;
type Dataset = "DMARC_ANALYTICS" | "DMARC_EVENTS" | "DMARC_TLS" | "DMARC_FAILURES";

function gathering(env: LocalEnv): ProcessEnv {
  return {
    ...env,
    DMARC_ANALYTICS: new GatheredPoints(env.DMARC_ANALYTICS),
    DMARC_EVENTS: new GatheredPoints(env.DMARC_EVENTS),
    DMARC_TLS: new GatheredPoints(env.DMARC_TLS),
    DMARC_FAILURES: new GatheredPoints(env.DMARC_FAILURES),
  };
}

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
