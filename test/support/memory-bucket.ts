/**
 * Support: R2 in memory, as far as the Workers use it: conditional puts by etag, listing in the order of keys with
 * prefix, delimiter, startAfter and cursor, ranges, custom metadata. test/process/bucket.test.ts holds it against the
 * real one in workerd.
 */
import { createHash } from "node:crypto";
import { STORAGE_LIMITS } from "../../shared/limits.ts";

interface Stored {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
  uploaded: Date;
  customMetadata: Record<string, string>;
  writtenMilliseconds: number;
}

export interface MemoryPutOptions {
  onlyIf?: { etagMatches?: string; etagDoesNotMatch?: string };
  customMetadata?: Record<string, string>;
  sha256?: string;
}

export interface MemoryListOptions {
  prefix?: string;
  startAfter?: string;
  cursor?: string;
  delimiter?: string;
  limit?: number;
}

/** R2 takes one write of a key a second (developers.cloudflare.com/r2/platform/limits). */
const MILLISECONDS_BETWEEN_WRITES = 1000;

/** Objects by key. */
export class MemoryBucket {
  readonly #objects = new Map<string, Stored>();
  readonly #clock: { nowMilliseconds: number } | undefined;
  #writes = 0;

  /** @param clock by which a second write of a key within a second is refused, as R2 does and workerd does not; absent = none is */
  constructor(clock?: { nowMilliseconds: number }) {
    this.#clock = clock;
  }

  async put(key: string, value: string | Uint8Array, options: MemoryPutOptions = {}) {
    const bytes = new Uint8Array(typeof value === "string" ? new TextEncoder().encode(value) : value);
    if (options.sha256 !== undefined && createHash("sha256").update(bytes).digest("hex") !== options.sha256) {
      throw new Error("put: The SHA-256 checksum you specified did not match what we received. (10037)");
    }
    const metadata = Object.entries(options.customMetadata ?? {});
    if (Buffer.byteLength(key) > STORAGE_LIMITS.maxKeyBytes)
      throw new Error("put: The specified object name is not valid. (10020)");
    if (Buffer.byteLength(metadata.flat().join("")) > STORAGE_LIMITS.maxMetadataBytes) {
      throw new Error("put: Your metadata headers exceed the maximum allowed metadata size. (10012)");
    }
    const { etagMatches, etagDoesNotMatch } = options.onlyIf ?? {};
    const existing = this.#objects.get(key);
    const writtenMilliseconds = this.#clock?.nowMilliseconds ?? 0;
    if (
      this.#clock !== undefined &&
      existing !== undefined &&
      writtenMilliseconds - existing.writtenMilliseconds < MILLISECONDS_BETWEEN_WRITES
    ) {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    }
    if (etagDoesNotMatch === "*" && existing !== undefined) return null;
    if (etagMatches !== undefined && existing?.etag !== etagMatches) return null;
    const customMetadata = { ...options.customMetadata };
    this.#objects.set(key, {
      bytes,
      etag: `etag-${++this.#writes}`,
      uploaded: new Date(0),
      customMetadata,
      writtenMilliseconds,
    });
    return this.#describe(key);
  }

  async head(key: string) {
    return this.#describe(key);
  }

  async get(key: string, options: { range?: { offset: number; length: number } } = {}) {
    const stored = this.#objects.get(key);
    const described = this.#describe(key);
    if (stored === undefined || described === null) return null;
    const { offset = 0, length = stored.bytes.byteLength } = options.range ?? {};
    const bytes = stored.bytes.slice(offset, offset + length);
    return {
      ...described,
      body: new Blob([bytes]).stream(),
      arrayBuffer: async () => bytes.buffer,
      text: async () => new TextDecoder().decode(bytes),
      json: async () => JSON.parse(new TextDecoder().decode(bytes)),
    };
  }

  async delete(keys: string | string[]): Promise<void> {
    for (const key of [keys].flat()) this.#objects.delete(key);
  }

  async list({ prefix = "", startAfter = "", cursor = "", delimiter, limit = 1000 }: MemoryListOptions = {}) {
    const after = cursor > startAfter ? cursor : startAfter;
    const objects: NonNullable<ReturnType<MemoryBucket["describe"]>>[] = [];
    const prefixes: string[] = [];
    let last = "";
    let truncated = false;
    for (const key of this.keys(prefix)) {
      if (key <= after) continue;
      const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      const group = end === -1 ? undefined : key.slice(0, end + 1);
      if (group !== undefined && prefixes.includes(group)) {
        last = key;
        continue;
      }
      if (objects.length + prefixes.length === limit) {
        truncated = true;
        break;
      }
      last = key;
      const described = this.describe(key);
      if (group !== undefined) prefixes.push(group);
      else if (described !== null) objects.push(described);
    }
    return { objects, delimitedPrefixes: prefixes, truncated, ...(truncated ? { cursor: last } : {}) };
  }

  /** Marks what it holds. @returns what brings that back */
  mark(): () => void {
    const objects = [...this.#objects];
    const writes = this.#writes;
    return () => {
      this.#objects.clear();
      for (const [key, stored] of objects) this.#objects.set(key, stored);
      this.#writes = writes;
    };
  }

  /** Keys with a prefix, sorted. */
  keys(prefix = ""): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** An object's JSON; the test's own look, which no fault can hit. */
  json<T>(key: string): T {
    const stored = this.#objects.get(key);
    if (stored === undefined) throw new Error(`There is no ${key}.`);
    return JSON.parse(new TextDecoder().decode(stored.bytes)) as T;
  }

  /** An object's bytes; likewise. */
  bytes(key: string): Uint8Array {
    const stored = this.#objects.get(key);
    if (stored === undefined) throw new Error(`There is no ${key}.`);
    return stored.bytes;
  }

  describe(key: string) {
    return this.#describe(key);
  }

  #describe(key: string) {
    const stored = this.#objects.get(key);
    if (stored === undefined) return null;
    const { bytes, etag, uploaded, customMetadata } = stored;
    return { key, size: bytes.byteLength, etag, uploaded, customMetadata: { ...customMetadata } };
  }
}
