/**
 * Sends what waits for a target, the oldest first, as long as the target accepts it. A failure of the target is not a
 * fault of the platform: it is stored with the target, and tried again with growing delays, for a week. Reports are
 * removed once they are sent; one that was sent but could not be removed is sent again, with the same id.
 */

import { growingDelaySeconds } from "../../../shared/backoff.ts";
import { eventsRequest, partRequest, type ReportPart, splunkBody } from "../../../shared/forward/requests.ts";
import type { ForwardTarget } from "../../../shared/forward/target.ts";
import { ask, type Change, change } from "../../../shared/ledger/database.ts";
import {
  claimTarget,
  type DueForward,
  dueForwardsQuery,
  putNextPart,
  putRefused,
  releaseTarget,
  removeForwards,
} from "../../../shared/ledger/forwards.ts";
import { FORWARD_LIMITS } from "../../../shared/limits.ts";
import type { ForwardMessage } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";
import { partsFrom, reportOf } from "./parts.ts";
import { type Attempt, attemptRequest } from "./request.ts";

/** What a run did. */
export interface ForwardRun {
  outcome: "not_now" | "sent" | "more" | "failed";
  /** Reports that were sent whole. */
  sent: number;
  requests: number;
}

/**
 * Sends to a target of the invocation's database.
 *
 * @param now the time, milliseconds since 1970 UTC
 * @throws whatever D1, R2 or the queue throws; safe to repeat
 */
export async function runForward(id: string, invocation: Invocation, now: () => number): Promise<ForwardRun> {
  const { ledger, nowSeconds } = invocation;
  const target = await claimTarget(ledger, id, nowSeconds);
  if (target === undefined) return { outcome: "not_now", sent: 0, requests: 0 };
  const startedMilliseconds = now();
  const sender = new Sender(target, invocation, () => now() - startedMilliseconds);
  try {
    return await sender.run();
  } catch (error) {
    // A fault of the platform: the claim is released, and the message is retried.
    await change(ledger, releaseTarget(target, { ...target, sent: 0, nowSeconds }));
    throw error;
  }
}

class Sender {
  readonly #target: ForwardTarget;
  readonly #invocation: Invocation;
  /** Milliseconds since the run began. */
  readonly #elapsed: () => number;
  #requests = 0;
  #sent = 0;
  #last: Attempt | undefined;

  constructor(target: ForwardTarget, invocation: Invocation, elapsed: () => number) {
    this.#target = target;
    this.#invocation = invocation;
    this.#elapsed = elapsed;
  }

