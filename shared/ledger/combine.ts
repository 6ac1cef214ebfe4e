/** Combines rows of several databases: an account is in one of them, a domain may be in several. Pure. */

/** Sums rows that have the same key; keys keep their first order. */
export function sumRows<Row>(
  parts: Row[][],
  keyOf: (row: Row) => string | number,
  add: (a: Row, b: Row) => Row,
): Row[] {
  const [first = []] = parts;
  if (parts.length <= 1) return first;
  const rows = new Map<string | number, Row>();
  for (const row of parts.flat()) {
    const key = keyOf(row);
    const known = rows.get(key);
    rows.set(key, known === undefined ? row : add(known, row));
  }
  return [...rows.values()];
}

/** Adds the named numbers of two rows; everything else is as in the first. */
export function adding<Name extends string>(
  ...names: readonly Name[]
): <Row extends Record<Name, number>>(a: Row, b: Row) => Row {
  return (a, b) => {
    const sums: Record<Name, number> = { ...a };
    for (const name of names) sums[name] = a[name] + b[name];
    return { ...a, ...sums };
  };
}

/** The first `limit` rows in an order. A single database's answer is already in order. */
export function firstRows<Row>(parts: Row[][], compare: (a: Row, b: Row) => number, limit: number): Row[] {
  const [first = []] = parts;
  return parts.length <= 1 ? first : parts.flat().sort(compare).slice(0, limit);
}

/** A page of a list, and how many rows are on all pages. */
export interface ListPage<Row> {
  rows: Row[];
  matching: number;
}

/** Which rows a page shows. */
export interface PageBounds {
  limit: number;
  offset: number;
}

/** Puts one page together: each database answers with its first `offset + limit` rows, in the order of `compare`. */
export function combinePages<Row>(
  parts: ListPage<Row>[][],
  compare: (a: Row, b: Row) => number,
  { limit, offset }: PageBounds,
): ListPage<Row> {
  const rows = firstRows(
    parts.map((pages) => pages.flatMap((page) => page.rows)),
    compare,
    offset + limit,
  );
  return {
    rows: rows.slice(offset, offset + limit),
    matching: parts.reduce((sum, [page]) => sum + (page?.matching ?? 0), 0),
  };
}

/** Compares numbers and texts as SQLite does: numbers first, texts by their characters. */
export function compareValues(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  return typeof b === "number" ? 1 : compareTexts(a, b);
}

// Not `<`, which compares UTF-16: a character of two surrogates would be before some of one unit.
function compareTexts(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
  if (isSurrogate(one) !== isSurrogate(other) && one >= FIRST_SURROGATE && other >= FIRST_SURROGATE) {
    return isSurrogate(one) ? 1 : -1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

const FIRST_SURROGATE = 0xd800;

function isSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit < 0xe000;
}
