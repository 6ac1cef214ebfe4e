/**
 * A table as people see it: sort by its heads, one filter, pages, the same rows as CSV and JSON. Works without scripts:
 * everything is in the link. A page keeps its tables as `BoundTable`, so that an export asks the same rows.
 */
import type { Child } from "hono/jsx";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { csvPieces, jsonPieces } from "../data/export.ts";
import { formatCount } from "../data/numbers.ts";
import { firstSort, pageOf, readTableState, selectRows, type TableColumn, type TableState } from "../data/table.ts";
import { ForeignText, Name } from "./foreign-text.tsx";
import { linkWith } from "./links.ts";
import { exportNote } from "./marks.tsx";
import { FilterForm, SortForm, TableFoot } from "./table-controls.tsx";
import { Explain } from "./term.tsx";

/** Ours: a filter for fewer rows would only be in the way. */
const FILTERED_ROWS = 4;

/** A column as it is shown. */
export interface ViewColumn<Row> extends TableColumn<Row> {
  /** Numbers are at the end. */
  align?: "end";
  /** A short text: on a phone it is beside its neighbours, as numbers are. */
  narrow?: true;
  /** Term of the glossary. */
  term?: string;
  /** What is shown; absent = the value. */
  cell?: (row: Row) => Child;
  /** Left out on paper and on phones, which are narrower than a screen. */
  screenOnly?: true;
  /** Only exported. */
  exportOnly?: true;
}

export interface TableSpec<Row> {
  id: string;
  caption: string;
  columns: ViewColumn<Row>[];
  rows: readonly Row[];
  /** Column key, `-key` = descending. */
  sort: string;
  /** Rows of a page. */
  size?: number;
  /** Shown when there are no rows at all: what happened, and what to do. */
  empty: Child;
  /** Shown above: the rows are not all there are. */
  partial?: Child;
  /** Shown in its head beside the filter. */
  controls?: Child;
  /**
   * The engine filters, sorts and cuts into pages, there being too many rows to have them all here: how many there are,
   * and by which columns it sorts.
   */
  paged?: { count: number; sortable: (key: string) => boolean };
}

/** A table of some page, its type of row forgotten. */
export interface BoundTable {
  id: string;
  /** @param url the page's own */
  view(url: URL): Child;
  /** @returns the file a piece at a time */
  export(url: URL, format: "csv" | "json"): Iterable<string>;
}

/** Binds a table to its rows. */
export function bindTable<Row>(spec: TableSpec<Row>): BoundTable {
  const { id, sort, size } = spec;
  const stateOf = (url: URL): TableState =>
    readTableState(url.searchParams, { id, sort, ...(size === undefined ? {} : { size }) });
  return {
    id,
    view: (url) => <TableView spec={spec} url={url} state={stateOf(url)} />,
    export(url, format) {
      const { rows } = spec.paged === undefined ? { rows: selectRows(spec.rows, spec.columns, stateOf(url)) } : spec;
      return format === "csv" ? csvPieces(rows, spec.columns) : jsonPieces(rows, spec.columns);
    },
  };
}

interface ViewProps<Row> {
  spec: TableSpec<Row>;
  url: URL;
  state: TableState;
}

interface Shown<Row> {
  rows: readonly Row[];
  /** Rows on all pages. */
  count: number;
  page: number;
  pages: number;
}

function shownRows<Row>({ rows, columns, paged }: TableSpec<Row>, state: TableState): Shown<Row> {
  if (paged !== undefined) {
    const { count } = paged;
    return { rows, count, page: state.page, pages: Math.max(1, Math.ceil(count / state.size)) };
  }
  const found = selectRows(rows, columns, state);
  return { ...pageOf(found, state), count: found.length };
}

