/**
 * A fast hash of 64 bits, to compare what was read with what was read before. Not cryptographic: where someone gains by a
 * collision, it is the wrong one. Pure.
 */

/** Sums stay whole numbers: two of them together are less than 2^53. */
const LANE = 2 ** 52;

/** A sum of hashes that does not depend on their order. */
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

/** Hashes texts and numbers, one after the other; `addTo` ends one item. */
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
    // Two characters at a time; the shifts bring what is high down to where the next product can use it.
    for (let i = 0; i < length; i += 2) {
      const pair = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
      a = Math.imul(a ^ pair, 0x9e3779b1);
      b = Math.imul(b ^ pair, 0x5f356495);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    // The length, so that ("ab", "c") is not ("a", "bc").
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

/** Hash of lines, whatever their ends and the white space around them; 26 hex digits. */
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
