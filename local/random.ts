/** Random numbers for the samples, tests and benchmarks: seeded, so that the same seed gives the same data. Pure. */

/** mulberry32: small, and the same everywhere. @returns numbers from 0 up to 1 */
export function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The random numbers of one sample: neighbouring seeds have nothing in common. */
export function seededRandom(seed: number): () => number {
  return mulberry32(seed * 0x9e3779b9);
}
