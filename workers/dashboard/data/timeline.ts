/** What changed about a domain over a period, by day: records, reported policies, decisions, new sources. Pure. */
import { isNewSource, type Source } from "../../../shared/guidance/sources.ts";
import type { PolicyDays } from "../../../shared/ledger/days.ts";
import type { SeenChange } from "../../../shared/ledger/domain-checks.ts";
import type { DecidedSender } from "../../../shared/ledger/sender-decisions.ts";
import type { DayRange } from "../../../shared/report-day.ts";
import { dayOfSeconds } from "./days.ts";
import { shortPolicy } from "./policy.ts";

/** From top to bottom under the chart. */
export const EVENT_KINDS = ["record", "policy", "decision", "source"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Something that happened on a day; days since 1970-01-01 UTC. */
export type TimelineEvent = { day: number } & (
  | { kind: "record"; change: SeenChange }
  /** Receivers reported a policy for the first time. */
  | { kind: "policy"; policy: string }
  | { kind: "decision"; decided: DecidedSender }
  /** All of one day, most messages first. */
  | { kind: "source"; sources: Source[] }
);

/** The input of the events. */
export interface TimelineInput {
  period: DayRange;
  changes: readonly SeenChange[];
  /** Of all the data. */
  policies: readonly PolicyDays[];
  decisions: readonly DecidedSender[];
  sources: readonly Source[];
  /** First day whose sources are known. */
  dataSince: number;
}

/** The events of the period, the newest day first. */
export function timelineEvents(input: TimelineInput): TimelineEvent[] {
  const { changes, decisions, period } = input;
  const events: TimelineEvent[] = [
    ...changes.map((change) => ({ kind: "record" as const, day: dayOfSeconds(change.seenSeconds), change })),
    ...newPolicies(input),
    ...decisions.map((decided) => ({ kind: "decision" as const, day: dayOfSeconds(decided.decidedSeconds), decided })),
    ...newSources(input),
  ];
  const order = (kind: EventKind): number => EVENT_KINDS.indexOf(kind);
  return events
    .filter(({ day }) => day >= period.firstDay && day <= period.lastDay)
    .sort((a, b) => b.day - a.day || order(a.kind) - order(b.kind));
}

// With the first report of all, a policy is not new, only seen for the first time.
function newPolicies({ policies }: TimelineInput): TimelineEvent[] {
  const firstDays = new Map<string, number>();
  for (const { policy, firstDay } of policies) {
    const short = shortPolicy(policy);
    firstDays.set(short, Math.min(firstDay, firstDays.get(short) ?? firstDay));
  }
  const first = Math.min(...firstDays.values());
  return [...firstDays].flatMap(([policy, day]) => (day === first ? [] : [{ kind: "policy" as const, day, policy }]));
}

function newSources({ sources, period: { firstDay }, dataSince }: TimelineInput): TimelineEvent[] {
  const byDay = new Map<number, Source[]>();
  for (const source of sources) {
    if (!isNewSource(source, { firstDay, dataSince })) continue;
    byDay.set(source.firstDay, [...(byDay.get(source.firstDay) ?? []), source]);
  }
  return [...byDay].map(([day, found]) => ({
    kind: "source" as const,
    day,
    sources: found.sort((a, b) => b.messages - a.messages),
  }));
}
