/** The kinds of queue messages: the one list of them, in the order in which a batch is processed. */
import type { DeadLetterRow } from "../../../shared/ledger/dead-letters.ts";
import type { QueueMessage } from "../../../shared/messages.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import type { Invocation, LogEntry } from "../env.ts";
import type { Ending, Received } from "../received.ts";
import { deliveryKind } from "./delivery.ts";
import { forwardKind } from "./forward.ts";
import { jobKind } from "./job.ts";
import type { MessageKind } from "./kind.ts";
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
  for (const [name, kind] of Object.entries<MessageKind<QueueMessage>>(KINDS)) {
    const ofKind = received.filter(({ message }) => message.kind === name);
    if (ofKind.length === 0) continue;
    for (const [one, ending] of await runKind(kind, ofKind, invocation)) endings.set(one, ending);
  }
  return endings;
}

async function runKind(
  kind: MessageKind<QueueMessage>,
  ofKind: Received<QueueMessage>[],
  invocation: Invocation,
): Promise<[Received<QueueMessage>, Ending][]> {
  try {
    const found = await kind.run(ofKind, invocation);
    return ofKind.map((one, i) => [one, found[i] ?? { error: new Error("no ending") }]);
  } catch (error) {
    return ofKind.map((one) => [one, { error }]);
  }
}

// Each kind is given only the messages of its own name, which the type of KINDS pairs with it.
function kindOf({ kind }: QueueMessage): MessageKind<QueueMessage> {
  return KINDS[kind];
}

/** Files a message that the platform gave up on. */
export function fileExhausted(
  received: Received<QueueMessage>,
  lastError: string,
  invocation: Invocation,
): Promise<LogEntry> {
  return kindOf(received.message).fileExhausted(received, lastError, invocation);
}

/** The message that retries a dead letter. */
export function messageAgain(
  message: QueueMessage,
  deadLetter: DeadLetterRow,
  invocation: Invocation,
): Promise<QueueMessage | OperationRefused> {
  return kindOf(message).again(message, deadLetter, invocation);
}
