/** What is known of who sent a report. Pure; how it is told is in sender.ts, what follows from it in docs/authentication.md. */
import * as v from "valibot";

/**
 * verified: the mail passes DMARC for a domain of the reporter; contradicted: it fails, or passes for another's;
 * unverified: nothing proves who sent it; unchecked: nobody could tell, since neither a receiver's results nor a resolver
 * is configured, or the mail came before they were.
 */
export const SENDER_STATES = ["verified", "unchecked", "unverified", "contradicted"] as const;
export type SenderState = (typeof SENDER_STATES)[number];

/** The schema of who sent a report. */
export const reportSender = v.object({
  state: v.picklist(SENDER_STATES),
  /** The domain that the mail's authentication vouches for; "" where it does for none. */
  domain: v.string(),
});

/** Who sent a report. */
export type ReportSender = v.InferOutput<typeof reportSender>;

/** Of what nobody looked at. */
export const UNCHECKED: ReportSender = { state: "unchecked", domain: "" };

/** Whether the judgement of a domain counts what such a report says. */
export function isCounted(state: SenderState): boolean {
  return state === "verified" || state === "unchecked";
}

/** The condition that a row with `sender_state` is of a report that the judgement counts, as SQL. */
export function isCountedSql(table: string): string {
  const states = SENDER_STATES.filter(isCounted).map((state) => `'${state}'`);
  return `${table}.sender_state IN (${states.join(", ")})`;
}
