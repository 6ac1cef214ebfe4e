/** What answers have in common, as schemas: lists, pages of them, and periods. Pure. */
import * as v from "valibot";

/** A complete list. */
export function listOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item) });
}

/** A page of a list; `cursor` continues it and is absent on the last page. A page may be empty and not the last. */
export function pageOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item), cursor: v.optional(v.string()) });
}

/** The same of a list whose length is known. */
export function countedPageOf<Schema extends v.GenericSchema>(item: Schema) {
  return v.object({ items: v.array(item), /** On all pages. */ matching: v.number(), cursor: v.optional(v.string()) });
}

export const period = { from: v.string(), to: v.string() };

export const cursor = v.optional(v.string());

/** Where the data begins: days before are not known, which is not zero. */
export const known = {
  /** First day of the first report; null: none has come. */
  firstReportDay: v.nullable(v.string()),
  /** First day whose details are kept: sources, dispositions and single reports; null: of none. */
  detailsSince: v.nullable(v.string()),
};
