/** A raw object in R2 as a source of bytes: small ones fetched once, large ones streamed and read by range. */
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";

/** @returns undefined when the object is not there; @throws whatever R2 throws */
export async function openRawObject(bucket: R2Bucket, key: string): Promise<ByteSource | undefined> {
  const object = await bucket.get(key);
  if (object === null) return undefined;
  if (object.size <= PROCESS_LIMITS.maxHeldObjectBytes) return bytesSource(new Uint8Array(await object.arrayBuffer()));
  await object.body.cancel();
  return {
    sizeBytes: object.size,
    async *stream() {
      yield* (await get(bucket, key)).body;
    },
    async read(offset, length) {
      const bounded = Math.min(length, object.size - offset);
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
