/** Stores and undoes an owner's decisions about senders. */
import type { Answer } from "../../../shared/contract/problems.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { readSubject } from "../../../shared/guidance/subject.ts";
import { change } from "../../../shared/ledger/database.ts";
import {
  countSubjects,
  type DecidedSender,
  lastTwoDecisions,
  putSenderDecision,
  type SenderDecision,
  type SenderName,
  trimSenderDecisions,
} from "../../../shared/ledger/sender-decisions.ts";
import { DECISION_LIMITS } from "../../../shared/limits.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, noAccount, notFound } from "../answers.ts";
import { type Invocation, inShardIfKnown, inShardOf } from "../env.ts";

/** Stores a decision. @returns it as stored; a problem if it names no sender or account, or there are too many */
export async function decideSender(
  written: SenderName,
  { decision, note, by }: { decision: SenderDecision; note: string; by: string },
  invocation: Invocation,
): Promise<Answer<DecidedSender>> {
  const read = readName(written);
  if (!read.ok) return read;
  const name = read.value;
  const place = await inShardIfKnown(name.account, invocation);
  if (place === undefined) return noAccount(name.account);
  const { ledger, nowSeconds } = place;
  const { maxSubjects, maxKept } = DECISION_LIMITS;
  if ((await countSubjects(ledger, name)) >= maxSubjects) {
    const message = `There are decisions about ${maxSubjects} senders of ${name.domain}, and no more are kept. Change one of them.`;
    return fail({ code: "too_large", message });
  }
  const decided = { ...name, decision, note, decidedBy: by, decidedSeconds: nowSeconds };
  await change(ledger, [putSenderDecision(decided), trimSenderDecisions(name, maxKept)]);
  return ok(decided);
}

/** The names as they are stored. */
function readName({ account, domain, source }: SenderName): Answer<SenderName> {
  const subject = readSubject(source);
  if (!subject.ok) return badRequest(subject.error);
  return ok({ account, domain: domainName(domain), source: subject.value.text });
}

/** Restores the previous decision. @returns a problem if nothing was decided */
export async function undoSenderDecision(
  written: SenderName,
  by: string,
  invocation: Invocation,
): Promise<Answer<DecidedSender>> {
  const read = readName(written);
  if (!read.ok) return read;
  const name = read.value;
  const { ledger } = await inShardOf(name.account, invocation);
  const [last, before] = await lastTwoDecisions(ledger, name);
  if (last === undefined) {
    return notFound(`There is no decision about ${name.source} and ${name.domain}.`);
  }
  const { decision, note } = before ?? { decision: "undecided" as const, note: "" };
  return decideSender(name, { decision, note, by }, invocation);
}
