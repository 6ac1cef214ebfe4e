/**
 * What Cloudflare allows one invocation, one statement and one batch of messages, where workerd on one machine allows more:
 * bindings that refuse the rest, in Cloudflare's words as far as they are known.
 */
import { LEDGER_BINDING } from "../../shared/ledger/shards.ts";
import { ANALYTICS_LIMITS, D1_LIMITS, QUEUE_LIMITS, WORKER_LIMITS } from "../../shared/limits.ts";
import { jsonBytes } from "../../shared/queue-batches.ts";

/** What is left to one invocation. */
export class InvocationLimits {
  #queries = 0;
  #points = 0;
  #kvOperations = 0;

  /** A query to D1 that is about to be made. @throws beyond what one invocation may make on the paid plan */
  takeQuery(): void {
    if (++this.#queries > D1_LIMITS.maxQueriesPerInvocation) {
      throw new Error("D1_ERROR: Too many API requests by single worker invocation.");
    }
  }

  /** A call of KV that is about to be made. @throws beyond what one invocation may make */
  takeKvOperation(): void {
    if (++this.#kvOperations > WORKER_LIMITS.maxKvOperations) {
      throw new Error("Too many API requests by single worker invocation.");
    }
  }

  /** A point that is about to be written. @throws beyond what one invocation may write */
  takePoint(): void {
    if (++this.#points > ANALYTICS_LIMITS.maxPointsPerInvocation) {
      throw new Error("Analytics Engine write limit exceeded.");
    }
  }
}

/** The parts of D1's database and statement that are looked at. */
interface Database {
  prepare(sql: string): Statement;
  batch(statements: never[]): Promise<unknown>;
}
interface Statement {
  bind(...values: unknown[]): unknown;
}

/** A statement as it was bound, and how much of a call it takes. */
interface Bound {
  statement: object;
  values: readonly unknown[];
}

/**
 * A database that counts its queries, and refuses values and calls that D1 refuses. Statements have to be bound before they are
 * run.
 */
export function limitedDatabase<D extends Database>(database: D, limits: InvocationLimits): D {
  const known = new WeakMap<object, Bound>();
  const prepare = (sql: string): unknown => {
    limits.takeQuery();
    const statement = database.prepare(sql);
    const bind = (...values: unknown[]): unknown => {
      for (const value of values) checkSize(value);
      const bound = statement.bind(...values);
      if (typeof bound !== "object" || bound === null || !("all" in bound)) return bound;
      const all = async (): Promise<unknown> => {
        checkCall([sql, ...values]);
        return checkedAnswer(await call(bound.all, bound, []));
      };
      const limited = replaced(bound, "all", all);
      known.set(limited, { statement: bound, values: [sql, ...values] });
      return limited;
    };
    return replaced(statement, "bind", bind);
  };
  const batch = async (statements: readonly object[]): Promise<unknown> => {
    const bound = statements.map((one) => known.get(one) ?? { statement: one, values: [] });
    checkCall(bound.flatMap(({ values }) => values));
    return checkedAnswer(await call(database.batch, database, [bound.map(({ statement }) => statement)]));
  };
  return replaced(replaced(database, "prepare", prepare), "batch", batch);
}

/** A Worker's bindings with every database of the ledger limited. */
export function limitedLedger<E extends object>(env: E, limits: InvocationLimits): E {
  const limited: Record<string, Database> = {};
  for (const [name, bound] of new Map<string, unknown>(Object.entries(env))) {
    if (name.startsWith(LEDGER_BINDING) && isDatabase(bound)) limited[name] = limitedDatabase(bound, limits);
  }
  return { ...env, ...limited };
}

function isDatabase(bound: unknown): bound is Database {
  return typeof bound === "object" && bound !== null && "prepare" in bound && "batch" in bound;
}

/** Both KV and R2 take one write of a name a second (developers.cloudflare.com/kv/platform/limits, …/r2/platform/limits). */
const MILLISECONDS_BETWEEN_WRITES = 1000;

/** When names were written by this Worker, whatever the invocation: a second write of one within a second is refused. */
export class SpacedWrites {
  readonly #refusal: string;
  readonly #nowMilliseconds: () => number;
  /** The longest ago first. */
  readonly #written = new Map<string, number>();

  /** @param refusal what the platform says */
  constructor(refusal: string, nowMilliseconds: () => number = Date.now) {
    this.#refusal = refusal;
    this.#nowMilliseconds = nowMilliseconds;
  }

