/**
 * What a record looks like to the letter: its XML cut at its values (see record-shapes.ts). Learned from text, used on
 * bytes.
 */
import type { Namespaces } from "../xml/namespaces.ts";
import { plainTagAt } from "../xml/plain-tags.ts";
import { localName } from "../xml/tokens.ts";
import type { BytePiece } from "./byte-values.ts";
import { FIELDS, type ReadField, readNothing } from "./record-fields.ts";

const REASON = "row/policy_evaluated/reason";
const READ_REASON_TYPE = FIELDS.get(`${REASON}/type`);
/** Elements that may occur several times in a record; the others may occur once. */
const REPEATED = new Set(["row/policy_evaluated/reason", "auth_results/dkim", "auth_results/spf"]);
/** Elements that hold others; a shape with text directly in one of them is not learned. */
const CONTAINERS = new Set([
  "",
  "row",
  "row/policy_evaluated",
  "row/policy_evaluated/reason",
  "identifiers",
  "auth_results",
  "auth_results/dkim",
  "auth_results/spf",
]);

/**
 * One step of a shape: these letters, then a value. Shapes that begin alike share their steps. The step at the end of a
 * record has no value.
 */
export interface Step {
  letters: Uint8Array;
  /** The letters eight at a time, the last eight once more at the end if their number is not a multiple of eight. */
  eights: Float64Array;
  /** Puts the value into the record. */
  read: ReadField;
  /** Which of the repeated elements the value belongs to. */
  place: number;
  isEnd: boolean;
  /** Of the end of a record: paths of the elements in it that no RFC knows. */
  unknown: readonly string[];
  next: Step[];
}

/**
 * The shape of a record: its letters cut at its values. undefined when it has anything but plain tags and text, repeats
 * what may occur once, or holds elements within elements that no RFC knows.
 */
export function shapeOf(xml: string, namespaces: Namespaces, unknown: readonly string[]): Step[] | undefined {
  const walk: ShapeWalk = {
    namespaces,
    steps: [],
    open: [],
    seen: new Set(),
    places: new Map(),
    lettersStart: 0,
    reasonSteps: 0,
  };
  let at = 0;
  do {
    const tagEnd = readShapeTag(xml, at, walk);
    if (tagEnd === undefined) return undefined;
    at = walk.open.length === 0 ? tagEnd : xml.indexOf("<", tagEnd);
    if (at < 0 || (walk.open.length > 0 && xml.slice(tagEnd, at).trim() !== "")) return undefined;
  } while (walk.open.length > 0);
  if (at !== xml.length) return undefined;
  walk.steps.push(newStep(xml.slice(walk.lettersStart, at), { read: readNothing, place: 0, isEnd: true, unknown }));
  return walk.steps;
}

interface ShapeWalk {
  namespaces: Namespaces;
  steps: Step[];
  /** Raw names of the open elements, the record first. */
  open: string[];
  /** Values and elements that have occurred in the elements they may occur once in. */
  seen: Set<string>;
  /** How many of each repeated element there have been. */
  places: Map<string, number>;
  lettersStart: number;
  /** How many steps there were before the reason that was begun last. */
  reasonSteps: number;
}

/** Reads the tag at `at`, with its value and end tag if it is a leaf. @returns past what was read; undefined = no shape */
function readShapeTag(xml: string, at: number, walk: ShapeWalk): number | undefined {
  const tag = plainTagAt(xml, at);
  if (tag === undefined) return undefined;
  const { type, rawName: name, endTag } = tag;
  const after = at + tag.chars;
  if (type === "close") {
    if (pathOf(walk.open) === REASON && !endReason(walk)) return undefined;
    return walk.open.pop() === name ? after : undefined;
  }
  // Where a path has a colon, nothing is read and nothing is known to hold other elements.
  const isForeign = name.includes(":") && !walk.namespaces.isOwn(name);
  const path = isForeign ? `${pathOf(walk.open)}/:${name}` : pathOf([...walk.open, name]);
  const parent = pathOf(walk.open);
  const place = placeIn(walk, parent);
  if (REPEATED.has(path)) walk.places.set(path, (walk.places.get(path) ?? 0) + 1);
  else if (walk.seen.has(`${path} ${place}`)) return undefined;
  walk.seen.add(`${path} ${place}`);
  if (path === REASON) walk.reasonSteps = walk.steps.length;
  if (type === "empty") {
    if (path === REASON) endReason(walk);
    return after;
  }
  if (CONTAINERS.has(path)) {
    walk.open.push(name);
    return after;
  }
  const valueEnd = xml.indexOf("<", after);
  if (!xml.startsWith(endTag, valueEnd)) return undefined;
  const read = FIELDS.get(path) ?? readNothing;
  walk.steps.push(
    newStep(xml.slice(walk.lettersStart, after), { read, place: Math.max(0, place), isEnd: false, unknown: [] }),
  );
  walk.lettersStart = valueEnd;
  return valueEnd + endTag.length;
}

/** Ends a reason. One with nothing in it is none and takes no place; false where that depends on values. */
function endReason(walk: ShapeWalk): boolean {
  const steps = walk.steps.slice(walk.reasonSteps);
  if (steps.some(({ read }) => read === READ_REASON_TYPE)) return true;
  walk.places.set(REASON, placeIn(walk, REASON));
  return steps.length === 0;
}

function placeIn({ places }: ShapeWalk, parent: string): number {
  return (places.get(parent) ?? 0) - 1;
}

/** Path below the record, in local names; `identities` is a known misspelling. */
function pathOf(names: string[]): string {
  return names
    .slice(1)
    .map(localName)
    .join("/")
    .toLowerCase()
    .replace(/^identities/, "identifiers");
}

function newStep(
  letters: string,
  { read, place, isEnd, unknown }: Pick<Step, "read" | "place" | "isEnd" | "unknown">,
): Step {
  const bytes = new TextEncoder().encode(letters);
  return { letters: bytes, eights: eightsOf(bytes), read, place, isEnd, unknown, next: [] };
}

// As numbers these letters are equal only if they are the same: text has no bytes that make a NaN or a zero.
function eightsOf(bytes: Uint8Array): Float64Array {
  if (bytes.byteLength < 8) return new Float64Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = Array.from({ length: bytes.byteLength >> 3 }, (_, i) => 8 * i);
  if (bytes.byteLength % 8 > 0) places.push(bytes.byteLength - 8);
  return Float64Array.from(places, (at) => view.getFloat64(at, true));
}

/** Whether the letters are at `at`, which all of them must be able to. */
export function hasLetters({ bytes, view }: BytePiece, at: number, { letters, eights }: Step): boolean {
  const whole = letters.byteLength >> 3;
  for (let i = 0; i < whole; i++) if (view.getFloat64(at + 8 * i, true) !== eights[i]) return false;
  if (whole < eights.length) return view.getFloat64(at + letters.byteLength - 8, true) === eights[whole];
  for (let i = 8 * whole; i < letters.byteLength; i++) if (bytes[at + i] !== letters[i]) return false;
  return true;
}

/** Whether two steps are one: the same letters, then the same value. */
export function isSameStep(a: Step, b: Step): boolean {
  const sameRole = a.read === b.read && a.place === b.place && a.isEnd === b.isEnd;
  if (!sameRole || a.letters.byteLength !== b.letters.byteLength) return false;
  if (!a.letters.every((byte, i) => byte === b.letters[i])) return false;
  return a.unknown.length === b.unknown.length && a.unknown.every((path, i) => path === b.unknown[i]);
}
