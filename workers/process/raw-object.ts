/** A raw object in R2 as a source of bytes: small ones fetched once, large ones streamed and read by range. */
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";

/** An object that is there; its bytes are fetched when it is opened, and let go when it is not. */
export interface FoundObject {
  sizeBytes: number;
  open(): Promise<ByteSource>;
  leave(): Promise<void>;
}

/** @returns undefined when the object is not there; @throws whatever R2 throws */
export async function findRawObject(bucket: R2Bucket, key: string): Promise<FoundObject | undefined> {
  const object = await bucket.get(key);
  if (object === null) return undefined;
  return {
    sizeBytes: object.size,
    async open() {
      if (object.size <= PROCESS_LIMITS.maxHeldObjectBytes) {
        return bytesSource(new Uint8Array(await object.arrayBuffer()));
      }
      await object.body.cancel();
      return rangedSource(bucket, object);
    },
    leave: () => object.body.cancel(),
  };
}

function rangedSource(bucket: R2Bucket, { key, size }: R2Object): ByteSource {
  return {
    sizeBytes: size,
    async *stream() {
      yield* (await get(bucket, key)).body;
    },
    async read(offset, length) {
      const bounded = Math.min(length, size - offset);
      if (bounded <= 0) return new Uint8Array(0);
      const range = await get(bucket, key, { range: { offset, length: bounded } });
      return new Uint8Array(await range.arrayBuffer());
    },
  };
}

async function get(bucket: R2Bucket, key: string, options?: R2GetOptions): Promise<R2ObjectBody> {
  const object = await bucket.get(key, options);
  if (object === null) throw new Error(`${key} disappeared while it was read.`);
  return object;
}
