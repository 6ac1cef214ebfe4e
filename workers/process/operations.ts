/** What the dashboard may ask of process, by RPC over its service binding (entry point `Operations`): a shell. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import { findJob, type Job, newestJobs } from "../../shared/ledger/jobs.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import type {
  ConflictDecision,
  DeadLetterDetails,
  DeadLetterQuery,
  DeadLetterResult,
  DeadLetterSelection,
  DecisionNote,
  JobRequest,
  OperationRefused,
  OperationsApi,
  Page,
  PipelineStatus,
  RecordQuery,
  RecordsAnswer,
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
import {
  findViewer,
  listViewers,
  putViewer,
  removeViewer,
  type Viewer,
  type ViewerEntry,
  ViewerValueError,
} from "../../shared/viewers.ts";
import { decideConflict, getConflict, listConflicts } from "./conflict-operations.ts";
import { type Invocation, newInvocation, type ProcessEnv } from "./env.ts";
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  readRawObject,
  requeueDeadLetters,
} from "./letter-operations.ts";
import { readRecords } from "./record-reader.ts";
import { startJob } from "./start-job.ts";
import { readStatus } from "./status.ts";
import { takeBackReport, undoTakeBack } from "./take-back.ts";

export class Operations extends WorkerEntrypoint<ProcessEnv> implements OperationsApi {
  async status(): Promise<PipelineStatus> {
    return readStatus(this.#invocation());
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

  async readRecords(query: RecordQuery): Promise<RecordsAnswer> {
    return readRecords(query, this.#invocation());
  }

  async takeBackReport(reference: ReportReference, note: DecisionNote): Promise<ReportReference | OperationRefused> {
    return takeBackReport(reference, note, this.#invocation());
  }

  async undoTakeBack(reference: ReportReference): Promise<ReportReference | OperationRefused> {
    return undoTakeBack(reference, this.#invocation());
  }

  async listDeadLetters(query: DeadLetterQuery = {}): Promise<Page<DeadLetterRow> | OperationRefused> {
    return listDeadLetters(query, this.#invocation());
  }

  async getDeadLetter(id: string): Promise<DeadLetterDetails | OperationRefused> {
    return getDeadLetter(id, this.#invocation());
  }

  async requeueDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused> {
    return requeueDeadLetters(selection, this.#invocation());
  }

  async discardDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused> {
    return discardDeadLetters(selection, this.#invocation());
  }

  async readRawObject(key: string): Promise<Response | undefined> {
    return readRawObject(this.env, key);
  }

  async listConflicts(cursor?: string): Promise<Page<ConflictRow>> {
    return listConflicts(cursor, this.#invocation());
  }

  async getConflict(id: string): Promise<ConflictRow | OperationRefused> {
    return getConflict(id, this.#invocation());
  }

  async decideConflict(
    id: string,
    decision: ConflictDecision,
    note: DecisionNote,
  ): Promise<ConflictRow | OperationRefused> {
    return decideConflict(id, { decision, note }, this.#invocation());
  }

  async startReprocess(request: JobRequest): Promise<Job | OperationRefused> {
    return startJob({ kind: "reprocess", random: Math.random() }, request, this.#invocation());
  }

  async startReconcile(request: JobRequest = {}): Promise<Job | OperationRefused> {
    return startJob({ kind: "reconcile", random: Math.random() }, request, this.#invocation());
  }

  async listJobs(): Promise<Job[]> {
    return newestJobs(this.env.D1_DMARC_REPORTS, PAGE_LIMITS.jobs);
  }

  async getJob(id: string): Promise<Job | undefined> {
    return findJob(this.env.D1_DMARC_REPORTS, id);
  }

  #invocation(): Invocation {
    return newInvocation(this.env, Date.now());
  }
}
