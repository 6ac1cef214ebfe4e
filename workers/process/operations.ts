/** What the dashboard may ask of process, by RPC over its service binding (entry point `Operations`). */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ReconcileMessage } from "../../shared/messages.ts";
import type { OperationRefused, OperationsApi, Page, PipelineStatus, QueueBacklog } from "../../shared/operations.ts";
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
import type { DeadLetter } from "../../shared/storage.ts";
import { listDeadLetters } from "./dead-letters.ts";
import type { ProcessEnv } from "./env.ts";
import { countUnfinished } from "./reconcile.ts";

export class Operations extends WorkerEntrypoint<ProcessEnv> implements OperationsApi {
  async status(): Promise<PipelineStatus> {
    const queues = await Promise.all([
      backlog("dmarc-reports", this.env.QUEUE_REPORTS),
      backlog("dmarc-points", this.env.QUEUE_POINTS),
      backlog("dmarc-dead-letters", this.env.QUEUE_DEAD_LETTERS),
    ]);
    const { unfinished, limit } = await countUnfinished(this.env);
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

  async listDeadLetters(cursor?: string): Promise<Page<DeadLetter>> {
    return listDeadLetters(this.env.R2_DMARC_REPORTS, cursor);
  }

  async startReconcile(): Promise<void> {
    const message: ReconcileMessage = { v: 1, kind: "reconcile" };
    await this.env.QUEUE_REPORTS.send(message);
  }
}

async function backlog(name: string, queue: Queue): Promise<QueueBacklog> {
  const { backlogCount, backlogBytes } = await queue.metrics();
  return { queue: name, messages: backlogCount, bytes: backlogBytes };
}
