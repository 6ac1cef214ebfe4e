/**
 * The write budget of one invocation (Analytics Engine: 250 points over the whole queue batch), and cutting what
 * exceeds it into slices for `dmarc-points`. Pure.
 */
import { ANALYTICS_LIMITS, QUEUE_LIMITS } from "../limits.ts";
import type { PackedPoints } from "../messages.ts";
import { jsonBytes } from "../queue-batches.ts";
import type { DataPoint, DatasetId } from "./columns.ts";

/** Points of one dataset. */
export interface PointGroup {
  dataset: DatasetId;
  points: DataPoint[];
}

/** Counts the points that this invocation may still write. */
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
 * Cuts points into slices that each fit one queue message: at most 240 points and 120,000 bytes of JSON. The same points
 * give the same slices.
 *
 * A single point is at most 16,000 bytes of text, 96,000 with every character escaped, so every point fits some slice.
 */
export function slicePoints(groups: PointGroup[]): PackedPoints[][] {
  const points = groups.flatMap(({ dataset, points }) => points.map((point) => ({ dataset, point })));
  const slices: PackedPoints[][] = [];
  for (let i = 0; i < points.length; i += QUEUE_LIMITS.maxPointsPerSlice) {
    slices.push(...halveToFit(points.slice(i, i + QUEUE_LIMITS.maxPointsPerSlice)));
  }
  return slices;
}

interface PlacedPoint {
  dataset: DatasetId;
  point: DataPoint;
}

function halveToFit(points: PlacedPoint[]): PackedPoints[][] {
  const slice = packGroups(points);
  if (points.length === 1 || jsonBytes(slice) <= QUEUE_LIMITS.maxSliceBytes) return [slice];
  const middle = Math.ceil(points.length / 2);
  return [...halveToFit(points.slice(0, middle)), ...halveToFit(points.slice(middle))];
}

function packGroups(points: PlacedPoint[]): PackedPoints[] {
  const groups = new Map<DatasetId, DataPoint[]>();
  for (const { dataset, point } of points) {
    const group = groups.get(dataset);
    if (group === undefined) groups.set(dataset, [point]);
    else group.push(point);
  }
  return [...groups].map(([dataset, group]) => packPoints(dataset, group));
}

/**
 * Packs points of one dataset by column: a column with equal values becomes one value. All points have the same number
 * of columns.
 */
export function packPoints(dataset: DatasetId, points: DataPoint[]): PackedPoints {
  const [first = { indexes: [], blobs: [], doubles: [] }] = points;
  return {
    dataset,
    count: points.length,
    index: packColumn(points.map(({ indexes }) => indexes[0] ?? "")),
    blobs: first.blobs.map((_, i) => packColumn(points.map(({ blobs }) => blobs[i] ?? ""))),
    doubles: first.doubles.map((_, i) => packColumn(points.map(({ doubles }) => doubles[i] ?? 0))),
  };
}

function packColumn<T extends string | number>(values: T[]): T | T[] {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : values;
}

/** The inverse of packPoints. */
export function unpackPoints({ count, index, blobs, doubles }: PackedPoints): DataPoint[] {
  return Array.from({ length: count }, (_, i) => ({
    indexes: [columnValue(index, i) ?? ""],
    blobs: blobs.map((column) => columnValue(column, i) ?? ""),
    doubles: doubles.map((column) => columnValue(column, i) ?? 0),
  }));
}

function columnValue<T extends string | number>(column: T | T[], i: number): T | undefined {
  return Array.isArray(column) ? column[i] : column;
}
