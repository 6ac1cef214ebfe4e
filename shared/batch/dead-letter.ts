/** Builds the dead letter of a failure. Pure. */
import { domainOfFileName } from "../domain-name.ts";
import { deadLetterId } from "../identity.ts";
import type { DeadLetterFile, DeadLetterMail, DeadLetterRow } from "../ledger/dead-letters.ts";
import type { Problem } from "../report/problems.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { dayOfRawKey, isoDate } from "../storage.ts";

/** What is known about a failure. */
export interface Failure {
  reason: Problem;
  stage: DeadLetterRow["stage"];
  queueMessage: unknown;
  attempts: number;
  /** When the mail arrived; when the message was sent, if it names no mail. Seconds since 1970 UTC. */
  receivedSeconds: number;
  account?: string;
  rua?: string;
  domain?: string;
  /** "" for a message that names no raw object; its content then identifies it. */
  rawKey?: string;
  part?: string;
  generation?: number;
  lastError?: string;
  mail?: DeadLetterMail | undefined;
  file?: DeadLetterFile | undefined;
}

/** Builds the dead letter of a failure. The same failure of the same part has the same id. */
export async function newDeadLetter(failure: Failure, nowSeconds: number): Promise<DeadLetterRow> {
  const { reason, stage, queueMessage, attempts, receivedSeconds, rawKey = "", part = "", lastError } = failure;
  const day = dayOfRawKey(rawKey) ?? isoDate(receivedSeconds);
  const { mail, file, domain = "" } = failure;
  const guess = domain === "" ? domainOfFileName(part) || domainOfFileName(file?.name ?? "") : "";
  return {
    id: await deadLetterId(day, { rawKey: rawKey || JSON.stringify(queueMessage), part, code: reason.code }),
    day: Math.floor(receivedSeconds / SECONDS_PER_DAY),
    account: failure.account ?? "",
    rua: failure.rua ?? "",
    domain: domain || guess,
    isDomainGuessed: guess === "" ? undefined : true,
    code: reason.code,
    message: reason.message,
    stage,
    rawKey,
    part,
    generation: failure.generation ?? 1,
    receivedSeconds,
    filedSeconds: nowSeconds,
    attempts,
    queueMessage,
    lastError,
    counts: reason.counts,
    mail,
    file,
  };
}
