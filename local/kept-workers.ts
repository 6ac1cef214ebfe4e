/**
 * The Workers, kept running: when their runtime dies or does not answer any more, they are started again, and what was
 * waiting in their queues, which are memory only, is enqueued again. It gives up when that happens again and again.
 */
import { isAnswering } from "./smtp/deliver.ts";
import { type RunningWorkers, startWorkers, type WorkersAddress, type WorkersOptions } from "./workers.ts";

export interface KeptWorkersOptions {
  settings: Omit<WorkersOptions, "onLine">;
  /** Each line the Workers print. */
  onLine: (line: string) => void;
  /** One line for people. */
  say: (line: string) => void;
  /** Has everything that was received and not finished enqueued again. */
  reconcile: () => Promise<void>;
}

/** Ours: so many ends within so long a time are no accident. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 5 * 60_000;

export class KeptWorkers {
  /** Resolves when the first start has come to its end; rejects when it failed. */
  readonly ready: Promise<void>;
  /** Resolves with a sentence when they are given up. */
  readonly failed: Promise<string>;
  /** Where they are; undefined while they are being started. */
  address: WorkersAddress | undefined;
  readonly #options: KeptWorkersOptions;
  readonly #giveUp: (reason: string) => void;
  #running: RunningWorkers;
  #restarts: number[] = [];
  #isStopping = false;

  constructor(options: KeptWorkersOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#giveUp = resolve;
    this.#running = this.#start();
    this.ready = this.#open(this.#running);
    this.#watch(this.#running);
  }

  /** Has Workers that did not answer in time started again, unless they answer something else. */
  async checkHealth(address: WorkersAddress): Promise<void> {
    const running = this.#running;
    if (address !== this.address || (await isAnswering(address))) return;
    await this.#restart(running, "do not answer any more");
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.address = undefined;
    await this.#running.stop();
  }

  kill(): void {
    this.#isStopping = true;
    this.#running.kill();
  }

  #start(): RunningWorkers {
    return startWorkers({ ...this.#options.settings, onLine: (line) => this.#read(line) });
  }

  async #open(running: RunningWorkers): Promise<void> {
    const port = await running.ready;
    if (running === this.#running) this.address = { port, workersSecret: running.workersSecret };
  }

  #watch(running: RunningWorkers): void {
    running.exited.then((reason) => this.#restart(running, `have ended unexpectedly (${reason})`));
  }

  async #restart(dead: RunningWorkers, what: string): Promise<void> {
    // Somebody else has seen it too, or it is meant.
    if (dead !== this.#running || this.#isStopping || this.address === undefined) return;
    this.address = undefined;
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((time) => now - time < RESTART_WINDOW_MS), now];
    if (this.#restarts.length > MAX_RESTARTS) {
      return this.#giveUp(
        `The Workers ${what}, ${this.#restarts.length} times within ${RESTART_WINDOW_MS / 60_000} minutes.`,
      );
    }
    this.#options.say(`error     the Workers ${what}; they are started again`);
    dead.kill();
    try {
      this.#running = this.#start();
      this.#watch(this.#running);
      await this.#open(this.#running);
      await this.#options.reconcile();
      this.#options.say("start     the Workers are back, and what was waiting is enqueued again");
    } catch (error) {
      if (this.#isStopping) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#giveUp(`The Workers ${what} and cannot be started again (${reason}).`);
    }
  }

  // wrangler reloads when a source file changes, and the queues are empty then, too.
  #read(line: string): void {
    this.#options.onLine(line);
    if (line.includes("Local server updated and ready") && this.address !== undefined) void this.#afterReload();
  }

  async #afterReload(): Promise<void> {
    const { say, reconcile } = this.#options;
    say("start     a source file has changed: the Workers were reloaded, and what was waiting is enqueued again");
    try {
      await reconcile();
    } catch (error) {
      say(`error     ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
