/** Adds, lists, tests and removes targets that accepted reports are forwarded to, and enqueues what is due for them. */

import { forwardTargetOf } from "../../../shared/contract/delivery-shapes.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { testRequest } from "../../../shared/forward/requests.ts";
import { type ForwardTarget, validSettings } from "../../../shared/forward/target.ts";
import { toHex } from "../../../shared/identity.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import {
  addTarget,
  dueTargetsQuery,
  removeTarget,
  retryFailed,
  targetQuery,
  targetsQuery,
  type WaitingReports,
  waitingReportsQuery,
} from "../../../shared/ledger/forwards.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { FORWARD_LIMITS } from "../../../shared/limits.ts";
import type { ForwardMessage } from "../../../shared/messages.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, noAccount, notFound } from "../answers.ts";
import {
  type Call,
  type Invocation,
  inEachShard,
  inShardOf,
  inTurn,
  isAccountOrPipeline,
  randomBytes,
} from "../env.ts";
import { attemptRequest } from "./request.ts";

/** Adds a target. @returns it with the key of its signature, if it has one; a problem if it is not allowed */
export async function createTarget(
  { account, ...settings }: Inputs["addForward"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["addForward"]>> {
  const { env, nowSeconds } = invocation;
  if (!(await isAccountOrPipeline(account, invocation))) return noAccount(account);
  const url = validSettings(settings, env.NOTIFY_LOCAL_ORIGIN);
  if (!url.ok) return badRequest(url.error);
  const target: ForwardTarget = {
    ...settings,
    account,
    url: url.value,
    id: toHex(randomBytes(8)),
    secret: settings.kind === "http" ? toHex(randomBytes(32)) : settings.secret,
    createdSeconds: nowSeconds,
    createdBy: caller.name,
    sent: 0,
    sentSeconds: 0,
    result: "",
    failures: 0,
    nextSeconds: 0,
  };
  // A target for all accounts is in every database.
  const places = account === "" ? inEachShard(invocation) : [await inShardOf(account, invocation)];
  for (const { ledger } of places) {
    const [added] = await change(ledger, [addTarget(target)]);
    if (added?.results.length === 0) {
      return fail({
        code: "too_large",
        message: `There are ${FORWARD_LIMITS.targetsPerAccount} targets, as many as may be.`,
      });
    }
  }
  return ok({ ...forwardTargetOf(target, []), secret: settings.kind === "http" ? target.secret : "" });
}

/** All targets with what waits for them, summed where a target is in several databases. */
export async function listTargets(invocation: Invocation): Promise<Outputs["listForwards"]> {
  const targets = new Map<string, ForwardTarget>();
  const waiting: WaitingReports[] = [];
  for (const { ledger } of inEachShard(invocation)) {
    for (const target of await ask(ledger, targetsQuery()))
      targets.set(target.id, merged(targets.get(target.id), target));
    waiting.push(...(await ask(ledger, waitingReportsQuery())));
  }
  const items = [...targets.values()].map((target) =>
    forwardTargetOf(
      target,
      waiting.filter((row) => row.target === target.id),
    ),
  );
  return { items };
}

function merged(one: ForwardTarget | undefined, other: ForwardTarget): ForwardTarget {
  if (one === undefined) return other;
  const isWorse =
    other.failures > one.failures || (other.failures === one.failures && other.sentSeconds > one.sentSeconds);
  const { result, failures, nextSeconds } = isWorse ? other : one;
  const sentSeconds = Math.max(one.sentSeconds, other.sentSeconds);
  return { ...one, sent: one.sent + other.sent, sentSeconds, result, failures, nextSeconds };
}

/** Removes a target and what is waiting for it; removing one that is not there is no error. */
export async function deleteTarget({ id }: Inputs["removeForward"], { invocation }: Call): Promise<Answer<undefined>> {
  for (const { ledger } of inEachShard(invocation)) await change(ledger, removeTarget(id));
  return ok(undefined);
}

/** Sends a test now. @returns its result; a problem if there is no such target */
export async function testTarget(
  { id }: Inputs["testForward"],
  { invocation }: Call,
): Promise<Answer<Outputs["testForward"]>> {
  const target = await findTarget(id, invocation);
  if (target === undefined) return notFound(`There is no target '${id}'.`);
  const { outcome, result } = await attemptRequest(await testRequest(target, invocation.nowSeconds), target, {
    timeoutMilliseconds: FORWARD_LIMITS.runMilliseconds,
    nowSeconds: invocation.nowSeconds,
  });
  return ok({ isTaken: outcome === "taken", result });
}

/** Sends failed reports again, and tries a target that is left alone at once. @returns a problem if there is no such target */
export async function retryTarget(
  { id }: Inputs["retryForward"],
  { invocation }: Call,
): Promise<Answer<Outputs["retryForward"]>> {
  if ((await findTarget(id, invocation)) === undefined) {
    return notFound(`There is no target '${id}'.`);
  }
  for (const { ledger } of inEachShard(invocation)) await change(ledger, retryFailed(id, invocation.nowSeconds));
  return ok({ enqueued: await enqueueForwards(invocation) });
}

async function findTarget(id: string, invocation: Invocation): Promise<ForwardTarget | undefined> {
  const [found] = await askAll(invocation.shards.all, targetQuery(id));
  return found;
}

/**
 * Cron's part: a message for every target that something is due for. @returns how many. @throws whatever D1 or the queue
 * throws
 */
export async function enqueueForwards(invocation: Invocation): Promise<number> {
  let enqueued = 0;
  await spreadTargets(invocation);
  for (const { ledger, shard, env, nowSeconds } of inEachShard(invocation)) {
    for (const target of await ask(ledger, dueTargetsQuery(nowSeconds))) {
      const message: ForwardMessage = { v: 1, kind: "forward", shard, target };
      // To the queue whose batches hold one message, so that no report waits for a target.
      await env.QUEUE_POINTS.send(message);
      enqueued++;
    }
  }
  return enqueued;
}

/** A database that was added after a target for all accounts gets it, too: each of them in turn, as an invocation has few queries. */
async function spreadTargets({ shards: { all, directory }, nowSeconds }: Invocation): Promise<void> {
  const [, ...others] = all;
  const ledger = inTurn(others, nowSeconds);
  if (ledger === undefined) return;
  const targets = await ask(directory, targetsQuery());
  const added = targets.filter(({ account }) => account === "").map(addTarget);
  if (added.length > 0) await change(ledger, added);
}
