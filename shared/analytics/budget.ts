/**
 * The write budget of one invocation (Analytics Engine: 250 points over the whole queue batch) and the cutting of what
 * does not fit into slices for `dmarc-points`. Pure.
 */
import { ANALYTICS_LIMITS, QUEUE_LIMITS } from "../limits.ts";
import type { DataPoint } from "./columns.ts";

/** Points that this invocation may still write. */
export class PointBudget {
  #left: number;

  constructor(points: number = ANALYTICS_LIMITS.maxPointsPerInvocation) {
    this.#left = points;
  }

  /** Takes `points` from the budget if all of them fit; otherwise takes none and returns false. */
  take(points: number): boolean {
    if (points > this.#left) return false;
    this.#left -= points;
    return true;
  }
}

/**
 * Cuts points into slices that each fit one queue message: at most 240 points and 120,000 bytes of JSON.
 *
 * A single point is at most 16,000 bytes of text, so every point fits some slice.
 */
export function slicePoints(points: DataPoint[]): DataPoint[][] {
  const slices: DataPoint[][] = [];
  let slice: DataPoint[] = [];
  let sliceBytes = 0;
  for (const point of points) {
    const bytes = jsonBytes(point) + 1;
    const full = slice.length >= QUEUE_LIMITS.maxPointsPerSlice || sliceBytes + bytes > QUEUE_LIMITS.maxSliceBytes;
    if (full && slice.length > 0) {
      slices.push(slice);
      slice = [];
      sliceBytes = 0;
    }
    slice.push(point);
    sliceBytes += bytes;
  }
  if (slice.length > 0) slices.push(slice);
  return slices;
}

const encoder = new TextEncoder();

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).byteLength;
}
