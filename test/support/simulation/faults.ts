/**
 * Support: bindings that fail on demand. Every call on KV, R2, a queue and Analytics Engine is numbered over the whole
 * run; a plan says what happens to it. What one invocation asks beyond what the platform allows it is refused as it is
 * there, whatever the plan.
 *
 *   before  the call throws and has had no effect
 *   after   the call has its effect and throws
 *   kill    the isolate ends before the call: nothing of the invocation goes on
 *   killed  the isolate ends after the call had its effect
 */

import { D1_LIMITS, WORKER_LIMITS } from "../../../shared/limits.ts";

export type FaultMode = "before" | "after" | "kill" | "killed";
export const FAULT_MODES: readonly FaultMode[] = ["before", "after", "kill", "killed"];

/** What is called: `r2.put raw/`, `queue.send dmarc-points`, … and the place of the call in the run, from 0. */
export interface Call {
  index: number;
  name: string;
}

export type FaultPlan = (call: Call) => FaultMode | undefined;

/** Counts calls over a run and applies the plan. */
export class FaultInjector {
  readonly calls: string[] = [];
  plan: FaultPlan = () => undefined;
  /** Lets other invocations go on between two calls; undefined = at once. */
  pause: (() => Promise<void>) | undefined;
  /** Queries to D1 that one invocation may make: as on the paid plan. */
  maxQueries: number = D1_LIMITS.maxQueriesPerInvocation;
  /** How often what had happened was taken back; an invocation of before is dead. */
  returns = 0;

  /** A new invocation: `bind` wraps its bindings, `ended` rejects when the isolate is killed. */
  invocation(): Invocation {
    return new Invocation(this);
  }

  /** Marks how far the run is. @returns what brings it back there: later calls have not been, and what still runs is dead */
  mark(): () => void {
    const { length } = this.calls;
    return () => {
      this.calls.length = length;
      this.returns++;
    };
  }
}

export class IsolateKilled extends Error {
  override name = "IsolateKilled";
}

/** One isolate's view of the bindings. */
export class Invocation {
  readonly #injector: FaultInjector;
  readonly ended: Promise<never>;
  readonly #returns: number;
  #isKilled = false;
  #subrequests = 0;
  #queries = 0;
  #kvOperations = 0;
  #end: (error: Error) => void = () => {};

  constructor(injector: FaultInjector) {
    this.#injector = injector;
    this.#returns = injector.returns;
    this.ended = new Promise<never>((_, reject) => {
      this.#end = reject;
    });
    this.ended.catch(() => {});
  }

  /** `target` with its methods counted and failing as planned. @param nameOf names a call by its first argument */
  bind<T extends object>(target: T, nameOf: (method: string, argument: unknown) => string): T {
    return new Proxy(target, {
      get: (object, property) => {
        const method: unknown = Reflect.get(object, property);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) =>
          this.#call(nameOf(String(property), args[0]), () => Reflect.apply(method, object, args));
      },
    });
  }

  /**
   * Counts queries to D1 that are about to be made; a transaction is as many as its statements.
   * @throws beyond what one invocation may make
   */
  countQueries(count: number): void {
    this.#queries += count;
    if (this.#queries > this.#injector.maxQueries) {
      throw new Error(`Too many API requests by single worker invocation. (${this.#queries} queries to D1)`);
    }
  }

  async #call(name: string, effect: () => unknown): Promise<unknown> {
    if (this.#isKilled || this.#isTakenBack()) return new Promise(() => {});
    if (!name.startsWith("analytics.") && ++this.#subrequests > WORKER_LIMITS.maxSubrequests) {
      throw new Error("Too many subrequests by single Worker invocation.");
    }
    if (name.startsWith("kv.") && ++this.#kvOperations > WORKER_LIMITS.maxKvOperations) {
      throw new Error("Too many API requests by single worker invocation.");
    }
    await this.#injector.pause?.();
    if (this.#isTakenBack()) return new Promise(() => {});
    const mode = this.#injector.plan({ index: this.#injector.calls.length, name });
    this.#injector.calls.push(name);
    if (mode === "before") throw new Error(`${name} failed (injected)`);
    if (mode === "kill") return this.#kill();
    const result = await effect();
    if (mode === "after") throw new Error(`${name} failed after it took effect (injected)`);
    return mode === "killed" ? this.#kill() : result;
  }

  // It began in a run that has been taken back since.
  #isTakenBack(): boolean {
    return this.#returns !== this.#injector.returns;
  }

  #kill(): Promise<never> {
    this.#isKilled = true;
    this.#end(new IsolateKilled("The isolate was killed (injected)."));
    return new Promise(() => {});
  }
}
