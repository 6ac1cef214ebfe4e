/** Ids of one page of a list that people sort, search and turn: the rows themselves are then asked by id, being large. */
import * as v from "valibot";
import { combinePages, compareValues, type ListPage, type PageBounds } from "./combine.ts";
import { lowered, type Query, query } from "./database.ts";
import type { SqlPart } from "./figure-sql.ts";

/** What a page shows of a list. */
export interface SearchedList<Order extends string> extends PageBounds {
  order: Order;
  descending: boolean;
  /** What a row has to mention; "" = anything. */
  text: string;
}

/** A list: a table with a column `id`. */
interface ListSource {
  table: string;
  /** What is searched, a text. */
  searched: string;
  /** What it is sorted by. */
  place: string;
  /** Which rows are in it. */
  where: SqlPart;
}

const placeRow = v.object({ matching: v.number(), id: v.string(), place: v.union([v.number(), v.string()]) });

type Place = Omit<v.InferOutput<typeof placeRow>, "matching">;

/** Ids of a page and the number of rows there are. The answer is one row; none where there are none. */
export function pagedIdsQuery(
  { table, searched, place, where }: ListSource,
  { descending, text, limit, offset }: SearchedList<string>,
): Query<ListPage<Place>> {
  const needle = lowered(text);
  const sign = descending ? -1 : 1;
  const sql = `SELECT count(*) OVER () AS matching, id, ${place} AS place FROM ${table}
    WHERE (? = '' OR instr(lower(${searched}), ?) > 0) AND ${where.sql}
    ORDER BY place ${descending ? "DESC" : "ASC"}, id LIMIT ?`;
  const read = ({ matching, ...row }: v.InferOutput<typeof placeRow>) => ({ matching, rows: [row] });
  return {
    ...query(sql, [needle, needle, ...where.parameters, offset + limit], v.pipe(placeRow, v.transform(read))),
    combine: (parts) => [
      combinePages(parts, (a, b) => sign * compareValues(a.place, b.place) || compareValues(a.id, b.id), {
        limit,
        offset,
      }),
    ],
  };
}
