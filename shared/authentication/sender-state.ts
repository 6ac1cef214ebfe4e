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
  return RANKS[state] > 0;
}

/** What the ledger keeps of a state: a number above 0 where the judgement counts it. */
const RANKS: Record<SenderState, number> = {
  verified: 2,
  unchecked: 1,
  unverified: 0,
  contradicted: -1,
};

/** The number of a state. */
export function rankOf(state: SenderState): number {
  return RANKS[state];
}

/** The state that a column's number stands for. */
export const senderRank = v.pipe(
  v.number(),
  v.transform((rank): SenderState => SENDER_STATES.find((state) => RANKS[state] === rank) ?? "unchecked"),
);

/** The condition that the judgement counts a row with `sender_rank`, as SQL. */
export function isCountedSql(table: string): string {
  return `${table}.sender_rank > 0`;
}
