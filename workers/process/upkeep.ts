/**
 * The daily maintenance, in bounded steps: anything left over is done the next day. If a step fails the others still
 * run; errors are thrown at the end, so that the platform shows them.
 */

import { removeExpiredNames } from "../../shared/ledger/address-names.ts";
import { copyDue } from "../../shared/ledger/addresses.ts";
import { removeOldAudit } from "../../shared/ledger/audit.ts";
import { removeOldDeliveries } from "../../shared/ledger/channels.ts";
import { change } from "../../shared/ledger/database.ts";
import { removeOldDayUses } from "../../shared/ledger/day-uses.ts";
import { removeOldFaults } from "../../shared/ledger/faults.ts";
import { removeOldForgotten } from "../../shared/ledger/forgotten.ts";
import { removeOldForwards } from "../../shared/ledger/forwards.ts";
import { removeOldImports } from "../../shared/ledger/imports.ts";
import { removeOldJobs, removeOldSkipped } from "../../shared/ledger/jobs.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import { removeOldNotices } from "../../shared/ledger/notices.ts";
import { unfinishedDays } from "../../shared/ledger/objects.ts";
import { removeOldRefusedMail } from "../../shared/ledger/refused-mail.ts";
import {
  removeOldDetails,
  removeOldDiscarded,
  removeOldObjects,
  removeOldRetracted,
  removeUnownedFigures,
} from "../../shared/ledger/retention.ts";
import {
  AUDIT_LIMITS,
  FORGET_LIMITS,
  FORWARD_LIMITS,
  NOTIFY_LIMITS,
  REFUSED_MAIL_LIMITS,
  UPKEEP_LIMITS,
  USE_LIMITS,
  WATCH_LIMITS,
} from "../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { isoDate } from "../../shared/storage.ts";
import { type Invocation, inEachShard, type LogEntry } from "./env.ts";
import { startJob } from "./jobs/start-job.ts";

/**
 * Runs the daily maintenance.
 *
 * @param random distinguishes jobs started in the same second, in [0, 1)
 * @returns what was done, for the log
 * @throws AggregateError of the steps that failed
 */
export async function runUpkeep(invocation: Invocation, random: number): Promise<LogEntry> {
  const steps: Record<string, () => Promise<unknown>> = {
    reconcile: () => reconcile(invocation, random),
    copied: () => copyRegistry(invocation, UPKEEP_LIMITS.copiesPerRun),
    notes: () => removeNotes(invocation),
  };
  for (const place of inEachShard(invocation)) {
    const name = place.shard === 0 ? "" : `_${place.shard}`;
    steps[`merged${name}`] = () => merge(place);
    steps[`removed${name}`] = () => removeOld(place);
    steps[`names${name}`] = () => removeNames(place);
    steps[`notices${name}`] = () => removeNotices(place);
  }
  const done: LogEntry = { event: "upkeep" };
  const faults: unknown[] = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      done[name] = await step();
    } catch (error) {
      faults.push(error);
      done[name] = String(error);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, `Upkeep: ${JSON.stringify(done)}`);
  return done;
}

/**
 * Enqueues objects that were received but never finished, from the newest days back to the oldest day known to have
 * any.
 */
async function reconcile(invocation: Invocation, random: number): Promise<string> {
  const unfinished = await unfinishedDays(invocation.shards.directory);
  const newest = today(invocation) - UPKEEP_LIMITS.reconciledDays + 1;
  const first = Math.min(newest, ...unfinished.map(({ day }) => day));
  const { graceSeconds } = UPKEEP_LIMITS;
  const filter = { since: isoDate(first * SECONDS_PER_DAY) };
  const job = await startJob({ kind: "reconcile", random, graceSeconds }, { filter }, invocation);
  return "refused" in job ? job.refused : job.id;
}

/** Makes copies of the registry that are due. @returns how many. @throws whatever D1 or KV throws */
export function copyRegistry({ env, shards }: Invocation, limit: number): Promise<number> {
  return copyDue({ directory: shards.directory, copy: env.KV_DMARC_REPORTS }, undefined, limit);
}

