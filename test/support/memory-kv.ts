/**
 * Support: KV in memory, with what the platform refuses (developers.cloudflare.com/kv/platform/limits, and
 * …/kv/api/write-key-value-pairs for its words): keys that are too long, and a second write of a key within a second,
 * which wrangler's own KV takes.
 */
import { STORAGE_LIMITS } from "../../shared/limits.ts";

export class MemoryKv {
  readonly #values: Map<string, string>;
  readonly #clock: { nowMilliseconds: number };
  readonly #written = new Map<string, number>();

  constructor(values: Map<string, string>, clock: { nowMilliseconds: number }) {
    this.#values = values;
    this.#clock = clock;
  }

  async get(key: string): Promise<string | null> {
    checkKey("GET", key);
    return this.#values.get(key) ?? null;
  }

  async put(key: string, value: string): Promise<void> {
    this.#write("PUT", key);
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#write("DELETE", key);
    this.#values.delete(key);
  }

  async list({ prefix, limit, cursor = "" }: { prefix: string; limit: number; cursor?: string }) {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort();
    const some = keys.slice(0, limit);
    const isComplete = some.length === keys.length;
    const next = isComplete ? {} : { cursor: some.at(-1) };
    return { keys: some.map((name) => ({ name })), list_complete: isComplete, ...next };
  }

  #write(method: string, key: string): void {
    checkKey(method, key);
    const { nowMilliseconds } = this.#clock;
    const before = this.#written.get(key);
    // The clock of a test may have been set back.
    if (before !== undefined && Math.abs(nowMilliseconds - before) < 1000) {
      throw new Error(`KV ${method} failed: 429 Too Many Requests`);
    }
    this.#written.set(key, nowMilliseconds);
  }
}

function checkKey(method: string, key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > STORAGE_LIMITS.maxKvKeyBytes) {
    throw new Error(
      `KV ${method} failed: 414 UTF-8 encoded length of ${bytes} exceeds key length limit of ${STORAGE_LIMITS.maxKvKeyBytes}.`,
    );
  }
}
