/** What the dashboard may ask of process, by RPC over its service binding (entry point `Operations`): a shell. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { PointBudget } from "../../shared/analytics/budget.ts";
import type {
  DeadLetterDetails,
  DeadLetterQuery,
  DeadLetterResult,
  DeadLetterSelection,
  JobRequest,
  OperationRefused,
  OperationsApi,
  Page,
  PipelineStatus,
  QueueBacklog,
  ReportReference,
  StoredReport,
} from "../../shared/operations.ts";
import {
  findRegistration,
  listRegistrations,
  normalizeRua,
  putRegistration,
  type Registration,
  type RegistryEntry,
  RegistryValueError,
  removeRegistration,
} from "../../shared/registry.ts";
import type { Conflict, DeadLetter, Job } from "../../shared/storage.ts";
import {
  findViewer,
  listViewers,
  putViewer,
  removeViewer,
  type Viewer,
  type ViewerEntry,
  ViewerValueError,
} from "../../shared/viewers.ts";
import { boundReport } from "./bounded-report.ts";
import { acceptConflict, discardConflict, getConflict, listConflicts } from "./conflicts.ts";
import type { JobContext, ProcessEnv } from "./env.ts";
import { countUnfinished } from "./job-pages.ts";
import { getJob, listJobs, startJob } from "./jobs.ts";
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  readRawObject,
  requeueDeadLetters,
} from "./letter-operations.ts";
import { readLedgerEntry } from "./report-reader.ts";

export class Operations extends WorkerEntrypoint<ProcessEnv> implements OperationsApi {
  async status(): Promise<PipelineStatus> {
    const queues = await Promise.all([
      backlog("dmarc-reports", this.env.QUEUE_REPORTS),
      backlog("dmarc-points", this.env.QUEUE_POINTS),
      backlog("dmarc-dead-letters", this.env.QUEUE_DEAD_LETTERS),
    ]);
    const { unfinished, limit } = await countUnfinished(this.env.R2_DMARC_REPORTS);
    return { queues, unfinished, unfinishedLimit: limit };
  }

  async listRegistrations(): Promise<Registration[]> {
    return Array.fromAsync(listRegistrations(this.env.KV_DMARC_REPORTS));
  }

  async getRegistration(rua: string): Promise<Registration | undefined> {
    const found = await findRegistration(this.env.KV_DMARC_REPORTS, rua);
    return found?.rua === normalizeRua(rua) ? found : undefined;
  }

  async putRegistration(rua: string, entry: RegistryEntry): Promise<Registration | OperationRefused> {
    try {
      return await putRegistration(this.env.KV_DMARC_REPORTS, rua, entry);
    } catch (error) {
      if (error instanceof RegistryValueError) return { refused: error.message };
      throw error;
    }
  }

  async removeRegistration(rua: string): Promise<void> {
    await removeRegistration(this.env.KV_DMARC_REPORTS, rua);
  }

  async getViewer(email: string): Promise<Viewer | undefined> {
    return findViewer(this.env.KV_DMARC_REPORTS, email);
  }

  async listViewers(): Promise<Viewer[]> {
    return Array.fromAsync(listViewers(this.env.KV_DMARC_REPORTS));
  }

  async putViewer(email: string, entry: ViewerEntry): Promise<Viewer | OperationRefused> {
    try {
      return await putViewer(this.env.KV_DMARC_REPORTS, email, entry);
    } catch (error) {
      if (error instanceof ViewerValueError) return { refused: error.message };
      throw error;
    }
  }

  async removeViewer(email: string): Promise<void> {
    await removeViewer(this.env.KV_DMARC_REPORTS, email);
  }

  async getReport(reference: ReportReference): Promise<StoredReport | undefined> {
    const entry = await readLedgerEntry(this.env.R2_DMARC_REPORTS, reference);
    return entry === undefined ? undefined : boundReport(entry);
  }

  async listDeadLetters(query: DeadLetterQuery = {}): Promise<Page<DeadLetter> | OperationRefused> {
    return listDeadLetters(this.env.R2_DMARC_REPORTS, query);
  }

  async getDeadLetter(id: string): Promise<DeadLetterDetails | OperationRefused> {
    return getDeadLetter(this.env.R2_DMARC_REPORTS, id);
  }

  async requeueDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused> {
    return requeueDeadLetters(selection, this.#context());
  }

  async discardDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused> {
    return discardDeadLetters(selection, this.#context());
  }

  async readRawObject(key: string): Promise<Response | undefined> {
    return readRawObject(this.env, key);
  }

  async listConflicts(cursor?: string): Promise<Page<Conflict>> {
    return listConflicts(this.env.R2_DMARC_REPORTS, cursor);
  }

  async getConflict(id: string): Promise<Conflict | OperationRefused> {
    return getConflict(this.env, id);
  }

  async acceptConflict(id: string): Promise<Conflict | OperationRefused> {
    return acceptConflict(id, this.#context());
  }

  async discardConflict(id: string): Promise<Conflict | OperationRefused> {
    return discardConflict(id, this.#context());
  }

  async startReprocess(request: JobRequest): Promise<Job | OperationRefused> {
    return startJob("reprocess", request, { ...this.#context(), random: Math.random() });
  }

  async startReconcile(request: JobRequest = {}): Promise<Job | OperationRefused> {
    return startJob("reconcile", request, { ...this.#context(), random: Math.random() });
  }

  async listJobs(): Promise<Job[]> {
    return listJobs(this.env.R2_DMARC_REPORTS);
  }

  async getJob(id: string): Promise<Job | undefined> {
    return getJob(this.env.R2_DMARC_REPORTS, id);
  }

  #context(): JobContext {
    const nowSeconds = Math.floor(Date.now() / 1000);
    return { env: this.env, budget: new PointBudget(), nowSeconds, attempts: 1, sentSeconds: nowSeconds };
  }
}

async function backlog(name: string, queue: Queue): Promise<QueueBacklog> {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
  const oldestSeconds = oldestMessageTimestamp === undefined ? 0 : Math.floor(Number(oldestMessageTimestamp) / 1000);
  return { queue: name, messages: backlogCount, bytes: backlogBytes, oldestSeconds };
}
