/** What is above and below a table: its filter, its pages, its exports. Links and forms only. */
import { formatCount } from "../data/numbers.ts";
import { firstSort, PAGE_SIZES, pageNumbers, type TableColumn, type TableState } from "../data/table.ts";
import { linkWith } from "./links.ts";

/** Rows that hold a text. */
export function FilterForm({ id, url, text }: { id: string; url: URL; text: string }) {
  const kept = [...url.searchParams].filter(([name]) => name !== `${id}.q` && name !== `${id}.page`);
  return (
    <form class="inline" method="get" action={`${url.pathname}#${id}`}>
      {kept.map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <label class="hidden-label" for={`${id}-q`}>
        Filter
      </label>
      <input id={`${id}-q`} type="search" name={`${id}.q`} value={text} placeholder="Filter" />
      <button type="submit">Filter</button>
      {text !== "" && <a href={`${linkWith(url, { [`${id}.q`]: undefined })}#${id}`}>Clear</a>}
    </form>
  );
}

interface SortProps {
  url: URL;
  state: TableState;
  columns: readonly (TableColumn<never> & { align?: "end" })[];
}

/** The table's order, for phones: they show no heads to press. */
export function SortForm({ url, state: { id, sort, descending }, columns }: SortProps) {
  const kept = [...url.searchParams].filter(([name]) => name !== `${id}.sort` && name !== `${id}.page`);
  const chosen = descending ? `-${sort}` : sort;
  const offered = columns.map((column) => ({ label: column.label, value: firstSort(column), key: column.key }));
  return (
    <form class="inline sort" method="get" action={`${url.pathname}#${id}`}>
      {kept.map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <label for={`${id}-sort`}>Sort by</label>
      <select id={`${id}-sort`} name={`${id}.sort`} data-submit="">
        {offered.map(({ key, label, value }) => (
          <option value={key === sort ? chosen : value} selected={key === sort}>
            {label}
          </option>
        ))}
      </select>
      <button type="submit">Sort</button>
    </form>
  );
}

interface FootProps {
  id: string;
  url: URL;
  page: number;
  pages: number;
  count: number;
  size: number;
}

/** Which rows of how many are shown, for paper too, the pages, how long a page is, and the same rows as files. */
export function TableFoot({ id, url, page, pages, count, size }: FootProps) {
  const from = (page - 1) * size + 1;
  const to = (n: number): string => `${linkWith(url, { [`${id}.page`]: String(n) })}#${id}`;
  const sizeTo = (rows: number): string =>
    `${linkWith(url, { [`${id}.size`]: String(rows), [`${id}.page`]: undefined })}#${id}`;
  const exportTo = (format: string): string => linkWith(url, { export: format, table: id, [`${id}.page`]: undefined });
  return (
    <div class="table-foot">
      <nav aria-label={`Pages of ${id}`}>
        <span>
          {pages > 1 && `${formatCount(from)} to ${formatCount(Math.min(count, from + size - 1))} of `}
          {formatCount(count)} {count === 1 ? "row" : "rows"}
        </span>
        {page > 1 && (
          <a href={to(page - 1)} rel="prev">
            ← Previous
          </a>
        )}
        {pages > 1 && (
          <span class="pages">
            {pageNumbers(page, pages).map((n) => {
              if (n === undefined) return <span>…</span>;
              return (
                <a href={to(n)} aria-current={n === page ? "page" : undefined} aria-label={`Page ${n} of ${pages}`}>
                  {formatCount(n)}
                </a>
              );
            })}
          </span>
        )}
        {page < pages && (
          <a href={to(page + 1)} rel="next">
            Next →
          </a>
        )}
      </nav>
      <div>
        {count > (PAGE_SIZES[0] ?? 0) && (
          <span>
            Rows per page
            {PAGE_SIZES.map((rows) => (rows === size ? <strong>{rows}</strong> : <a href={sizeTo(rows)}>{rows}</a>))}
          </span>
        )}
        <a href={exportTo("csv")}>CSV</a>
        <a href={exportTo("json")}>JSON</a>
      </div>
    </div>
  );
}
