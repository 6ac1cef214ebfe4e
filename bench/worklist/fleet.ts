/** Simulated domains with what the worklist keeps of each, and what is true of their failing mail by the senders' labels. Pure. */
import { wouldBeHit } from "../../shared/guidance/evidence.ts";
import { identifySource } from "../../shared/guidance/sources.ts";
import { textsOfRecord } from "../../shared/ledger/figures.ts";
import { causeOf, type WorkCause, type WorkItem, workOf } from "../../shared/watch/work.ts";
import { DAYS } from "../verdict/parameters.ts";
import { judgeRecords, simulateOne } from "../verdict/score.ts";

/** Legitimate messages that fail, and that no receiver says it let through, with the cause they were given. */
export interface FailingMail {
  /** undefined: the worklist says nothing of it. */
  cause: WorkCause | undefined;
  messages: number;
  /** Handed on by forwarders and lists. */
  isIndirect: boolean;
}

export interface SimulatedWork {
  domain: string;
  items: WorkItem[];
  failing: FailingMail[];
}

/** The domain of a number among those of a seed. Its owner has decided nothing. */
export function simulateWork(seed: number, number: number): SimulatedWork {
  const { domain, traffic, knowledge } = simulateOne(seed, number);
  const verdict = judgeRecords(domain, traffic.reported, { knowledge });
  const items = workOf({ verdict, days: DAYS.seen, findings: [] });
  const kept = new Set(items.map(({ code, subject }) => `${code} ${subject}`));
  const causes = new Map(verdict.sources.map((source) => [source.name, causeOf(source, domain.name)]));
  const failing = new Map<string, FailingMail>();
  for (const { record, isLegitimate, isIndirect } of traffic.reported) {
    const texts = textsOfRecord(record);
    const { sourceIp, disposition, dkim, spf, headerFrom, count } = record;
    const days = { activeParts: 0, firstDay: 0, lastDay: 0 };
    const evidence = { sourceIp, disposition, dkim, spf, headerFrom, messages: count, ...texts, ...days };
    if (!isLegitimate || !wouldBeHit(evidence)) continue;
    const found = causes.get(identifySource({ ...texts, sourceIp }, domain.name).name);
    const cause = found !== undefined && kept.has(`${found.code} ${found.subject}`) ? found : undefined;
    const key = `${cause?.code} ${cause?.subject} ${isIndirect}`;
    const known = failing.get(key) ?? { cause, messages: 0, isIndirect };
    failing.set(key, { ...known, messages: known.messages + count });
  }
  return { domain: domain.name, items, failing: [...failing.values()] };
}
