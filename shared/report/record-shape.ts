/**
 * What a record looks like to the letter: its XML cut at its values (see record-shapes.ts). Learned from text, used on
 * bytes.
 */

/** Path of a value inside a record → what it is. A path that is not here holds a value nobody reads. */
export const FIELDS = {
  "row/source_ip": 1,
  "row/count": 2,
  "row/policy_evaluated/disposition": 3,
  "row/policy_evaluated/dkim": 4,
  "row/policy_evaluated/spf": 5,
  "row/policy_evaluated/reason/type": 6,
  "row/policy_evaluated/reason/comment": 7,
  "identifiers/header_from": 8,
  "identifiers/envelope_from": 9,
  "identifiers/envelope_to": 10,
  "auth_results/dkim/domain": 11,
  "auth_results/dkim/selector": 12,
  "auth_results/dkim/result": 13,
  "auth_results/dkim/human_result": 14,
  "auth_results/spf/domain": 15,
  "auth_results/spf/scope": 16,
  "auth_results/spf/result": 17,
  "auth_results/spf/human_result": 18,
} as const;
/** A value nobody reads. */
export const UNREAD = 0;

export type Field = (typeof FIELDS)[keyof typeof FIELDS] | typeof UNREAD;

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
  /** The letters as little-endian words, so that four are compared at once; the last `length % 4` are left over. */
  words: Uint32Array;
  field: Field;
  /** Which of the repeated elements the value belongs to. */
  place: number;
  isEnd: boolean;
  next: Step[];
}

const TAG = /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)(\/?)>/y;

/**
 * The shape of a record: its letters cut at its values. undefined when it has anything but plain tags and text, repeats
 * what may stand once, or holds elements that no RFC knows.
 */
export function shapeOf(xml: string): Step[] | undefined {
  const walk: ShapeWalk = { steps: [], open: [], seen: new Set(), places: new Map(), lettersStart: 0 };
  let at = 0;
  do {
    const tagEnd = readShapeTag(xml, at, walk);
    if (tagEnd === undefined) return undefined;
    at = walk.open.length === 0 ? tagEnd : xml.indexOf("<", tagEnd);
    if (at < 0 || (walk.open.length > 0 && xml.slice(tagEnd, at).trim() !== "")) return undefined;
  } while (walk.open.length > 0);
  if (at !== xml.length) return undefined;
  walk.steps.push(newStep(xml.slice(walk.lettersStart, at), { field: UNREAD, place: 0, isEnd: true }));
  return walk.steps;
}

interface ShapeWalk {
  steps: Step[];
  /** Raw names of the open elements, the record first. */
  open: string[];
  /** Values and elements that have occurred in the elements they may occur once in. */
  seen: Set<string>;
  /** How many of each repeated element there have been. */
  places: Map<string, number>;
  lettersStart: number;
}

/** Reads the tag at `at`, with its value and end tag if it is a leaf. @returns past what was read; undefined = no shape */
function readShapeTag(xml: string, at: number, walk: ShapeWalk): number | undefined {
  TAG.lastIndex = at;
  const [tag, slash, name = "", selfClosing] = TAG.exec(xml) ?? [];
  if (tag === undefined) return undefined;
  const after = at + tag.length;
  if (slash !== "") return walk.open.pop() === name ? after : undefined;
  const path = pathOf([...walk.open, name]);
  const parent = pathOf(walk.open);
  const place = (walk.places.get(parent) ?? 0) - 1;
  if (REPEATED.has(path)) walk.places.set(path, (walk.places.get(path) ?? 0) + 1);
  else if (walk.seen.has(`${path} ${place}`)) return undefined;
  walk.seen.add(`${path} ${place}`);
  if (selfClosing !== "") return after;
  if (CONTAINERS.has(path)) {
    walk.open.push(name);
    return after;
  }
  const valueEnd = xml.indexOf("<", after);
  const endTag = `</${name}>`;
  if (!xml.startsWith(endTag, valueEnd)) return undefined;
  const field = Object.hasOwn(FIELDS, path) ? FIELDS[path as keyof typeof FIELDS] : UNREAD;
  walk.steps.push(newStep(xml.slice(walk.lettersStart, after), { field, place: Math.max(0, place), isEnd: false }));
  walk.lettersStart = valueEnd;
  return valueEnd + endTag.length;
}

/** Path below the record, in local names; `identities` is a known misspelling. */
function pathOf(names: string[]): string {
  const locals = names.slice(1).map((name) => name.slice(name.indexOf(":") + 1));
  return locals.join("/").replace(/^identities/, "identifiers");
}

function newStep(letters: string, { field, place, isEnd }: Pick<Step, "field" | "place" | "isEnd">): Step {
  const bytes = new TextEncoder().encode(letters);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Uint32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getUint32(4 * i, true));
  return { letters: bytes, words, field, place, isEnd, next: [] };
}

/** Whether two steps are one: the same letters, then the same value. */
export function isSameStep(a: Step, b: Step): boolean {
  const sameRole = a.field === b.field && a.place === b.place && a.isEnd === b.isEnd;
  return (
    sameRole && a.letters.byteLength === b.letters.byteLength && a.letters.every((byte, i) => byte === b.letters[i])
  );
}
