/**
 * Keeps the local Analytics Engine running: when its process dies, it is started again at the same port. Points that it took
 * are in its journal; what was written meanwhile fails, and its queue message is retried. Gives up when that happens repeatedly.
 */
import { Restarts } from "../restarts.ts";
import { type AnalyticsOptions, type RunningAnalytics, startAnalytics } from "./start.ts";

export interface KeptAnalyticsOptions extends AnalyticsOptions {
  /** One line for people. */
  say: (line: string) => void;
}

/** The engine, at one address for as long as this runs. */
export class KeptAnalytics {
  readonly url: string;
  readonly port: number;
  /** Resolves with a sentence when it gives up. */
  readonly failed: Promise<string>;
  readonly #options: KeptAnalyticsOptions;
  readonly #giveUp: (reason: string) => void;
  readonly #restarts = new Restarts();
  #running: RunningAnalytics;
  #restarting: Promise<void> | undefined;
  #isStopping = false;

  private constructor(options: KeptAnalyticsOptions, running: RunningAnalytics) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#giveUp = resolve;
    this.url = running.url;
    this.port = running.port;
    this.#options = { ...options, port: running.port };
    this.#running = running;
    this.#watch(running);
  }

  /** Resolves when it answers. @throws as startAnalytics does */
  static async start(options: KeptAnalyticsOptions): Promise<KeptAnalytics> {
    return new KeptAnalytics(options, await startAnalytics(options));
  }

  /** From now on its end is no accident: it is not started again. */
  expectEnd(): void {
    this.#isStopping = true;
  }

  /** Ends it after storing what it has taken; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.expectEnd();
    await this.#restarting;
    await this.#running.stop();
  }

  /** Ends it at once, as a crash would, and for good. */
  kill(): void {
    this.expectEnd();
    this.#running.kill();
  }

  #watch(running: RunningAnalytics): void {
    running.exited.then((reason) => {
      if (!this.#isStopping) this.#restarting = this.#restart(reason);
    });
  }

  async #restart(reason: string): Promise<void> {
    const what = `The local Analytics Engine stopped unexpectedly (${reason})`;
    const tooMany = this.#restarts.countOne(Date.now());
    if (tooMany !== undefined) return this.#giveUp(`${what}, ${tooMany}.`);
    this.#options.say(`error     ${what}; restarting it`);
    try {
      this.#running = await startAnalytics(this.#options);
    } catch (error) {
      return this.#giveUp(`${what} and cannot be restarted: ${error instanceof Error ? error.message : error}`);
    }
    if (this.#isStopping) return this.#running.kill();
    this.#watch(this.#running);
    this.#options.say("start     the local Analytics Engine is running again, with the points it had accepted");
  }
}
