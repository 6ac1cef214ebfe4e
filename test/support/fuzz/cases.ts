/** Support: the fuzzer's cases. The same seed and number give the same input, and a failure the smallest input found. */
import { toBytes } from "../archives.ts";
import { quirks } from "../quirks/all.ts";
import { checkInput } from "./check.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

/** Fixtures to start from; the few large ones cost time and add nothing. */
const SEEDS = quirks.map(({ content }) => toBytes(content)).filter(({ byteLength }) => byteLength < 20_000);

export interface FuzzCase {
  bytes: Uint8Array;
  /** Sizes of the pieces for a second reading that must come out the same. */
  cut: number[] | undefined;
}

/** Input of one case. */
export function makeCase(seed: number, number: number): FuzzCase {
  const random = new Random(seed, number);
  const bytes = mutate(random, SEEDS);
  const cut = random.hits(4) ? [1 + random.below(3), 1 + random.below(700), 1 + random.below(5000)] : undefined;
  return { bytes, cut };
}

/** Runs one case; what is wrong, or undefined. */
export async function runCase({ bytes, cut }: FuzzCase): Promise<string | undefined> {
  try {
    await checkInput(bytes, cut);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message.slice(0, 500)}` : String(error);
  }
}

/** A smaller input that fails as well: pieces are taken away for as long as that goes on, a minute at most. */
export async function minimise(failing: FuzzCase): Promise<Uint8Array> {
  let { bytes } = failing;
  const end = performance.now() + 60_000;
  for (let size = bytes.byteLength >> 1; size >= 1; ) {
    let isSmaller = false;
    for (let at = 0; at < bytes.byteLength && performance.now() < end; ) {
      const shorter = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
      if ((await runCase({ bytes: new Uint8Array(shorter), cut: failing.cut })) === undefined) at += size;
      else {
        bytes = new Uint8Array(shorter);
        isSmaller = true;
      }
    }
    if (!isSmaller || size > 1) size >>= 1;
    if (performance.now() >= end) break;
  }
  return bytes;
}
