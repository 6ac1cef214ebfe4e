/** Why receivers did something else than the policy asks for. Pure. */
import { readReasons } from "../../../shared/guidance/auth-results.ts";
import type { ReasonTotals } from "../../../shared/ledger/sources.ts";

/** Messages with one reason and one disposition. */
export interface ReasonRow {
  type: string;
  comment: string;
  disposition: string;
  messages: number;
}

/** One reason each: a record may have several. */
export function reasonTotals(reasons: readonly ReasonTotals[]): ReasonRow[] {
  const rows = new Map<string, ReasonRow>();
  for (const { reasons: text, disposition, messages } of reasons) {
    for (const { type, comment } of readReasons(text)) {
      const key = JSON.stringify([type, comment, disposition]);
      const row = rows.get(key) ?? { type, comment, disposition, messages: 0 };
      row.messages += messages;
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}
