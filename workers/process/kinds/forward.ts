/**
 * `forward`: send what waits for a target. The ledger holds what waits, so a message that is lost, delivered twice or given up costs
 * nothing: cron enqueues another.
 */
import type { ForwardMessage } from "../../../shared/messages.ts";
import { inShardIfBound } from "../env.ts";
import { runForward } from "../forward/run.ts";
import { type MessageKind, runEach } from "./kind.ts";

export const forwardKind: MessageKind<ForwardMessage> = {
  run: (received, invocation) =>
    runEach(received, async ({ message: { target, shard } }) => ({
      event: "forward",
      target,
      ...(await runForward(target, inShardIfBound(invocation, shard), () => Date.now())),
    })),

  async fileExhausted({ message }, lastError) {
    return { event: "forward", target: message.target, outcome: "left to cron", error: lastError };
  },

  async again() {
    return { refused: "What is forwarded is retried by cron." };
  },
};
