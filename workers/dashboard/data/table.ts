/**
 * One table of a page: what the link's parameters ask of it (sort, filter, page), and the rows that leaves. The same
 * rows are shown, and exported as CSV and JSON. Pure; it renders nothing.
 */
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { withBothForms } from "../../../shared/unicode-name.ts";

/** A column: `value` is what is sorted, filtered and exported. */
export interface TableColumn<Row> {
  key: string;
  label: string;
  value: (row: Row) => string | number;
}

/** What a link asks of one table. Parameters are `<id>.sort`, `<id>.q`, `<id>.page`, `<id>.size`. */
export interface TableState {
  id: string;
  sort: string;
  descending: boolean;
  text: string;
  /** From 1. */
  page: number;
  size: number;
}

export const PAGE_SIZES = [10, 25, 100] as const;

/** Reads a table's state; what makes no sense is the default. `sort` is a column's key, `-key` = descending. */
export function readTableState(
  parameters: URLSearchParams,
  { id, sort, size = 25 }: { id: string; sort: string; size?: number },
): TableState {
  const asked = parameters.get(`${id}.sort`) ?? sort;
  const page = Number(parameters.get(`${id}.page`) ?? "1");
  const pageSize = Number(parameters.get(`${id}.size`) ?? size);
  return {
    id,
    sort: asked.replace(/^-/, ""),
    descending: asked.startsWith("-"),
    text: (parameters.get(`${id}.q`) ?? "").trim().slice(0, 200),
    page: Number.isInteger(page) && page >= 1 ? page : 1,
    size: PAGE_SIZES.some((one) => one === pageSize) ? pageSize : size,
  };
}

/** Which rows of a long list are read: those of the page, or all that an export may have. */
export function readRowRange(
  parameters: URLSearchParams,
  { page, size }: TableState,
): { limit: number; offset: number } {
  if (parameters.has("export")) return { limit: DASHBOARD_LIMITS.maxExportRows, offset: 0 };
  return { limit: size, offset: (page - 1) * size };
}

/** Rows that hold the text, sorted. An unknown sort keeps the order given. */
export function selectRows<Row>(
  rows: readonly Row[],
  columns: readonly TableColumn<Row>[],
  { sort, descending, text }: TableState,
): Row[] {
  const needle = text.toLowerCase();
  const found =
    needle === ""
      ? [...rows]
      : rows.filter((row) => columns.some(({ value }) => searched(String(value(row))).includes(needle)));
  const column = columns.find(({ key }) => key === sort);
  if (column === undefined) return found;
  const sign = descending ? -1 : 1;
  return found.sort((a, b) => sign * compare(column.value(a), column.value(b)));
}

// A name is found in either of its forms.
function searched(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes("xn--") ? `${lower} ${withBothForms(lower)}` : lower;
}

/** The rows of the asked page; a page past the end is the last one. */
export function pageOf<Row>(
  rows: readonly Row[],
  { page, size }: TableState,
): { rows: Row[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const shown = Math.min(page, pages);
  return { rows: rows.slice((shown - 1) * size, shown * size), page: shown, pages };
}

/**
 * The pages to offer: the first, the last, and those around the one shown.
 *
 * @returns page numbers from 1; undefined where some are left out, which is never for a single one
 */
export function pageNumbers(page: number, pages: number): (number | undefined)[] {
  const around = Array.from({ length: 2 * PAGES_BESIDE + 1 }, (_, i) => page - PAGES_BESIDE + i);
  const offered = [...new Set([1, ...around.filter((n) => n > 1 && n < pages), pages])];
  return offered.flatMap((n, i) => {
    const left = n - (offered[i - 1] ?? n - 1) - 1;
    if (left <= 0) return [n];
    return left === 1 ? [n - 1, n] : [undefined, n];
  });
}

/** Ours: pages offered on each side of the one shown. */
const PAGES_BESIDE = 2;

/** The order a column is asked for first: numbers from the largest, texts from A. */
export function firstSort({ key, align }: { key: string; align?: "end" }): string {
  return align === "end" ? `-${key}` : key;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
