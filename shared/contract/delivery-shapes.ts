/** What operations about channels and forwarding targets answer, as schemas; never a secret. Pure. */
import * as v from "valibot";
import { type ForwardTarget, TARGET_KINDS } from "../forward/target.ts";
import { DELIVERY_KINDS, DELIVERY_STATES } from "../ledger/channels.ts";
import type { WaitingReports } from "../ledger/forwards.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { CHANNEL_KINDS, type Channel, DIGEST_INTERVALS, shownTarget } from "../notify/channel.ts";

/** A channel; of a URL only its host is shown. */
export const channel = v.object({
  id: v.string(),
  account: v.string(),
  kind: v.picklist(CHANNEL_KINDS),
  name: v.string(),
  target: v.string(),
  sendsNotices: v.boolean(),
  digest: v.picklist(DIGEST_INTERVALS),
  timeZone: v.string(),
  createdSeconds: v.number(),
  createdBy: v.string(),
  /** When it was confirmed that notices may be sent there; 0 = nothing is, until it is. */
  confirmedSeconds: v.number(),
  /** It did not answer, and nothing is sent before; 0 = it answers. */
  silentUntilSeconds: v.number(),
});

/** A channel as output: without its secret, and with as much of its target as may be shown. */
export function channelOf({ secret: _, unanswered: _unanswered, ...stored }: Channel): v.InferOutput<typeof channel> {
  return { ...stored, target: shownTarget(stored) };
}

/** A notice, digest, test or question to confirm on its way to a channel. */
export const delivery = v.object({
  id: v.string(),
  channel: v.string(),
  account: v.string(),
  kind: v.picklist(DELIVERY_KINDS),
  /** Id of the notice, day of the digest, time of the test, or until when the link that confirms is good. */
  subject: v.string(),
  state: v.picklist(DELIVERY_STATES),
  attempts: v.number(),
  /** The result of the last attempt, as a sentence. */
  result: v.string(),
  createdSeconds: v.number(),
  /** When the next attempt is due, while it is waiting. */
  nextSeconds: v.number(),
  finishedSeconds: v.number(),
});

/** A target that reports are forwarded to; of its URL only the host is shown. */
export const forwardTarget = v.object({
  id: v.string(),
  /** "" = of all accounts. */
  account: v.string(),
  kind: v.picklist(TARGET_KINDS),
  name: v.string(),
  target: v.string(),
  withRecords: v.boolean(),
  createdSeconds: v.number(),
  createdBy: v.string(),
  /** Reports sent, and when the last one was, seconds since 1970 UTC; 0 = never. */
  sent: v.number(),
  sentSeconds: v.number(),
  /** Reports that wait, since when the oldest does (0 = none), and those that were given up. */
  waiting: v.number(),
  oldestSeconds: v.number(),
  failed: v.number(),
  /** The result of the last attempt, and why a report was refused; "" = nothing. */
  result: v.string(),
  problem: v.string(),
  /** Failed attempts in a row, and when the next one is due. */
  failures: v.number(),
  nextSeconds: v.number(),
});

/** A target as output: without its secrets. @param waiting what waits for it in each database */
export function forwardTargetOf(
  { secret: _, accessKeyId: _id, region: _region, url, ...target }: ForwardTarget,
  waiting: readonly WaitingReports[],
): v.InferOutput<typeof forwardTarget> {
  const sum = (count: (row: WaitingReports) => number): number => waiting.reduce((all, row) => all + count(row), 0);
  const oldest = waiting.map(({ oldestSeconds }) => oldestSeconds).filter((seconds) => seconds > 0);
  return {
    ...target,
    target: shownTarget({ kind: "webhook", target: url }),
    waiting: sum((row) => row.waiting),
    failed: sum((row) => row.failed),
    oldestSeconds: oldest.length === 0 ? 0 : Math.min(...oldest),
    problem: waiting.find(({ problem }) => problem !== "")?.problem ?? "",
  };
}

/** A report that a target has not taken yet. */
export const unsentReport = v.object({
  /** Id of the target. */
  target: v.string(),
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  /** As `getReport` takes it. */
  day: v.string(),
  uid: v.string(),
  /** failed: given up, until it is sent again by hand. */
  state: v.picklist(["waiting", "failed"]),
  /** How often the target refused it, and what it answered last. */
  attempts: v.number(),
  result: v.string(),
  createdSeconds: v.number(),
  nextSeconds: v.number(),
});
