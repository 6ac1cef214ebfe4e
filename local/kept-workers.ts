/**
 * Keeps the Workers running: when their runtime dies or stops answering, it restarts them and re-enqueues what was
 * waiting in their queues, which are only in memory. Gives up when that happens repeatedly.
 */
import { Restarts } from "./restarts.ts";
import { isAnswering } from "./smtp/deliver.ts";
import { type RunningWorkers, startWorkers, type WorkersAddress, type WorkersOptions } from "./workers.ts";

export interface KeptWorkersOptions {
  settings: Omit<WorkersOptions, "onLine">;
  /** Each line the Workers print. */
  onLine: (line: string) => void;
  /** One line for people. */
  say: (line: string) => void;
  /** Enqueues everything that was received and not finished. */
  reconcile: () => Promise<void>;
}

/** The Workers of one machine, which are started again when they crash. */
export class KeptWorkers {
  /** Resolves when the first start has finished; rejects if it failed. */
  readonly ready: Promise<void>;
  /** Resolves with a sentence when it gives up. */
  readonly failed: Promise<string>;
  /** Their location; undefined while they are starting. */
  address: WorkersAddress | undefined;
  readonly #options: KeptWorkersOptions;
  readonly #giveUp: (reason: string) => void;
  #running: RunningWorkers;
  readonly #restarts = new Restarts();
  #isStopping = false;

  constructor(options: KeptWorkersOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#giveUp = resolve;
    this.#running = this.#start();
    this.ready = this.#open(this.#running);
    // Those waiting for the first start learn of its failure, but not before what the Workers need has started.
    this.ready.catch(() => undefined);
    this.#watch(this.#running);
  }

  /** Restarts Workers that did not answer in time, unless they answer another request. */
  async checkHealth(address: WorkersAddress): Promise<void> {
    const running = this.#running;
    if (address !== this.address || (await isAnswering(address))) return;
    await this.#restart(running, "stopped responding");
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
    running.exited.then((reason) => this.#restart(running, `stopped unexpectedly (${reason})`));
  }

  async #restart(dead: RunningWorkers, what: string): Promise<void> {
    // Already being handled, or intended.
    if (dead !== this.#running || this.#isStopping || this.address === undefined) return;
    this.address = undefined;
    const tooMany = this.#restarts.countOne(Date.now());
    if (tooMany !== undefined) return this.#giveUp(`The Workers ${what}, ${tooMany}.`);
    this.#options.say(`error     the Workers ${what}; restarting them`);
    dead.kill();
    try {
      this.#running = this.#start();
      this.#watch(this.#running);
      await this.#open(this.#running);
      await this.#options.reconcile();
      this.#options.say("start     the Workers are running again, and waiting files were enqueued again");
    } catch (error) {
      if (this.#isStopping) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#giveUp(`The Workers ${what} and cannot be restarted (${reason}).`);
    }
  }

  // wrangler reloads when a source file changes, which also empties the queues.
  #read(line: string): void {
    this.#options.onLine(line);
    if (line.includes("Local server updated and ready") && this.address !== undefined) void this.#afterReload();
  }

  async #afterReload(): Promise<void> {
    const { say, reconcile } = this.#options;
    say("start     a source file has changed: the Workers were reloaded, and waiting files were enqueued again");
    try {
      await reconcile();
    } catch (error) {
      say(`error     ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
