/**
 * A digest's picture: messages by day as a PNG with a transparent background, in colours that can be told apart on white and on
 * black. It has no text: that is in the mail, where it can be read aloud, enlarged and searched. Pure; the compressor is an argument.
 */
import type { StoryDay } from "./story.ts";

/** Pixels: twice the size it is shown in, for screens with small ones. */
const WIDTH = 1120;
const HEIGHT = 240;
/** Ours: pixels between two days, and of the line that bars stand on. */
const GAP = 6;
const BASE = 4;
/** Places in the palette. */
const [NOTHING, PASSED, FAILED, LINE] = [0, 1, 2, 3];
/** Red, green, blue; each at least 3:1 against white and against black (WCAG 2.2, 1.4.11). */
const PALETTE = [0, 0, 0, 0x2e, 0x94, 0x66, 0xd9, 0x5f, 0x26, 0x80, 0x80, 0x80];

/** Size in which it is shown. */
export const PICTURE_SIZE = { width: WIDTH / 2, height: HEIGHT / 2 };

/** Compresses into the format zlib (RFC 1950). */
export type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;

/** The picture of some days: what passed at the bottom, what failed hatched above it. @returns a PNG (RFC 2083) */
export async function daysPicture(days: readonly StoryDay[], compress: Compress): Promise<Uint8Array> {
  const pixels = new Uint8Array(WIDTH * HEIGHT).fill(NOTHING);
  const fill = (x: number, bottom: number, size: { width: number; height: number }, colour: number): void => {
    for (let up = bottom; up < bottom + size.height; up++) {
      const row = (HEIGHT - 1 - up) * WIDTH;
      for (let at = x; at < x + size.width; at++) {
        // Stripes, so that it differs by more than colour.
        if (colour !== FAILED || (at + up) % 12 < 8) pixels[row + at] = colour;
      }
    }
  };
  fill(0, 0, { width: WIDTH, height: BASE }, LINE);
  const largest = Math.max(1, ...days.map(({ passed, failed }) => passed + failed));
  const step = Math.floor(WIDTH / Math.max(1, days.length));
  const height = (count: number): number =>
    count === 0 ? 0 : Math.max(2, Math.round((count / largest) * (HEIGHT - BASE - 4)));
  for (const [i, { passed, failed }] of days.entries()) {
    const x = i * step + GAP / 2;
    const width = Math.max(1, step - GAP);
    fill(x, BASE, { width, height: height(passed) }, PASSED);
    fill(x, BASE + height(passed), { width, height: height(failed) }, FAILED);
  }
  return png(pixels, compress);
}

async function png(pixels: Uint8Array, compress: Compress): Promise<Uint8Array> {
  // Two bits a pixel; each row begins with its filter, none.
  const rowBytes = WIDTH / 4;
  const rows = new Uint8Array(HEIGHT * (rowBytes + 1));
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const place = y * (rowBytes + 1) + 1 + (x >> 2);
      rows[place] = (rows[place] ?? 0) | ((pixels[y * WIDTH + x] ?? 0) << (6 - 2 * (x & 3)));
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, WIDTH);
  view.setUint32(4, HEIGHT);
  header.set([2, 3, 0, 0, 0], 8);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(PALETTE)),
    chunk("tRNS", Uint8Array.of(0)),
    chunk("IDAT", await compress(rows)),
    chunk("IEND", new Uint8Array()),
  ];
  return joined(parts);
}

function chunk(name: string, content: Uint8Array): Uint8Array {
  const named = joined([new TextEncoder().encode(name), content]);
  const bytes = new Uint8Array(named.length + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(named, 4);
  view.setUint32(bytes.length - 4, crc32(named));
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** CRC of a chunk (RFC 2083 section 3.4). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
