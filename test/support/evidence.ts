/** Support: records as evidence for a verdict by a plain count, without the ledger. */
import { passes } from "../../shared/guidance/evidence.ts";
import { textsOfRecord } from "../../shared/ledger/figures.ts";
import { type Evidence, PERIOD_PARTS } from "../../shared/ledger/sources.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";

/** A record and the day its report is about. */
export interface DatedRecord {
  day: number;
  record: AggregateRecord;
}

/** Evidence of the records of one domain in a period; every group keeps its address. */
export function evidenceOf(records: Iterable<DatedRecord>, period: { firstDay: number; lastDay: number }): Evidence[] {
  const groups = new Map<string, Evidence>();
  const length = period.lastDay - period.firstDay + 1;
  for (const { day, record } of records) {
    if (day < period.firstDay || day > period.lastDay || record.count === 0) continue;
    const { sourceIp, disposition, dkim, spf, headerFrom } = record;
    const figure = { sourceIp, disposition, dkim, spf, headerFrom, ...textsOfRecord(record) };
    const activeParts = 1 << Math.floor(((day - period.firstDay) * PERIOD_PARTS) / length);
    const key = JSON.stringify(figure);
    const known = groups.get(key);
    if (known === undefined) {
      groups.set(key, { ...figure, messages: record.count, activeParts, firstDay: day, lastDay: day });
      continue;
    }
    known.messages += record.count;
    known.activeParts |= activeParts;
    known.firstDay = Math.min(known.firstDay, day);
    known.lastDay = Math.max(known.lastDay, day);
  }
  return [...groups.values()];
}

/** Messages of evidence, those that fail among them. */
export function sumEvidence(evidence: readonly Evidence[]): { messages: number; failing: number } {
  const sums = { messages: 0, failing: 0 };
  for (const group of evidence) {
    sums.messages += group.messages;
    if (!passes(group)) sums.failing += group.messages;
  }
  return sums;
}
