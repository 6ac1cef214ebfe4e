/** The kinds of queue messages: the one list of them. */
import type { DeadLetterRow } from "../../../shared/ledger/dead-letters.ts";
import type { QueueMessage } from "../../../shared/messages.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import type { Invocation, LogEntry } from "../env.ts";
import { deliveryKind } from "./delivery.ts";
import { forwardKind } from "./forward.ts";
import { jobKind } from "./job.ts";
import type { Ending, MessageKind, Received } from "./kind.ts";
import { pointsKind } from "./points.ts";
import { reportKind } from "./report.ts";

type KindName = QueueMessage["kind"];
type MessageOf<Name extends KindName> = Extract<QueueMessage, { kind: Name }>;

const KINDS: { [Name in KindName]: MessageKind<MessageOf<Name>> } = {
  report: reportKind,
  points: pointsKind,
  job: jobKind,
  delivery: deliveryKind,
  forward: forwardKind,
};

/** Processes the messages of a batch, grouped by kind. @returns the ending of each */
export async function runMessages(
  received: Received<QueueMessage>[],
  invocation: Invocation,
): Promise<Map<Received<QueueMessage>, Ending>> {
  const endings = new Map<Received<QueueMessage>, Ending>();
  for (const name of ["report", "points", "job", "delivery", "forward"] as const)
    await runKind(name, received, { invocation, endings });
  return endings;
}

async function runKind<Name extends KindName>(
  name: Name,
  received: Received<QueueMessage>[],
  { invocation, endings }: { invocation: Invocation; endings: Map<Received<QueueMessage>, Ending> },
): Promise<void> {
  const isOfKind = (one: Received<QueueMessage>): one is Received<MessageOf<Name>> => one.message.kind === name;
  const ofKind = received.filter(isOfKind);
  if (ofKind.length === 0) return;
  try {
    const found = await KINDS[name].run(ofKind, invocation);
    for (const [i, one] of ofKind.entries()) endings.set(one, found[i] ?? { error: new Error("no ending") });
  } catch (error) {
    for (const one of ofKind) endings.set(one, { error });
  }
}

/** Files a message that the platform gave up on. */
export function fileExhausted(
  { message, ...delivery }: Received<QueueMessage>,
  lastError: string,
  invocation: Invocation,
): Promise<LogEntry> {
  switch (message.kind) {
    case "report":
      return KINDS.report.fileExhausted({ message, ...delivery }, lastError, invocation);
    case "points":
      return KINDS.points.fileExhausted({ message, ...delivery }, lastError, invocation);
    case "job":
      return KINDS.job.fileExhausted({ message, ...delivery }, lastError, invocation);
    case "delivery":
      return KINDS.delivery.fileExhausted({ message, ...delivery }, lastError, invocation);
    case "forward":
      return KINDS.forward.fileExhausted({ message, ...delivery }, lastError, invocation);
  }
}

/** The message that retries a dead letter, and the queue it belongs to. */
export function messageAgain(
  message: QueueMessage,
  deadLetter: DeadLetterRow,
  invocation: Invocation,
): Promise<QueueMessage | OperationRefused> {
  switch (message.kind) {
    case "report":
      return KINDS.report.again(message, deadLetter, invocation);
    case "points":
      return KINDS.points.again(message, deadLetter, invocation);
    case "job":
      return KINDS.job.again(message, deadLetter, invocation);
    case "delivery":
      return KINDS.delivery.again(message, deadLetter, invocation);
    case "forward":
      return KINDS.forward.again(message, deadLetter, invocation);
  }
}
