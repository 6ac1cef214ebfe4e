/**
 * `delivery`: send a notice, digest or test to its channel. The ledger holds what is due, so a message that is lost or given up
 * costs nothing: cron enqueues the delivery again.
 */
import type { DeliveryMessage } from "../../../shared/messages.ts";
import { inShardIfBound } from "../env.ts";
import { attemptDeliveries } from "../notify/send-delivery.ts";
import { type MessageKind, runEach } from "./kind.ts";

export const deliveryKind: MessageKind<DeliveryMessage> = {
  run: (received, invocation) =>
    runEach(received, async ({ message: { deliveryId, following = [], shard } }) => ({
      event: "delivery",
      id: deliveryId,
      outcomes: await attemptDeliveries([deliveryId, ...following], inShardIfBound(invocation, shard)),
    })),

  async fileExhausted({ message }, lastError) {
    return { event: "delivery", id: message.deliveryId, outcome: "left to cron", error: lastError };
  },

  async again() {
    return { refused: "Deliveries are retried by cron." };
  },
};
