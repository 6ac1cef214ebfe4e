/** Watches the pipeline itself: what waits in it is compared with its limits. */
import { ask, askSized, change } from "../../../shared/ledger/database.ts";
import { addNotices, incidentsOfDomainsQuery, keepIncidents } from "../../../shared/ledger/notices.ts";
import { waitingQuery } from "../../../shared/ledger/watch-facts.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { occasionOf } from "../../../shared/watch/occasion.ts";
import { findPipelineBehind } from "../../../shared/watch/rules/pipeline-behind.ts";
import { transitionsOf } from "../../../shared/watch/transitions.ts";
import { backlogs } from "../backlog.ts";
import type { Invocation } from "../env.ts";

/** Compares what waits in the pipeline with its limits; the incidents belong to no account and are in the first database. */
export async function watchPipeline({ env, shards, nowSeconds }: Invocation): Promise<void> {
  const name = { account: "", domain: "" };
  const [answers, incidents, queues] = await Promise.all([
    Promise.all(shards.all.map((database) => askSized(database, waitingQuery()))),
    ask(shards.directory, incidentsOfDomainsQuery([name], nowSeconds)),
    Promise.all(backlogs(env)),
  ]);
  const waiting = answers.flatMap(({ rows }) => rows);
  const findings = findPipelineBehind({
    nowSeconds,
    deadLetters: waiting.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    conflicts: waiting.reduce((sum, { conflicts }) => sum + conflicts, 0),
    // What is in the queue of dead letters is filed, and counted as they are.
    queues: queues.slice(0, 2),
    databases: answers.map(({ bytes }, database) => ({ database, bytes })),
    maxDatabaseBytes: Number(env.MAX_DATABASE_BYTES),
  });
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const immediateToday = incidents.filter(({ openedSeconds }) => openedSeconds >= today).length;
  const transitions = transitionsOf(
    findings,
    { incidents, mutes: [], immediateToday, isFirst: false },
    await occasionOf(findings, { ...name, nowSeconds }),
  );
  await change(shards.directory, [...keepIncidents(transitions.incidents), ...addNotices(transitions.notices)]);
}
