/**
 * `GET /health`, for whatever watches from outside: 200 while the ledger, KV and process answer, else 503. It names
 * nobody and needs no sign-in, so an answer is kept for some seconds: however often it is asked for, it costs the same.
 */
import type { OperationsEntry } from "../../shared/contract/rpc.ts";
import { filledDatabases } from "../../shared/database-room.ts";
import { inTime } from "../../shared/in-time.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { isCronLate } from "../../shared/operator-steps.ts";
import { WATCH_RULES } from "../../shared/watch/thresholds.ts";

/** Ours: an answer is given again for so long. */
const KEPT_MILLISECONDS = 10_000;

/** The answer. */
export interface Health {
  /**
   * behind: a message has waited for longer than an alert allows, cron has not run for as long, a database may be full any day,
   * or one that accounts live in is not bound.
   */
  status: "ok" | "behind" | "down";
  ledger: boolean;
  registry: boolean;
  process: boolean;
  queues: { queue: string; messages: number; oldestSeconds?: number | undefined }[];
  /** Databases of the ledger that are nearly full, by number. */
  nearlyFull?: number[];
  /** Those that accounts live in and process is not bound to. */
  unboundDatabases?: number[] | undefined;
  /** When cron last began a round over all domains, and when it is last known to have run; 0 = never. */
  roundSeconds?: number | undefined;
  cronSeconds?: number | undefined;
}

/** The health of one isolate's deployment. */
export class HealthCheck {
  #kept: { answer: Promise<Health>; atMilliseconds: number } | undefined;

  /** @throws nothing */
  read(process: OperationsEntry, nowMilliseconds: number): Promise<Health> {
    if (this.#kept === undefined || nowMilliseconds - this.#kept.atMilliseconds > KEPT_MILLISECONDS) {
      this.#kept = { answer: askProcess(process, Math.floor(nowMilliseconds / 1000)), atMilliseconds: nowMilliseconds };
    }
    return this.#kept.answer;
  }
}

const DOWN: Health = { status: "down", ledger: false, registry: false, process: false, queues: [] };

async function askProcess(process: OperationsEntry, nowSeconds: number): Promise<Health> {
  try {
    const caller = { name: "health", authority: { isOperator: false, accounts: {} } };
    const { healthMilliseconds } = DASHBOARD_LIMITS;
    const answer = await inTime(globalThis, process.call("health", {}, caller), healthMilliseconds, "late");
    if (!answer.ok) return DOWN;
    const { databases = [], maxDatabaseBytes, ...answered } = answer.value;
    const { ledger, registry, queues } = answered;
    const filled = filledDatabases(databases, maxDatabaseBytes);
    const told = { ...answered, process: true, nearlyFull: filled.map(({ database }) => database) };
    if (!ledger || !registry) return { status: "down", ...told };
    const { maxWaitingSeconds } = WATCH_RULES.pipelineBehind;
    const isBehind = queues.some(
      ({ messages, oldestSeconds = 0 }) =>
        messages > 0 && oldestSeconds > 0 && nowSeconds - oldestSeconds > maxWaitingSeconds,
    );
    const isMissing = (answered.unboundDatabases ?? []).length > 0;
    const needsHelp = isBehind || isMissing || isCronLate(answered, nowSeconds) || filled.some(({ isFull }) => isFull);
    return { status: needsHelp ? "behind" : "ok", ...told };
  } catch {
    return DOWN;
  }
}

/** The answer to a request. */
export function healthResponse(health: Health): Response {
  return Response.json(health, {
    status: health.status === "down" ? 503 : 200,
    headers: { "cache-control": "no-store" },
  });
}
