/**
 * One mail through ingest and process as they are deployed, each in a workerd process of its own that has just started,
 * with V8's heap limited: what came of it, and what it took. A Worker that ends, hangs or gives up is a finding.
 */
import { csvLine } from "../../shared/csv.ts";
import { serveBindings } from "../large-mail/bindings.ts";
import { type Address, Chain, handle, type WrittenPoint } from "../large-mail/chain.ts";
import { type RunningWorker, startWorker, type WorkerSetting } from "../large-mail/workerd.ts";
import { OutcomeCounter, type Outcomes } from "./outcome.ts";

/** What a Worker took. */
export interface Taken {
  /** Of ingest for the mail; of process for the longest invocation. */
  cpuSeconds: number;
  /** Peak growth of memory that is of no file. */
  megabytes: number;
  /** What went wrong beside what the mail came to, a sentence each. */
  failures: string[];
}

export interface AttackResult {
  ingest: Taken & { rejected: string; objects: number };
  /** All invocations, slices of points included. */
  process: Taken & { totalCpuSeconds: number; invocations: number };
  outcomes: Outcomes;
  /** Writing the first of its points as CSV. */
  csvSeconds: number;
}

export interface Attack {
  bytes: Uint8Array;
  address: Address;
  /** What is given up after: points, and processor seconds of one invocation. */
  maxPoints: number;
  maxCpuSeconds: number;
}

/** Runs one mail. */
export async function runAttack(attack: Attack, setting: Omit<WorkerSetting, "bindingsPort">): Promise<AttackResult> {
  const bindings = await serveBindings();
  const chain = await Chain.open(bindings, attack.address);
  const here: WorkerSetting = { ...setting, bindingsPort: bindings.port };
  try {
    const ingest = await runIngest(chain, attack, here);
    const objects = chain.waiting.length;
    return { ingest: { ...ingest, objects }, ...(await runProcess(chain, attack, here)) };
  } finally {
    bindings.close();
  }
}

async function runIngest(
  chain: Chain,
  { bytes, maxCpuSeconds }: Attack,
  setting: WorkerSetting,
): Promise<Taken & { rejected: string }> {
  const worker = await startWorker("ingest", setting);
  const failures: string[] = [];
  let rejected = "";
  let cpuSeconds = 0;
  const { anonymousPeak } = await worker.watch(async () => {
    const watched = new Invocation(worker, maxCpuSeconds);
    rejected = (await watched.run(() => chain.receive(worker, bytes), failures)) ?? "";
    cpuSeconds = watched.cpuSeconds;
  });
  await worker.stop();
  return { rejected, cpuSeconds, megabytes: anonymousPeak / 1e6, failures };
}

/** Ours: what a page exports at most is of this order. */
const CSV_POINTS = 20_000;

async function runProcess(chain: Chain, attack: Attack, setting: WorkerSetting): Promise<Omit<AttackResult, "ingest">> {
  const worker = await startWorker("process", setting);
  const taken = { cpuSeconds: 0, totalCpuSeconds: 0, invocations: 0, failures: [] as string[] };
  const counter = new OutcomeCounter();
  const points: WrittenPoint[] = [];
  let written = 0;
  const { anonymousPeak } = await worker.watch(async () => {
    for (let sent = chain.waiting.shift(); sent !== undefined; sent = chain.waiting.shift()) {
      const watched = new Invocation(worker, attack.maxCpuSeconds);
      const message = sent;
      const handled = await watched.run(
        () => handle(worker, { queue: message.queue, bodies: [message.body] }),
        taken.failures,
      );
      taken.invocations++;
      taken.cpuSeconds = Math.max(taken.cpuSeconds, watched.cpuSeconds);
      taken.totalCpuSeconds += watched.cpuSeconds;
      if (handled === undefined) break;
      if (handled.answer !== "ack") taken.failures.push("A message was not acknowledged.");
      for (const point of handled.points) counter.add(point);
      points.push(...handled.points.slice(0, CSV_POINTS - points.length));
      written += handled.points.length;
      if (written > attack.maxPoints) {
        taken.failures.push(`Given up after ${written} points, ${chain.waiting.length} messages still wait.`);
        break;
      }
    }
  });
  await worker.stop();
  const process = { ...taken, megabytes: anonymousPeak / 1e6 };
  return { process, outcomes: counter.read(), csvSeconds: measureCsv(points) };
}

const LOOK_MILLISECONDS = 100;

/** One call of a Worker that is ended when it takes too long. */
class Invocation {
  readonly #worker: RunningWorker;
  readonly #maxCpuSeconds: number;
  cpuSeconds = 0;

  constructor(worker: RunningWorker, maxCpuSeconds: number) {
    this.#worker = worker;
    this.#maxCpuSeconds = maxCpuSeconds;
  }

  /** @returns what the call gave; undefined when it failed, which is added to the failures */
  async run<T>(call: () => Promise<T>, failures: string[]): Promise<T | undefined> {
    const before = this.#worker.cpuSeconds();
    let isOver = false;
    const look = (): void => {
      this.cpuSeconds = Math.max(this.cpuSeconds, this.#worker.cpuSeconds() - before);
      if (this.cpuSeconds <= this.#maxCpuSeconds || isOver) return;
      isOver = true;
      failures.push(`Ended after ${this.#maxCpuSeconds} s of CPU.`);
      void this.#worker.stop();
    };
    const timer = setInterval(look, LOOK_MILLISECONDS);
    try {
      const result = await call();
      look();
      return result;
    } catch (error) {
      if (!isOver) failures.push(error instanceof Error ? error.message : String(error));
      return undefined;
    } finally {
      clearInterval(timer);
    }
  }
}

/** Time to write the texts of what came of it as CSV, as the pages' exports and `query --csv` do. */
function measureCsv(points: WrittenPoint[]): number {
  const start = performance.now();
  let characters = 0;
  for (const { blobs, doubles } of points) characters += csvLine([...blobs, ...doubles]).length;
  return characters === 0 ? 0 : (performance.now() - start) / 1000;
}
