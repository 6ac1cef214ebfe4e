/**
 * The fields that inputs of operations are made of: each with the one rule that it is checked by. The objects of inputs are
 * strict, since a misspelt field of a filter would mean "everything". Pure.
 */
import * as v from "valibot";
import { domainName } from "../domain-name.ts";
import { ACCOUNT_LIMITS } from "../limits.ts";

export const mailAddress = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[^\s@]+@[^\s@]+$/, "not a mail address"),
  v.maxLength(400),
);
/** Only the form is checked here; the operation checks that the day exists. */
export const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "not a day; write it as YYYY-MM-DD"));
/** The operation checks that it has begun. */
export const month = v.pipe(v.string(), v.regex(/^\d{4}-(0[1-9]|1[0-2])$/, "not a month; write it as YYYY-MM"));
export const cursor = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
/** In either form, converted to A-labels. Any text is allowed, since a report may name an invalid domain. */
export const domain = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(253),
  v.regex(/^\S*$/, "not a domain name"),
  v.transform(domainName),
);
export const account = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
/** What an account is called. */
export const displayName = v.pipe(v.string(), v.trim(), v.maxLength(ACCOUNT_LIMITS.nameChars));
/** R2 keys have at most 1,024 bytes. */
export const objectKey = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));
export const id = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
/** The reason for a decision: a sentence or two (our limit). */
export const reason = v.optional(v.pipe(v.string(), v.trim(), v.maxLength(1000)));
/** A number or boolean, also as text from a query. */
export const countBetween = (min: number, max: number) =>
  v.union([
    v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)),
    v.pipe(v.string(), v.digits(), v.transform(Number), v.minValue(min), v.maxValue(max)),
  ]);
export const count = countBetween(0, Number.MAX_SAFE_INTEGER);
export const truth = v.union([
  v.boolean(),
  v.pipe(
    v.picklist(["true", "false"]),
    v.transform((text) => text === "true"),
  ),
]);

/** Names a report. */
export const reportName = {
  account,
  /** "" = about no domain. */
  domain: v.pipe(v.string(), v.maxLength(253), v.transform(domainName)),
  day,
  uid: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "not the uid of a report")),
};
/** The path of all that is about one report. */
export const REPORT_PATH = "/reports/:account/:domain/:day/:uid";

/**
 * What every list that can be long takes.
 *
 * @param most items of an answer, which has as many unless fewer are asked for
 */
export function pageFields(most: number) {
  return {
    limit: v.optional(countBetween(1, most)),
    /** Of the answer before; it belongs to the same question. */
    cursor: v.optional(cursor),
  };
}

/** No input. */
export const nothing = v.strictObject({});
/** What has an id, and nothing else that names it. */
export const idInput = v.strictObject({ id });
/** A file. */
export const bytes = v.custom<Blob | ReadableStream>(
  (value) => value instanceof Blob || value instanceof ReadableStream,
  "the file is missing",
);
