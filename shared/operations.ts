/**
 * What process offers to the dashboard by RPC (entry point `Operations`): the contract between the two Workers. Types
 * only, so that no Worker imports another.
 */
import type { Registration, RegistryEntry } from "./registry.ts";
import type { DeadLetter } from "./storage.ts";

/** Backlog of one queue as the platform reports it. */
export interface QueueBacklog {
  queue: string;
  messages: number;
  bytes: number;
}

/** What is waiting. */
export interface PipelineStatus {
  queues: QueueBacklog[];
  /** Raw objects without a receipt, counted up to `unfinishedLimit`: received and not yet dealt with. */
  unfinished: number;
  unfinishedLimit: number;
}

/** A page of a listing; `cursor` continues it and is absent on the last page. */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** An operation's answer to a request that cannot be met: the caller's mistake, said in one sentence. */
export interface OperationRefused {
  refused: string;
}

export interface OperationsApi {
  status(): Promise<PipelineStatus>;
  listRegistrations(): Promise<Registration[]>;
  /** undefined when it is not registered. */
  getRegistration(rua: string): Promise<Registration | undefined>;
  putRegistration(rua: string, entry: RegistryEntry): Promise<Registration | OperationRefused>;
  removeRegistration(rua: string): Promise<void>;
  /** Newest day first. */
  listDeadLetters(cursor?: string): Promise<Page<DeadLetter>>;
  /** Starts a reconcile job: raw objects without a receipt are enqueued again, a page a message. */
  startReconcile(): Promise<void>;
}
