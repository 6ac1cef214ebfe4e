/** The bindings of process as its code uses them, and what is handed to every job. */
import type { PointBudget } from "../../shared/analytics/budget.ts";
import type { DataPoint, DatasetId } from "../../shared/analytics/columns.ts";
import type { AwaitedSlices } from "./slices.ts";

/** Analytics Engine in production; on one machine a service with the same method, whose promise must be awaited. */
export interface DatasetBinding {
  writeDataPoint(point: DataPoint): unknown;
}

type Datasets = "DMARC_ANALYTICS" | "DMARC_EVENTS" | "DMARC_TLS" | "DMARC_FAILURES";

export type ProcessEnv = Omit<ProcessBindings, Datasets | "RETRY_BASE_SECONDS"> &
  Record<Datasets, DatasetBinding> & { RETRY_BASE_SECONDS: number };

/** What a job works with: bindings, the invocation's write budget, and the time. */
export interface JobContext {
  env: ProcessEnv;
  budget: PointBudget;
  nowSeconds: number;
  /** Deliveries of the message so far, this one included. */
  attempts: number;
  /** When the message was sent; the same for every delivery. */
  sentSeconds: number;
  /** Collects the slices that the receipt of the object in work must wait for; absent where none is written. */
  awaited?: AwaitedSlices;
}

/** What a job tells of itself, for the log: figures and names, never content. */
export type LogEntry = Record<string, unknown>;

/** The binding of a dataset. */
export function datasetBinding(env: ProcessEnv, dataset: DatasetId): DatasetBinding {
  switch (dataset) {
    case "records":
      return env.DMARC_ANALYTICS;
    case "events":
      return env.DMARC_EVENTS;
    case "tls":
      return env.DMARC_TLS;
    case "failures":
      return env.DMARC_FAILURES;
  }
}
