/** CRC-32 of ISO 3309, as zip archives hold it (pako keeps its own to itself). */

const CRC_TABLES = buildCrcTables();

/**
 * The checksum state after more bytes: start with 0xffffffff, and invert the last state for the checksum.
 *
 * Four bytes at a time ("slicing by 4"): a byte at a time would take longer than inflating.
 */
export function updateCrc32(crc: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = CRC_TABLES;
  let c = crc;
  let i = 0;
  for (const end = bytes.byteLength - 3; i < end; i += 4) {
    c ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    c = at(t3, c & 0xff) ^ at(t2, (c >>> 8) & 0xff) ^ at(t1, (c >>> 16) & 0xff) ^ at(t0, c >>> 24);
  }
  for (; i < bytes.byteLength; i++) c = (c >>> 8) ^ at(t0, (c ^ at(bytes, i)) & 0xff);
  return c;
}

function at(array: Uint8Array | Int32Array, index: number): number {
  return array[index] ?? 0;
}

function buildCrcTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const tables = [0, 1, 2, 3].map(() => new Int32Array(256));
  const [t0, t1, t2, t3] = tables as [Int32Array, Int32Array, Int32Array, Int32Array];
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    t0[n] = c;
  }
  for (let n = 0; n < 256; n++) {
    let c = at(t0, n);
    for (const table of [t1, t2, t3]) {
      c = at(t0, c & 0xff) ^ (c >>> 8);
      table[n] = c;
    }
  }
  return [t0, t1, t2, t3];
}
