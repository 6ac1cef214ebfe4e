/** What became of a raw object, part by part, as its row in the ledger says. */
import * as v from "valibot";
import { jsonColumn } from "./database.ts";
import { REPORT_KINDS } from "./report-rows.ts";

/** The row of a report: of an object's outcome `accepted` or `duplicate`, the first of its rows. */
const place = {
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
};

const outcome = v.variant("outcome", [
  v.object({ outcome: v.literal("accepted"), part: v.string(), id: v.string(), ...place }),
  v.object({ outcome: v.literal("duplicate"), part: v.string(), id: v.string(), ...place }),
  v.object({ outcome: v.literal("conflict"), part: v.string(), id: v.string() }),
  v.object({ outcome: v.literal("dead_letter"), part: v.string(), id: v.string() }),
  /** A person, or a setting, decided against it. `id` is the dead letter's or conflict's where it was one. */
  v.object({ outcome: v.literal("discarded"), part: v.string(), id: v.string() }),
]);

/** What became of one report or one part. `id`: uid of the report, or id of the dead letter or conflict. */
export type Outcome = v.InferOutput<typeof outcome>;

export const outcomesColumn = jsonColumn(v.array(outcome));
