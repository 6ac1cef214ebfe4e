/**
 * The pipeline itself needs attention: too many dead letters or conflicts, messages that wait too long, or a database that is nearly
 * full. Why: reports that are not counted are missing everywhere else. It is about no domain, and for operators alone.
 */

import { type DatabaseSizes, filledDatabases } from "../../database-room.ts";
import type { Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { countText } from "../words.ts";

/** What waits, over all databases. */
export interface PipelineFigures {
  nowSeconds: number;
  deadLetters: number;
  conflicts: number;
  /** Messages in each queue, and since when the oldest waits; 0 where none does. */
  queues: readonly { queue: string; messages: number; oldestSeconds: number }[];
  databases: DatabaseSizes;
  /** What one database may hold. */
  maxDatabaseBytes: number;
}

/** What is beyond its bound. */
export function findPipelineBehind(figures: PipelineFigures): Finding[] {
  const { nowSeconds, deadLetters, conflicts, queues, databases, maxDatabaseBytes } = figures;
  const { maxDeadLetters, maxConflicts, maxWaitingSeconds } = WATCH_RULES.pipelineBehind;
  const findings: Finding[] = [];
  if (deadLetters > maxDeadLetters) {
    findings.push(
      behind("deadLetters", {
        title: `${countText(deadLetters, "dead letter")} are open`,
        evidence: `More than ${maxDeadLetters} reports couldn't be processed.`,
        link: "/operations/dead-letters",
      }),
    );
  }
  if (conflicts > maxConflicts) {
    findings.push(
      behind("conflicts", {
        title: `${countText(conflicts, "conflict")} wait for a decision`,
        evidence: `More than ${maxConflicts} reports came again with other content.`,
        link: "/operations/conflicts",
      }),
    );
  }
  for (const { queue, messages, oldestSeconds } of queues) {
    if (messages === 0 || oldestSeconds === 0 || nowSeconds - oldestSeconds <= maxWaitingSeconds) continue;
    const hours = Math.floor((nowSeconds - oldestSeconds) / 3600);
    findings.push(
      behind(`queue ${queue}`, {
        title: `The queue ${queue} is behind`,
        evidence: `${countText(messages, "message")} wait, the oldest for ${countText(hours, "hour")}.`,
        link: "/operations",
      }),
    );
  }
  for (const { database, holds, advice } of filledDatabases(databases, maxDatabaseBytes)) {
    findings.push(
      behind(`database ${database}`, {
        title: holds,
        evidence: `A full database takes no report: ${advice}.`,
        link: "/operations",
      }),
    );
  }
  return findings;
}

function behind(
  subject: string,
  { title, evidence, link }: { title: string; evidence: string; link: string },
): Finding {
  return {
    rule: "pipelineBehind",
    subject,
    severity: "attention",
    title,
    evidence: [evidence],
    causes: [],
    link,
    isEvent: false,
  };
}
