/** Messages in the batches that Queues takes: limited in messages and bytes. Pure. */
import { QUEUE_LIMITS } from "./limits.ts";

/** Yields the messages in order, as few batches as that allows. A message that is too large alone is left to the queue to refuse. */
export function* queueBatches<Message>(messages: readonly Message[]): Generator<{ body: Message }[]> {
  let batch: { body: Message }[] = [];
  let bytes = 0;
  for (const body of messages) {
    // One message needs no counting.
    const size = messages.length === 1 ? 0 : jsonBytes(body) + QUEUE_LIMITS.metadataBytes;
    if (batch.length >= QUEUE_LIMITS.maxBatchMessages || bytes + size > QUEUE_LIMITS.maxBatchBytes) {
      if (batch.length > 0) yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push({ body });
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

const encoder = new TextEncoder();

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).byteLength;
}
