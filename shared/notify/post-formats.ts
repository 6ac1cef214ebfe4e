/** What is posted to the channels that have a URL: a format for each kind. Pure. */
import type { Delivery } from "../ledger/channels.ts";
import type { ChannelKind } from "./channel.ts";
import { slackMessage, teamsMessage } from "./chat.ts";
import { signedHeaders } from "./signature.ts";
import type { Story } from "./story.ts";
import { type Delivered, webhookPayload } from "./webhook.ts";

/** What a delivery says: as data, and in words. */
export interface Content {
  delivered: Delivered;
  story: Story;
}

/** A delivery on its way to its channel. */
export interface Post {
  content: Content;
  delivery: Pick<Delivery, "id" | "account">;
  /** The channel's key; "" if its kind has none. */
  secret: string;
  nowSeconds: number;
}

/** How deliveries are posted to a kind of channel. */
export interface PostFormat {
  /** The request's body, and its headers besides the user agent. */
  write(post: Post): Promise<{ body: string; headers: Record<string, string> }>;
  /** Refuses some messages with a status of success and the reason as text: the text is read, too. */
  refusesInText?: true;
}

/** The formats. */
export const POST_FORMATS: Record<Exclude<ChannelKind, "email">, PostFormat> = {
  webhook: {
    async write({ content: { delivered, story }, delivery: { id, account }, secret, nowSeconds }) {
      const { body, headers } = json(webhookPayload(delivered, { id, account, story }));
      return { body, headers: { ...headers, ...(await signedHeaders(secret, { id, body, nowSeconds })) } };
    },
  },
  slack: { write: async ({ content }) => json(slackMessage(content.story)) },
  // 200 with "delivery failed" or "HTTP error 429" in the text.
  teams: { write: async ({ content }) => json(teamsMessage(content.story)), refusesInText: true },
};

function json(value: object): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}
