/** Which part of a list is asked for, and the cursor of the part after it. Pure. */
import { ApiError } from "../errors.ts";

/** What an input says of it. */
export interface AskedPart {
  limit?: number | undefined;
  cursor?: string | undefined;
  /** What cursors were before. */
  offset?: number | undefined;
}

/** The items of an answer. */
export interface ListPart {
  limit: number;
  /** Items before it. */
  offset: number;
}

/** The part that is asked for, of a list that is cut by numbers. @throws ApiError when the cursor is of another list */
export function partOf({ limit, offset = 0, cursor = String(offset) }: AskedPart, most: number): ListPart {
  if (!/^\d{1,15}$/.test(cursor)) throw new ApiError("bad_request", "cursor: it is not from this list.");
  return { limit: limit ?? most, offset: Number(cursor) };
}

/** The fields of an answer with these items. @param matching items of the whole list */
export function pageFrom<Item>(items: Item[], { offset }: ListPart, matching: number) {
  const next = offset + items.length;
  return { items, matching, ...(items.length > 0 && next < matching && { cursor: String(next) }) };
}

/** The same, of a list of which all items are here. */
export function cutPage<Item>(items: readonly Item[], part: ListPart) {
  const { limit, offset } = part;
  return pageFrom(items.slice(offset, offset + limit), part, items.length);
}

/** The same, of a list read from its beginning. @param first its first `offset + limit + 1` items */
export function pageOfFirst<Item>(first: readonly Item[], { limit, offset }: ListPart) {
  const items = first.slice(offset, offset + limit);
  return { items, ...(first.length > offset + limit && { cursor: String(offset + limit) }) };
}
