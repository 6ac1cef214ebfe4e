/** Watches the pipeline itself: what waits in it is compared with its limits. */
import { ask, change } from "../../../shared/ledger/database.ts";
import { addNotices, incidentsOfDomainsQuery, keepIncidents } from "../../../shared/ledger/notices.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { waitingQuery } from "../../../shared/ledger/watch-facts.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { occasionOf } from "../../../shared/watch/occasion.ts";
import { findPipelineBehind } from "../../../shared/watch/rules/pipeline-behind.ts";
import { transitionsOf } from "../../../shared/watch/transitions.ts";
import { backlog } from "../backlog.ts";
import type { Invocation } from "../env.ts";

/** Compares what waits in the pipeline with its limits; the incidents belong to no account and are in the first database. */
export async function watchPipeline({ env, shards, nowSeconds }: Invocation): Promise<void> {
  const name = { account: "", domain: "" };
  const queues = { "dmarc-reports": env.QUEUE_REPORTS, "dmarc-points": env.QUEUE_POINTS };
  const [waiting, incidents, backlogs] = await Promise.all([
    askAll(shards.all, waitingQuery()),
    ask(shards.directory, incidentsOfDomainsQuery([name], nowSeconds)),
    Promise.all(Object.entries(queues).map(([queue, binding]) => backlog(queue, binding))),
  ]);
  const findings = findPipelineBehind({
    nowSeconds,
    deadLetters: waiting.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    conflicts: waiting.reduce((sum, { conflicts }) => sum + conflicts, 0),
    queues: backlogs,
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
