/**
 * A fast 64-bit hash for comparing content. Not cryptographic: unsuitable wherever somebody gains from a collision.
 * Pure.
 */

/** Keeps sums exact: two summands are less than 2^53 together. */
const LANE = 2 ** 52;

/** An order-independent sum of hashes. */
export class HashSum {
  #first = 0;
  #second = 0;
  #count = 0;

  add(first: number, second: number): void {
    this.#first = (this.#first + first) % LANE;
    this.#second = (this.#second + second) % LANE;
    this.#count++;
  }

  get parts(): number[] {
    return [this.#count, this.#first, this.#second];
  }
}

/** Hashes a sequence of texts and numbers; `addTo` ends an item. */
export class ItemHash {
  #a = 0;
  #b = 0;

  constructor() {
    this.#reset();
  }

  text(text: string): void {
    let a = this.#a;
    let b = this.#b;
    const { length } = text;
    // Two characters at a time; the shifts move high bits to where the next product uses them.
    for (let i = 0; i < length; i += 2) {
      const pair = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
      a = Math.imul(a ^ pair, 0x9e3779b1);
      b = Math.imul(b ^ pair, 0x5f356495);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    // The length distinguishes ("ab", "c") from ("a", "bc").
    this.#a = Math.imul(a ^ length, 0x85ebca77);
    this.#b = Math.imul(b ^ length, 0xc2b2ae3d);
  }

  number(value: number): void {
    this.#a = Math.imul(this.#a ^ value ^ (this.#b >>> 16), 0x85ebca77);
    this.#b = Math.imul(this.#b ^ Math.floor(value / 2 ** 32) ^ value, 0xc2b2ae3d);
  }

  addTo(sum: HashSum): void {
    let a = this.#a ^ (this.#b >>> 16);
    let b = this.#b ^ (this.#a >>> 16);
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
    a = Math.imul(a ^ (b >>> 13), 0xc2b2ae35) >>> 0;
    b = Math.imul(b ^ (a >>> 16), 0x85ebca6b) >>> 0;
    sum.add(a * 2 ** 20 + (b >>> 12), b * 2 ** 20 + (a >>> 12));
    this.#reset();
  }

  #reset(): void {
    this.#a = 0x2545f491;
    this.#b = 0x4f6cdd1d;
  }
}

/** Hash of lines, ignoring line ends and surrounding white space; 26 hex digits. */
export function linesHash(text: string): string {
  const item = new ItemHash();
  const sum = new HashSum();
  for (const line of text.split(/[\r\n]+/)) {
    const words = line.trim();
    if (words !== "") item.text(words);
  }
  item.addTo(sum);
  const [, first = 0, second = 0] = sum.parts;
  return first.toString(16).padStart(13, "0") + second.toString(16).padStart(13, "0");
}
