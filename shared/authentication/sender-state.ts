/**
 * What is known about the sender of a report. Pure; sender.ts decides it, docs/authentication.md explains its effects.
 */
import * as v from "valibot";

/**
 * verified: the mail passes DMARC for a domain of the reporter; contradicted: it fails, or passes for another's;
 * unverified: nothing proves who sent it; unchecked: it could not be checked, because neither a receiver nor a resolver
 * is configured, or was not when the mail came.
 */
export const SENDER_STATES = ["verified", "unchecked", "unverified", "contradicted"] as const;
export type SenderState = (typeof SENDER_STATES)[number];

/** The schema of a report's sender. */
export const reportSender = v.object({
  state: v.picklist(SENDER_STATES),
  /** The authenticated domain of the mail; "" if there is none. */
  domain: v.string(),
});

/** The sender of a report. */
export type ReportSender = v.InferOutput<typeof reportSender>;

/** The sender of a report that was not checked. */
export const UNCHECKED: ReportSender = { state: "unchecked", domain: "" };

/** Whether the verdict on a domain counts reports in this state. */
export function isCounted(state: SenderState): boolean {
  return RANKS[state] > 0;
}

/** A state as stored in the ledger: a number, above 0 if the verdict counts it. */
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

/** The state for a stored number. */
export const senderRank = v.pipe(
  v.number(),
  v.transform((rank): SenderState => SENDER_STATES.find((state) => RANKS[state] === rank) ?? "unchecked"),
);

/** The SQL condition that the verdict counts a row with `sender_rank`. */
export function isCountedSql(table: string): string {
  return `${table}.sender_rank > 0`;
}