  /** A write that is about to be made. @throws Error if the name was written within the last second */
  take(name: string): void {
    const now = this.#nowMilliseconds();
    for (const [one, at] of this.#written) {
      if (now - at < MILLISECONDS_BETWEEN_WRITES) break;
      this.#written.delete(one);
    }
    if (this.#written.has(name)) throw new Error(this.#refusal);
    this.#written.set(name, now);
  }
}

const KV_WRITES = new SpacedWrites("KV PUT failed: 429 Too Many Requests");
const R2_WRITES = new SpacedWrites("put: Reduce your concurrent request rate for the same object. (10058)");

/** A namespace of KV that counts its calls, and refuses a second write of a key within a second. */
export function limitedKv<K extends object>(namespace: K, limits: InvocationLimits, writes = KV_WRITES): K {
  return new Proxy(namespace, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property);
      if (typeof value !== "function") return value;
      return async (...given: unknown[]) => {
        limits.takeKvOperation();
        if (property === "put" || property === "delete") writes.take(String(given[0]));
        return Reflect.apply(value, object, given);
      };
    },
  });
}

/** The part of a bucket that is looked at. */
interface Bucket {
  put(key: string, ...others: never[]): Promise<unknown>;
}

/** A bucket that refuses a second write of an object within a second. */
export function limitedBucket<B extends Bucket>(bucket: B, writes = R2_WRITES): B {
  const put = async (key: string, ...others: unknown[]): Promise<unknown> => {
    writes.take(key);
    return call(bucket.put, bucket, [key, ...others]);
  };
  return replaced(bucket, "put", put);
}

/** The parts of a queue that are looked at. */
interface Queue {
  send(body: never): Promise<unknown>;
  sendBatch(messages: never): Promise<unknown>;
}

/**
 * A queue that refuses what Queues refuses: wrangler's does not count the metadata of a message, and takes a batch with 32 KB
 * more.
 */
export function limitedQueue<Q extends Queue>(queue: Q): Q {
  const send = async (body: unknown, ...options: unknown[]): Promise<unknown> => {
    messageBytes(body);
    return call(queue.send, queue, [body, ...options]);
  };
  const sendBatch = async (messages: Iterable<{ body: unknown }>, ...options: unknown[]): Promise<unknown> => {
    const all = [...messages];
    const bytes = all.reduce((sum, { body }) => sum + messageBytes(body), 0);
    if (bytes > QUEUE_LIMITS.maxBatchBytes) {
      throw new Error(`batch size of ${bytes} bytes exceeds limit of ${QUEUE_LIMITS.maxBatchBytes} bytes (10205)`);
    }
    return call(queue.sendBatch, queue, [all, ...options]);
  };
  return replaced(replaced(queue, "send", send), "sendBatch", sendBatch);
}

function messageBytes(body: unknown): number {
  const bytes = jsonBytes(body) + QUEUE_LIMITS.metadataBytes;
  if (bytes <= QUEUE_LIMITS.maxMessageBytes) return bytes;
  throw new Error(`message length of ${bytes} bytes exceeds limit of ${QUEUE_LIMITS.maxMessageBytes} (10204)`);
}

async function call(method: unknown, object: object, values: unknown[]): Promise<unknown> {
  return typeof method === "function" ? Reflect.apply(method, object, values) : undefined;
}

function checkedAnswer<T>(answer: T): T {
  checkCall([answer]);
  return answer;
}

function checkSize(value: unknown): void {
  // A character is at least one byte; encoding every parameter would cost more than the query.
  if (typeof value !== "string" || value.length <= D1_LIMITS.maxRowBytes / 3) return;
  if (new TextEncoder().encode(value).length > D1_LIMITS.maxRowBytes) {
    throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
  }
}

/** Refuses what is too large for one call of D1. @param values what is bound to its statements, or its answer */
export function checkCall(values: readonly unknown[]): void {
  const { maxCallBytes } = D1_LIMITS;
  // A character takes one byte, or two in a text that has others than Latin-1's.
  if (callBytes(values, ({ length }) => 2 * length) <= maxCallBytes) return;
  const bytes = callBytes(values, (text) => (/[^\0-\xff]/.test(text) ? 2 : 1) * text.length);
  if (bytes <= maxCallBytes) return;
  throw new Error(
    `D1_ERROR: Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: ${bytes} bytes.`,
  );
}

/** About as many bytes as the values have when they are serialized. */
function callBytes(value: unknown, textBytes: (text: string) => number): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value !== "object" || value === null) return NUMBER_BYTES;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  let bytes = 0;
  for (const one of Array.isArray(value) ? value : Object.values(value)) bytes += callBytes(one, textBytes);
  return bytes;
}

/** A type and eight bytes. */
const NUMBER_BYTES = 9;

/** An object with another method of a name. */
function replaced<T extends object>(target: T, name: keyof T, method: unknown): T {
  return new Proxy(target, {
    get(object, property) {
      if (property === name) return method;
      const value: unknown = Reflect.get(object, property);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}
