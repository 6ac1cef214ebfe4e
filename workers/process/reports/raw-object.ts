/**
 * A raw object as a source of bytes: one that its message carries, or one in R2, of which small ones are fetched once, large
 * ones streamed and read by range.
 */
import { decodeBase64 } from "../../../shared/base64.ts";
import { sha256Hex } from "../../../shared/identity.ts";
import { PAGE_LIMITS, PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { CarriedObject } from "../../../shared/messages.ts";
import type { RawObject } from "../../../shared/operations.ts";
import { type ByteSource, bytesSource } from "../../../shared/report/source.ts";
import { parseRawMetadata, RAW_PREFIX, type RawMetadata, sha256OfRawKey } from "../../../shared/storage.ts";
import type { ProcessEnv } from "../env.ts";

/** An existing object. Its bytes are fetched when it is opened; if they are not wanted, `close` releases them. */
export interface FoundObject {
  sizeBytes: number;
  /** Its metadata. */
  metadata: RawMetadata;
  open(): Promise<ByteSource>;
  /** Releases the bytes unread. */
  close(): Promise<void>;
}

/**
 * The object that came with its message. R2 has it as well, unless it has been removed there since.
 *
 * @returns undefined when the content is not that of the key
 */
export async function openCarried(key: string, { content, metadata }: CarriedObject): Promise<FoundObject | undefined> {
  const bytes = decodeBase64(content);
  if (bytes === undefined || (await sha256Hex(bytes)) !== sha256OfRawKey(key)) return undefined;
  return {
    sizeBytes: bytes.byteLength,
    metadata: parseRawMetadata(metadata),
    open: async () => bytesSource(bytes),
    close: async () => {},
  };
}

/** @returns undefined when the object is not there; @throws whatever R2 throws */
export async function findRawObject(bucket: R2Bucket, key: string): Promise<FoundObject | undefined> {
  const object = await bucket.get(key);
  if (object === null) return undefined;
  return {
    sizeBytes: object.size,
    metadata: parseRawMetadata(object.customMetadata),
    async open() {
      if (object.size <= PROCESS_LIMITS.maxHeldObjectBytes) {
        return bytesSource(new Uint8Array(await object.arrayBuffer()));
      }
      await object.body.cancel();
      return rangedSource(bucket, object);
    },
    close: () => object.body.cancel(),
  };
}

function rangedSource(bucket: R2Bucket, { key, size }: R2Object): ByteSource {
  return {
    sizeBytes: size,
    async *stream() {
      yield* inPieces((await get(bucket, key)).body);
    },
    async read(offset, length) {
      const bounded = Math.min(length, size - offset);
      if (bounded <= 0) return new Uint8Array(0);
      const range = await get(bucket, key, { range: { offset, length: bounded } });
      return new Uint8Array(await range.arrayBuffer());
    },
  };
}

const PIECE_BYTES = 64 * 1024;

/**
 * A body in larger chunks: the runtime's own are 4 KB each. All of them use one buffer, because buffers are collected
 * late: scanning a mail would leave its whole size as garbage.
 */
async function* inPieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  try {
    for (let buffer = new ArrayBuffer(PIECE_BYTES); ; ) {
      const { done, value } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(buffer));
      if (value !== undefined && value.byteLength > 0) yield value;
      if (done) return;
      // Reading transfers the buffer: this is its memory now.
      buffer = value.buffer;
    }
  } finally {
    await reader.cancel();
  }
}

async function get(bucket: R2Bucket, key: string, options?: R2GetOptions): Promise<R2ObjectBody> {
  const object = await bucket.get(key, options);
  if (object === null) throw new Error(`${key} disappeared while it was read.`);
  return object;
}

/** The metadata of a raw object; undefined when there is none. */
export async function describeRawObject(bucket: R2Bucket, key: string): Promise<RawObject | undefined> {
  const object = key.startsWith(RAW_PREFIX) ? await bucket.head(key) : null;
  if (object === null) return undefined;
  const { size: sizeBytes, uploaded, customMetadata } = object;
  return { key, sizeBytes, storedAt: uploaded.toISOString(), metadata: parseRawMetadata(customMetadata) };
}

/** The bytes of a raw object, exactly as they came; undefined when there is none or the key is of something else. */
export async function readRawObject(bucket: R2Bucket, key: string): Promise<Response | undefined> {
  const object = key.startsWith(RAW_PREFIX) ? await bucket.get(key) : null;
  if (object === null) return undefined;
  const headers = { "content-type": "application/octet-stream", "content-length": String(object.size) };
  return new Response(object.body, { headers });
}

/** A page of raw objects below a prefix; `next` is undefined on the last one. */
export async function listObjects(
  { R2_DMARC_REPORTS: bucket }: Pick<ProcessEnv, "R2_DMARC_REPORTS">,
  { prefix, after }: { prefix: string; after: string },
): Promise<{ objects: R2Object[]; next: string | undefined }> {
  const page = await bucket.list({
    prefix,
    limit: PAGE_LIMITS.jobKeys,
    include: ["customMetadata"],
    ...(after === "" ? {} : { startAfter: after }),
  });
  return { objects: page.objects, next: page.truncated ? page.objects.at(-1)?.key : undefined };
}
