/** Stores and undoes an owner's decisions about senders. */
import type { Answer } from "../../shared/contract/problems.ts";
import { change } from "../../shared/ledger/database.ts";
import {
  type DecidedSender,
  lastTwoDecisions,
  putSenderDecision,
  type SenderDecision,
  type SenderName,
} from "../../shared/ledger/sender-decisions.ts";
import { fail, ok } from "../../shared/result.ts";
import { type Invocation, inShardOf } from "./env.ts";

/** Keeps a decision. @returns it as it is kept */
export async function decideSender(
  name: SenderName,
  { decision, note, by }: { decision: SenderDecision; note: string; by: string },
  invocation: Invocation,
): Promise<Answer<DecidedSender>> {
  const { ledger, nowSeconds } = await inShardOf(name.account, invocation);
  const decided = { ...name, decision, note, decidedBy: by, decidedSeconds: nowSeconds };
  await change(ledger, [putSenderDecision(decided)]);
  return ok(decided);
}

/** Restores the previous decision. @returns a problem if nothing was decided */
export async function undoSenderDecision(
  name: SenderName,
  by: string,
  invocation: Invocation,
): Promise<Answer<DecidedSender>> {
  const { ledger } = await inShardOf(name.account, invocation);
  const [last, before] = await lastTwoDecisions(ledger, name);
  if (last === undefined) {
    return fail({ code: "not_found", message: `Nothing was decided about ${name.source} and ${name.domain}.` });
  }
  const { decision, note } = before ?? { decision: "undecided" as const, note: "" };
  return decideSender(name, { decision, note, by }, invocation);
}
