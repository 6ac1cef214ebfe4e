/** A verdict as the ledger keeps it for lists of domains: its state, what it depends on, and what is at risk. Pure. */
import * as v from "valibot";
import { ROLES } from "./roles.ts";
import { isInTheWay, type Verdict } from "./verdict.ts";
import { reasonText } from "./verdict-words.ts";

/** Ours: reasons and senders kept of one domain, the largest; the domain's own page has all. */
const MAX_KEPT = 20;

/** Why, with its sentence. */
export const storedReason = v.object({
  code: v.string(),
  sentence: v.string(),
  messages: v.number(),
  source: v.optional(v.string()),
});

/** A sender that is or may be the owner's, some of whose mail fails. */
export const senderAtRisk = v.object({
  name: v.string(),
  /** "" if it is no known service. */
  service: v.string(),
  role: v.picklist(ROLES),
  messages: v.number(),
  /** Failing mail that receivers did not let through; of it, what they quarantined or rejected. */
  failing: v.number(),
  refused: v.number(),
});

export type StoredReason = v.InferOutput<typeof storedReason>;
export type SenderAtRisk = v.InferOutput<typeof senderAtRisk>;

/** What is kept of a verdict; messages of the owner's senders at risk are summed over all senders, kept or not. */
export interface StoredVerdict {
  state: Verdict["state"];
  messages: number;
  ownMessages: number;
  atRisk: number;
  policy: "none" | "quarantine" | "reject" | "";
  isTest: boolean;
  /** "" = stay with the present one. */
  nextRecord: string;
  reasons: StoredReason[];
  senders: SenderAtRisk[];
}

/** Takes of a verdict what lists show. */
export function storedVerdictOf(verdict: Verdict): StoredVerdict {
  const senders = verdict.sources
    .filter((source) => source.hit > 0 && isInTheWay(source))
    .sort((a, b) => b.hit - a.hit);
  return {
    state: verdict.state,
    messages: verdict.messages,
    ownMessages: verdict.ownMessages,
    atRisk: senders.reduce((sum, { hit }) => sum + hit, 0),
    policy: verdict.policy === "" ? "" : verdict.stage.p,
    isTest: verdict.stage.isTest,
    nextRecord: verdict.nextRecord ?? "",
    reasons: verdict.reasons.slice(0, MAX_KEPT).map((reason) => ({
      code: reason.code,
      sentence: reasonText(reason),
      messages: reason.messages,
      ...(reason.source === undefined ? {} : { source: reason.source.name }),
    })),
    senders: senders.slice(0, MAX_KEPT).map(({ name, service, role, messages, hit, refused }) => ({
      name,
      service,
      role,
      messages,
      failing: hit,
      refused,
    })),
  };
}