function merge(invocation: Invocation): Promise<number> {
  const { mergedAfterDays, mergedReports, daysPerRun, daysAtOnce, mergedRecordsAtOnce } = UPKEEP_LIMITS;
  return mergeDays(invocation.ledger, {
    beforeDay: today(invocation) - mergedAfterDays,
    minReports: mergedReports,
    limit: shareOf(daysPerRun, invocation),
    atOnce: { days: daysAtOnce, records: mergedRecordsAtOnce },
  });
}

/**
 * Removes stored errors of messages that never returned, old entries about refused mail and of the audit log, hashes and
 * jobs.
 */
async function removeNotes(invocation: Invocation): Promise<string> {
  const { shards, nowSeconds } = invocation;
  const beforeSeconds = nowSeconds - UPKEEP_LIMITS.keptJobSeconds;
  const { rowsPerStep: limit } = UPKEEP_LIMITS;
  await inSteps(() => removeOldSkipped(shards.directory, { beforeSeconds, limit }), invocation);
  await change(shards.directory, [
    removeOldJobs(beforeSeconds),
    removeOldForgotten(nowSeconds - FORGET_LIMITS.keptSeconds),
    removeOldFaults(nowSeconds - UPKEEP_LIMITS.keptFaultSeconds),
    removeOldRefusedMail(today(invocation) - REFUSED_MAIL_LIMITS.keptDays),
    removeOldAudit(nowSeconds - AUDIT_LIMITS.keptSeconds),
  ]);
  return "removed";
}

/** Removes expired names of addresses. */
async function removeNames({ ledger, nowSeconds }: Invocation): Promise<string> {
  await change(ledger, [removeExpiredNames(nowSeconds)]);
  return "removed";
}

/** Removes old incidents, notices and deliveries. */
async function removeNotices({ ledger, nowSeconds }: Invocation): Promise<string> {
  await change(ledger, [
    ...removeOldNotices(nowSeconds - WATCH_LIMITS.keptSeconds),
    removeOldDeliveries(nowSeconds - NOTIFY_LIMITS.keptSeconds),
    removeOldForwards(nowSeconds - FORWARD_LIMITS.keptSeconds),
  ]);
  return "removed";
}

/**
 * Removes details older than KEEP_DETAIL_DAYS, and rows nothing refers to any more.
 *
 * @returns rows or days removed, by kind
 */
async function removeOld(invocation: Invocation): Promise<Record<string, number>> {
  const { env, ledger, nowSeconds } = invocation;
  const { objectGraceDays, rowsPerStep: limit, chunksPerStep, graceSeconds, daysPerRun, daysAtOnce } = UPKEEP_LIMITS;
  const beforeDay = today(invocation) - Number(env.KEEP_DETAIL_DAYS);
  const objectsBefore = beforeDay - objectGraceDays;
  const beforeSeconds = nowSeconds - graceSeconds;
  await change(ledger, [
    removeOldImports(objectsBefore * SECONDS_PER_DAY),
    removeOldDayUses(today(invocation) - USE_LIMITS.keptDays),
  ]);
  return {
    days: await removeOldDetails(ledger, {
      beforeDay,
      limit: shareOf(daysPerRun, invocation),
      atOnce: daysAtOnce,
    }),
    retracted: await inSteps(() => removeOldRetracted(ledger, { beforeDay, limit }), invocation),
    objects: await inSteps(() => removeOldObjects(ledger, { beforeDay: objectsBefore, limit }), invocation),
    discarded: await inSteps(() => removeOldDiscarded(ledger, { beforeDay: objectsBefore, limit }), invocation),
    unownedFigures: await inSteps(
      () => removeUnownedFigures(ledger, { beforeSeconds, limit: chunksPerStep }),
      invocation,
    ),
  };
}

/** Repeats a step until nothing is left or the run's steps are used up. @returns how many were removed */
async function inSteps(step: () => Promise<number>, invocation: Invocation): Promise<number> {
  let total = 0;
  for (let i = shareOf(UPKEEP_LIMITS.stepsPerRun, invocation); i > 0; i--) {
    const removed = await step();
    total += removed;
    if (removed === 0) break;
  }
  return total;
}

/** The query limit is per invocation, however many databases there are. */
function shareOf(perRun: number, { shards }: Invocation): number {
  return Math.ceil(perRun / shards.all.length);
}

function today({ nowSeconds }: Invocation): number {
  return Math.floor(nowSeconds / SECONDS_PER_DAY);
}
