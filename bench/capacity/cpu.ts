/**
 * CPU time of a report in workerd: ingest and process, bundled as they are deployed, each alone in a workerd process with its
 * bindings in another one. The work of answering calls (storing, SQL) is not among it, as on the platform.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveBindings } from "../large-mail/bindings.ts";
import { Chain, handle } from "../large-mail/chain.ts";
import { type Cpu, cpuOf } from "../large-mail/cpu.ts";
import { bundleWorker, type RunningWorker, startWorker } from "../large-mail/workerd.ts";

/** CPU milliseconds a report. */
export interface WorkerCpu {
  ingest: Cpu;
  process: Cpu;
}

interface Measured {
  rua: string;
  mails: readonly Uint8Array[];
  batchSize: number;
}

/** Takes the mails, of one report each, and settles them in batches; the first half of them warms both Workers up. */
export async function measureCpu({ rua, mails, batchSize }: Measured): Promise<WorkerCpu> {
  const folder = await mkdtemp(join(tmpdir(), "capacity-"));
  const bindings = await serveBindings();
  const workers: RunningWorker[] = [];
  const start = async (name: "ingest" | "process"): Promise<RunningWorker> => {
    bundleWorker(name, folder);
    const worker = await startWorker(name, { folder, bindingsPort: bindings.port, v8Flags: [], quiet: true });
    workers.push(worker);
    return worker;
  };
  try {
    const [ingest, process] = [await start("ingest"), await start("process")];
    const chain = await Chain.open(bindings, { rua, entry: { account: "acme" } });
    const settle = async (some: readonly Uint8Array[]): Promise<WorkerCpu> => {
      const before = { ingest: cpuOf(ingest.pid), process: cpuOf(process.pid) };
      for (const mail of some) {
        if ((await chain.receive(ingest, mail)) !== "") throw new Error("A mail was rejected.");
      }
      while (chain.waiting.length > 0) await settleBatch(process, chain, batchSize);
      const each = (worker: RunningWorker, { main, all }: Cpu): Cpu => {
        const after = cpuOf(worker.pid);
        return { main: (after.main - main) / some.length, all: (after.all - all) / some.length };
      };
      return { ingest: each(ingest, before.ingest), process: each(process, before.process) };
    };
    const half = Math.ceil(mails.length / 2);
    await settle(mails.slice(0, half));
    return await settle(mails.slice(half));
  } finally {
    for (const worker of workers) await worker.stop();
    bindings.close();
    await rm(folder, { recursive: true });
  }
}

/** A batch of the queue whose turn it is; of slices, one. */
async function settleBatch(process: RunningWorker, { waiting }: Chain, batchSize: number): Promise<void> {
  const queue = waiting[0]?.queue ?? "";
  const ofQueue = waiting.filter((sent) => sent.queue === queue).slice(0, queue.endsWith("-points") ? 1 : batchSize);
  for (const sent of ofQueue) waiting.splice(waiting.indexOf(sent), 1);
  const { answer } = await handle(process, { queue, bodies: ofQueue.map(({ body }) => body) });
  if (answer !== "ack") throw new Error(`A message of ${queue} was not acknowledged.`);
}
