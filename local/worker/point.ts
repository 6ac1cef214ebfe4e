/**
 * The runtime's checks on a point passed to `writeDataPoint`, with its messages (workerd, `analytics-engine-impl.h`),
 * because the local binding checks nothing. Pure: sends nothing.
 */
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";
import { fail, ok, type Result } from "../../shared/result.ts";

/** A valid point: only texts and numbers, without gaps. */
export interface CheckedPoint {
  index: string;
  blobs: string[];
  doubles: number[];
}

const PREFIX = "writeDataPoint(): ";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Checks a point against Analytics Engine's types and limits.
 *
 * @param point the caller's value, of any type; absent fields count as empty, `null` and bytes are treated as by the
 *   runtime
 * @returns the message of the TypeError the runtime would throw, if any
 */
export function checkPoint(point: unknown): Result<CheckedPoint, string> {
  if (point === undefined || point === null) return ok({ index: "", blobs: [], doubles: [] });
  if (typeof point !== "object") return fail(`${PREFIX}The data point must be an object.`);
  const { indexes, blobs, doubles } = point as Record<string, unknown>;
  const index = checkIndexes(indexes);
  if (!index.ok) return index;
  const texts = checkBlobs(blobs);
  if (!texts.ok) return texts;
  const numbers = checkDoubles(doubles);
  if (!numbers.ok) return numbers;
  return ok({ index: index.value, blobs: texts.value, doubles: numbers.value });
}

function checkIndexes(indexes: unknown): Result<string, string> {
  const texts = readTexts(indexes, "indexes");
  if (!texts.ok) return texts;
  if (texts.value.length > 1) return fail(`${PREFIX}Maximum of 1 indexes supported.`);
  const [index = ""] = texts.value;
  if (byteLength(index) <= ANALYTICS_LIMITS.maxIndexBytes) return ok(index);
  return fail(`${PREFIX}Size of indexes[0] exceeds ${ANALYTICS_LIMITS.maxIndexBytes} bytes).`);
}

function checkBlobs(blobs: unknown): Result<string[], string> {
  const texts = readTexts(blobs, "blobs");
  if (!texts.ok) return texts;
  if (texts.value.length > ANALYTICS_LIMITS.maxBlobs) {
    return fail(`${PREFIX}Maximum of ${ANALYTICS_LIMITS.maxBlobs} blobs supported.`);
  }
  const bytes = texts.value.reduce((sum, text) => sum + byteLength(text), 0);
  if (bytes <= ANALYTICS_LIMITS.maxBlobBytes) return texts;
  return fail(`${PREFIX}Cumulative size of blobs exceeds ${ANALYTICS_LIMITS.maxBlobBytes} bytes).`);
}

function checkDoubles(doubles: unknown): Result<number[], string> {
  if (doubles === undefined) return ok([]);
  if (!Array.isArray(doubles)) return fail(`${PREFIX}doubles must be an array.`);
  if (doubles.length > ANALYTICS_LIMITS.maxDoubles) {
    return fail(`${PREFIX}Maximum of ${ANALYTICS_LIMITS.maxDoubles} doubles supported.`);
  }
  const wrong = doubles.findIndex((value) => typeof value !== "number");
  return wrong === -1 ? ok(doubles) : fail(`${PREFIX}doubles[${wrong}] is not a number.`);
}

// Stricter than the runtime, which converts other values to text: here that is always the caller's mistake.
function readTexts(values: unknown, field: string): Result<string[], string> {
  if (values === undefined) return ok([]);
  if (!Array.isArray(values)) return fail(`${PREFIX}${field} must be an array.`);
  const texts: string[] = [];
  for (const [place, value] of values.entries()) {
    const text = readText(value);
    if (text === undefined) return fail(`${PREFIX}${field}[${place}] is neither text, bytes nor null.`);
    texts.push(text);
  }
  return ok(texts);
}

function readText(value: unknown): string | undefined {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (value instanceof ArrayBuffer) return decoder.decode(value);
  if (value instanceof Uint8Array) return decoder.decode(new Uint8Array(value));
  return undefined;
}

function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}
