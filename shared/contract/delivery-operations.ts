/** Operations about what is sent on: notices to channels, reports to targets. operations.ts assembles them. */
import * as v from "valibot";
import { targetSettings } from "../forward/target.ts";
import { channelSettings } from "../notify/channel.ts";
import { listOf } from "./common-shapes.ts";
import * as shapes from "./delivery-shapes.ts";
import { id, idInput, nothing } from "./fields.ts";
import { get, post, remove } from "./operation.ts";

/** "" = the pipeline itself, for operators. */
const channelAccount = v.pipe(v.string(), v.maxLength(64));
const channelName = v.strictObject({ account: channelAccount, id });

export const DELIVERY_OPERATIONS = {
  listChannels: {
    summary: "Channels that notices and digests are sent to",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/channels"),
    input: v.strictObject({ account: v.optional(channelAccount) }),
    output: listOf(shapes.channel),
  },
  addChannel: {
    summary: "Adds a channel; the secret of a webhook is returned only here",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/channels"),
    input: v.strictObject({ account: channelAccount, ...channelSettings }),
    output: v.object({ ...shapes.channel.entries, secret: v.string() }),
  },
  removeChannel: {
    summary: "Removes a channel and the list of its deliveries",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: remove("/channels/:id"),
    input: channelName,
    output: v.undefined(),
  },
  testChannel: {
    summary:
      "Sends a test to a channel, or the confirmation link again while it is unconfirmed; listDeliveries has the result",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/channels/:id/test", place: { json: "fields" }, status: 202, answer: "json" },
    input: channelName,
    output: v.object({ deliveryId: v.string() }),
  },
  confirmChannel: {
    summary: "Confirms a channel's mail address on its owner's behalf",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/channels/:id/confirm"),
    input: channelName,
    output: shapes.channel,
  },
  confirmChannelByLink: {
    summary: "Confirms a channel's mail address by the link that was sent to it",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({
      account: channelAccount,
      id,
      untilSeconds: v.pipe(v.number(), v.integer(), v.minValue(0)),
      signature: v.pipe(v.string(), v.maxLength(64)),
    }),
    output: v.undefined(),
  },
  listDeliveries: {
    summary: "The newest deliveries of notices, digests and tests, with their results",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/deliveries"),
    input: v.strictObject({ account: v.optional(channelAccount) }),
    output: listOf(shapes.delivery),
  },
  listForwards: {
    summary: "Targets that accepted reports are forwarded to, and what is waiting for each",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: get("/forwards"),
    input: nothing,
    output: listOf(shapes.forwardTarget),
  },
  addForward: {
    summary: "Adds a target for accepted reports; the key that signs an HTTP endpoint's requests is returned only here",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/forwards"),
    /** Account "" = reports of all accounts. */
    input: v.strictObject({ account: channelAccount, ...targetSettings }),
    output: v.object({ ...shapes.forwardTarget.entries, secret: v.string() }),
  },
  removeForward: {
    summary: "Removes a target and what is waiting for it",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: remove("/forwards/:id"),
    input: idInput,
    output: v.undefined(),
  },
  testForward: {
    summary: "Sends a test to a target now",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/forwards/:id/test", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: v.object({ isTaken: v.boolean(), result: v.string() }),
  },
  retryForward: {
    summary: "Sends a target what was given up and what is waiting for it, now",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/forwards/:id/retry", place: "query", status: 200, answer: "json" },
    input: idInput,
    /** How many targets are sent to now, those of other ids included. */
    output: v.object({ enqueued: v.number() }),
  },
  listUnsentReports: {
    summary: "Reports that targets have not accepted, at most 500: given up, then refused, then waiting",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/unsent-reports"),
    input: nothing,
    output: v.object({ items: v.array(shapes.unsentReport), isComplete: v.boolean() }),
  },
} as const;
