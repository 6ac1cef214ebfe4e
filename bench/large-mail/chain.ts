/**
 * Mails through ingest and process as the platform hands them on, one after the other: what ingest enqueued waits here
 * until a process Worker is asked to take it. It measures nothing.
 */
import { Readable } from "node:stream";
import * as v from "valibot";
import { DATASET_IDS } from "../../shared/analytics/columns.ts";
import { putAddress } from "../../shared/ledger/addresses.ts";
import type { RegistryEntry } from "../../shared/registry.ts";
import { seeded } from "../../test/support/seeded-reports.ts";
import type { Bindings, SentMessage } from "./bindings.ts";
import type { RunningWorker } from "./workerd.ts";

const MAX_PIECE_BYTES = 200_000;

const rejection = v.object({ rejected: v.string() });
const handled = v.object({
  answer: v.picklist(["ack", "retry", ""]),
  points: v.array(
    v.object({
      dataset: v.picklist(DATASET_IDS),
      indexes: v.array(v.string()),
      blobs: v.array(v.string()),
      doubles: v.array(v.number()),
    }),
  ),
});

/** What an invocation of process did with its messages, or with one that it did not acknowledge: `""` when it asked for none again. */
export type Handled = v.InferOutput<typeof handled>;
export type WrittenPoint = Handled["points"][number];

/** An address that takes mail. */
export interface Address {
  rua: string;
  entry: RegistryEntry;
}

export class Chain {
  readonly #rua: string;
  /** Messages sent to the queues and not yet taken, oldest first. */
  readonly waiting: SentMessage[] = [];

  private constructor(bindings: Bindings, rua: string) {
    this.#rua = rua;
    bindings.onMessage = (sent) => this.waiting.push(sent);
  }

  /** Registers the address; from then on what is sent to the queues waits here. */
  static async open(bindings: Bindings, { rua, entry }: Address): Promise<Chain> {
    const { registry, ledger } = bindings;
    const copy = {
      get: async (key: string) => registry.get(key) ?? null,
      put: async (key: string, value: string) => void registry.set(key, value),
      delete: async (key: string) => void registry.delete(key),
    };
    await putAddress({ rua, entry }, { directory: ledger, copy, newAccountShard: 0 }, 0);
    return new Chain(bindings, rua);
  }

  /**
   * Hands a mail to ingest, in pieces of any size as it comes from the network.
   *
   * @returns why it was rejected, "" if it was taken
   * @throws when ingest fails or ends
   */
  async receive(ingest: RunningWorker, bytes: Uint8Array): Promise<string> {
    const body = Readable.from(inPieces(bytes));
    const answer = await ingest.send(`/?to=${this.#rua}&rawSize=${bytes.byteLength}`, body);
    return v.parse(rejection, answer).rejected;
  }
}

/** The messages of one batch. */
export interface SentBatch {
  queue: string;
  bodies: readonly unknown[];
}

/** Hands a batch to process. @throws when process fails or ends */
export async function handle(process: RunningWorker, batch: SentBatch): Promise<Handled> {
  return v.parse(handled, await process.send("/", Readable.from([JSON.stringify(batch)])));
}

function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  const random = seeded(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const end = at + 1 + Math.floor(random() ** 3 * MAX_PIECE_BYTES);
    yield bytes.subarray(at, end);
    at = end;
  }
}