  async run(): Promise<ForwardRun> {
    const { ledger, nowSeconds } = this.#invocation;
    const due = await ask(ledger, dueForwardsQuery(this.#target.id, nowSeconds));
    const gone = due.filter(({ report }) => report === null);
    if (gone.length > 0) await change(ledger, [removeForwards(this.#target.id, gone)]);
    for (const rows of this.#groups(due.filter(({ report }) => report !== null))) {
      if (!this.#canGoOn()) break;
      await this.#send(rows);
    }
    return this.#end(due.length);
  }

  /** Reports that go into one request, by what the target can take and what it refused before. */
  *#groups(due: DueForward[]): Generator<DueForward[]> {
    const isTogether = this.#target.kind === "splunk" && !this.#target.withRecords;
    let group: DueForward[] = [];
    for (const row of due) {
      if (!isTogether || row.attempts > 0) yield [row];
      else group.push(row);
    }
    while (group.length > 0) {
      const fitting = fittingOf(group);
      yield group.slice(0, fitting);
      group = group.slice(fitting);
    }
  }

  async #send(rows: DueForward[]): Promise<void> {
    const [row] = rows;
    if (rows.length > 1) return this.#sendTogether(rows);
    if (row !== undefined) await this.#sendAlone(row);
  }

  async #sendTogether(rows: DueForward[]): Promise<void> {
    const attempt = await this.#attempt(eventsRequest(this.#target, splunkBody(rows.flatMap(onlyPart))));
    await this.#note(rows, attempt);
  }

  /** One part after the other; a report of many parts continues in the next run. */
  async #sendAlone(row: DueForward): Promise<void> {
    const { ledger, env, nowSeconds } = this.#invocation;
    const report = reportOf(row);
    if (report === undefined) return;
    const { withRecords } = this.#target;
    const parts = partsFrom(report, { firstPart: row.nextPart, withRecords, bucket: env.R2_DMARC_REPORTS });
    let nextPart = row.nextPart;
    for await (const part of parts) {
      const isLast = part.content.part === part.content.parts || part.content.missing !== undefined;
      const attempt = this.#canGoOn()
        ? await this.#attempt(await partRequest(this.#target, part, nowSeconds))
        : undefined;
      if (attempt?.outcome === "taken") nextPart = part.content.part + 1;
      if (attempt?.outcome === "taken" && !isLast) continue;
      if (nextPart !== row.nextPart && !(isLast && attempt?.outcome === "taken")) {
        await change(ledger, [putNextPart(this.#target.id, row, nextPart)]);
      }
      if (attempt !== undefined) await this.#note([row], attempt);
      return;
    }
  }

  async #attempt(request: Request): Promise<Attempt> {
    this.#requests++;
    const left = FORWARD_LIMITS.runMilliseconds - this.#elapsed();
    const { nowSeconds } = this.#invocation;
    this.#last = await attemptRequest(request, this.#target, { timeoutMilliseconds: left, nowSeconds });
    return this.#last;
  }

  async #note(rows: DueForward[], { outcome, result }: Attempt): Promise<void> {
    const { ledger, nowSeconds } = this.#invocation;
    const { id } = this.#target;
    const noted: Change[] = [];
    if (outcome === "taken") {
      noted.push(removeForwards(id, rows));
      this.#sent += rows.length;
    }
    if (outcome === "refused") {
      const attempts = Math.max(...rows.map((row) => row.attempts)) + 1;
      // What was refused together is tried again at once, one by one.
      const nextSeconds = rows.length > 1 ? nowSeconds : nowSeconds + growingDelaySeconds(attempts, FORWARD_LIMITS);
      noted.push(
        putRefused(
          id,
          rows.map(({ uid }) => uid),
          { result, nextSeconds, nowSeconds },
        ),
      );
    }
    await change(ledger, noted);
  }

  #canGoOn(): boolean {
    const hasTime = this.#elapsed() < FORWARD_LIMITS.beginMilliseconds;
    return this.#last?.outcome !== "failed" && this.#requests < FORWARD_LIMITS.requestsPerRun && hasTime;
  }

  async #end(found: number): Promise<ForwardRun> {
    const { ledger, shard, env, nowSeconds } = this.#invocation;
    const hasFailed = this.#last?.outcome === "failed";
    const failures = hasFailed ? this.#target.failures + 1 : 0;
    const delay = this.#last?.retryAfterSeconds ?? growingDelaySeconds(failures, FORWARD_LIMITS);
    const nextSeconds = hasFailed ? nowSeconds + delay : 0;
    const result = this.#last?.result ?? "";
    await change(ledger, releaseTarget(this.#target, { sent: this.#sent, result, failures, nextSeconds, nowSeconds }));
    const counts = { sent: this.#sent, requests: this.#requests };
    if (hasFailed) return { outcome: "failed", ...counts };
    const isMore = this.#requests > 0 && (found === FORWARD_LIMITS.reportsAtOnce || !this.#canGoOn());
    const message: ForwardMessage = { v: 1, kind: "forward", shard, target: this.#target.id };
    if (isMore) await env.QUEUE_POINTS.send(message);
    return { outcome: isMore ? "more" : "sent", ...counts };
  }
}

/** How many of the first reports fit into one request. */
function fittingOf(rows: readonly DueForward[]): number {
  let chars = 0;
  for (const [i, row] of rows.entries()) {
    chars += splunkBody(onlyPart(row)).length;
    if (i > 0 && chars > FORWARD_LIMITS.batchChars) return i;
  }
  return rows.length;
}

function onlyPart(row: DueForward): ReportPart[] {
  const report = reportOf(row);
  return report === undefined ? [] : [{ report, content: { part: 1, parts: 1 } }];
}