function TableView<Row>({ spec, url, state }: ViewProps<Row>) {
  const { id, caption, columns, rows, empty, partial, paged } = spec;
  const { rows: shown, count, page, pages } = shownRows(spec, state);
  const visible = columns.filter(({ exportOnly }) => exportOnly === undefined);
  const sortable = visible.filter(({ key }) => paged?.sortable(key) ?? true);
  return (
    <section class="card" id={id} aria-labelledby={`${id}-caption`}>
      <div class="table-head">
        <h2 id={`${id}-caption`}>
          <ForeignText text={caption} />
        </h2>
        <div class="table-tools">
          {spec.controls}
          {shown.length > 1 && sortable.length > 1 && <SortForm url={url} state={state} columns={sortable} />}
          {(count >= FILTERED_ROWS || state.text !== "") && <FilterForm id={id} url={url} text={state.text} />}
        </div>
      </div>
      {partial || (paged !== undefined && count > DASHBOARD_LIMITS.maxExportRows && exportNote())}
      {rows.length === 0 && <p class="empty">{empty}</p>}
      {paged === undefined && rows.length > 0 && count === 0 && (
        <p class="empty">
          No rows match “<ForeignText text={state.text} />
          ”. <a href={linkWith(url, { [`${id}.q`]: undefined })}>Show all</a>
        </p>
      )}
      {shown.length > 0 && (
        <section class="scroll" tabindex={0} aria-label={`${caption}, table`}>
          <table class="stacks" {...ROLE.table} aria-labelledby={`${id}-caption`}>
            <thead {...ROLE.rowgroup}>
              <tr {...ROLE.row}>
                {visible.map((column) => (
                  <HeadCell column={column} url={url} state={state} isSortable={sortable.includes(column)} />
                ))}
              </tr>
            </thead>
            <tbody {...ROLE.rowgroup}>
              {shown.map((row) => (
                <tr {...ROLE.row}>{visible.map((column, i) => bodyCell(column, row, i === 0))}</tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {rows.length > 0 && <TableFoot id={id} url={url} page={page} pages={pages} count={count} size={state.size} />}
    </section>
  );
}

/**
 * A phone shows each row as a block, and browsers take `display: block` for the end of a table: these say that it is one all
 * the same, so that a screen reader still names the head of each cell.
 */
export const ROLE = {
  table: { role: "table" },
  rowgroup: { role: "rowgroup" },
  row: { role: "row" },
  head: { role: "columnheader" },
  rowHead: { role: "rowheader" },
  cell: { role: "cell" },
} as const;

function bodyCell<Row>(column: ViewColumn<Row>, row: Row, isFirst: boolean) {
  const value = column.value(row);
  const content = column.cell?.(row) ?? (typeof value === "number" ? formatCount(value) : <Name text={value} />);
  const width = column.align === "end" ? numberClass(value) : column.narrow ? "text narrow" : "text";
  const look = column.screenOnly ? `${width} screen-only` : width;
  return isFirst ? (
    <th scope="row" {...ROLE.rowHead} class={look} data-label={column.label}>
      {content}
    </th>
  ) : (
    <td {...ROLE.cell} class={look} data-label={column.label}>
      {content}
    </td>
  );
}

/** Characters of a number that fits one of a phone's columns, with its separators: thousands of millions. */
const NARROW_NUMBER_CHARS = 13;

/** A number is never broken; one of more than ten digits takes two columns of a phone. */
function numberClass(value: unknown): string {
  const isLong = typeof value === "number" && formatCount(value).length > NARROW_NUMBER_CHARS;
  return isLong ? "end nowrap long" : "end nowrap";
}

interface HeadProps<Row> {
  column: ViewColumn<Row>;
  url: URL;
  state: TableState;
  isSortable: boolean;
}

function HeadCell<Row>({ column, url, state, isSortable }: HeadProps<Row>) {
  const { key, label, align, term, screenOnly } = column;
  const look = [align, screenOnly && "screen-only"].filter(Boolean).join(" ") || undefined;
  if (!isSortable) {
    return (
      <th scope="col" {...ROLE.head} class={look}>
        {label}
        {term !== undefined && <Explain name={term} />}
      </th>
    );
  }
  const isSorted = state.sort === key;
  const next = isSorted ? (state.descending ? key : `-${key}`) : firstSort(column);
  const href = `${linkWith(url, { [`${state.id}.sort`]: next, [`${state.id}.page`]: undefined })}#${state.id}`;
  return (
    <th
      scope="col"
      {...ROLE.head}
      class={look}
      aria-sort={isSorted ? (state.descending ? "descending" : "ascending") : undefined}
    >
      <a href={href}>
        {label}
        <span aria-hidden="true">{isSorted ? (state.descending ? "\u00a0↓" : "\u00a0↑") : ""}</span>
      </a>
      {term !== undefined && <Explain name={term} />}
    </th>
  );
}
