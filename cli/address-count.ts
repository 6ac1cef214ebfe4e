/** Counts distinct addresses in a few bytes each: for a million, a Set of strings takes a hundred bytes each. */

const FIRST_SLOTS = 1024;
/** FNV-1a with two seeds gives a 64-bit key; two of a million addresses collide once in 30 million reports. */
const SEEDS = [0x811c9dc5, 0x9747b28c] as const;
const FNV_PRIME = 0x01000193;

/** Counts distinct texts by 64-bit hash, in a hash table with open addressing. */
export class AddressCount {
  #high = new Uint32Array(FIRST_SLOTS);
  #low = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(text: string): void {
    if (4 * this.#size >= 3 * this.#high.length) this.#grow();
    // Zero in both marks a free slot.
    const high = hash(text, SEEDS[0]) || 1;
    if (this.#put(high, hash(text, SEEDS[1]))) this.#size++;
  }

  /** Whether the key is new. */
  #put(high: number, low: number): boolean {
    const [highs, lows] = [this.#high, this.#low];
    const mask = highs.length - 1;
    let slot = (high ^ low) & mask;
    for (; highs[slot] !== 0; slot = (slot + 1) & mask) {
      if (highs[slot] === high && lows[slot] === low) return false;
    }
    highs[slot] = high;
    lows[slot] = low;
    return true;
  }

  #grow(): void {
    const [highs, lows] = [this.#high, this.#low];
    this.#high = new Uint32Array(2 * highs.length);
    this.#low = new Uint32Array(2 * lows.length);
    highs.forEach((high, i) => {
      if (high !== 0) this.#put(high, lows[i] ?? 0);
    });
  }
}

function hash(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), FNV_PRIME);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
