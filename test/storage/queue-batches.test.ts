import { describe, expect, it } from "vitest";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import { jsonBytes, queueBatches } from "../../shared/queue-batches.ts";

describe("batches of messages", () => {
  const batchesOf = (messages: unknown[]) => [...queueBatches(messages)].map((batch) => batch.map(({ body }) => body));

  it("have at most as many messages as Queues takes", () => {
    const messages = Array.from({ length: 2 * QUEUE_LIMITS.maxBatchMessages + 1 }, (_, i) => i);
    const batches = batchesOf(messages);
    expect(batches.map(({ length }) => length)).toEqual([100, 100, 1]);
    expect(batches.flat()).toEqual(messages);
  });

  it("have at most as many bytes as Queues takes, what it adds to each included", () => {
    const messages = Array.from({ length: 40 }, (_, i) => ({ i, text: "ü".repeat(1000 * i) }));
    const batches = batchesOf(messages);
    const sizes = batches.map((batch) =>
      batch.reduce<number>((sum, body) => sum + jsonBytes(body) + QUEUE_LIMITS.metadataBytes, 0),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(QUEUE_LIMITS.maxBatchBytes);
    // No two neighbours would fit one batch.
    for (const [i, size] of sizes.entries()) {
      const first = batches[i + 1]?.[0];
      if (first !== undefined)
        expect(size + jsonBytes(first) + QUEUE_LIMITS.metadataBytes).toBeGreaterThan(QUEUE_LIMITS.maxBatchBytes);
    }
    expect(batches.flat()).toEqual(messages);
  });

  it("are none of no messages", () => {
    expect(batchesOf([])).toEqual([]);
  });
});
