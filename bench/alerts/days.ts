/** Reported mail of a simulated domain by day, grouped once, so that each day's figures are sums of a few days. Pure. */
import { hasPass } from "../../shared/guidance/auth-results.ts";
import { isRefused, passes } from "../../shared/guidance/evidence.ts";
import { identifySource } from "../../shared/guidance/sources.ts";
import { textsOfRecord } from "../../shared/ledger/figures.ts";
import { type Evidence, PERIOD_PARTS } from "../../shared/ledger/sources.ts";
import type { DayFigures, ReporterDays, SourceHistory } from "../../shared/watch/figures.ts";
import type { ReportedRecord } from "../verdict/traffic.ts";

type Group = Omit<Evidence, "activeParts" | "firstDay" | "lastDay">;

interface Day {
  groups: Map<string, Group>;
  sources: Map<string, { source: Omit<SourceHistory, "days">; figures: DayFigures }>;
  reporters: Set<string>;
  names: Set<string>;
}

/** What reports say, by day. */
export class ReportedDays {
  readonly #days = new Map<number, Day>();
  readonly #domain: string;

  constructor(domain: string, records: readonly ReportedRecord[]) {
    this.#domain = domain;
    for (const record of records) this.#add(record);
  }

  /** Groups of records of a period that ends today, as the ledger tells them: of today there are no reports yet. */
  evidence({ firstDay, lastDay }: { firstDay: number; lastDay: number }): Evidence[] {
    const found = new Map<string, Evidence>();
    for (let day = firstDay; day < lastDay; day++) {
      const part = 1 << Math.floor(((day - firstDay) * PERIOD_PARTS) / (lastDay - firstDay + 1));
      for (const [key, group] of this.#days.get(day)?.groups ?? []) {
        const known = found.get(key);
        if (known === undefined) {
          found.set(key, { ...group, activeParts: part, firstDay: day, lastDay: day });
          continue;
        }
        known.messages += group.messages;
        known.activeParts |= part;
        known.lastDay = day;
      }
    }
    return [...found.values()];
  }

  /** Sources by day, as the ledger tells them. */
  history({ firstDay, lastDay }: { firstDay: number; lastDay: number }): SourceHistory[] {
    const found = new Map<string, SourceHistory & { days: DayFigures[] }>();
    for (let day = firstDay; day < lastDay; day++) {
      for (const [key, { source, figures }] of this.#days.get(day)?.sources ?? []) {
        const known = found.get(key);
        if (known === undefined) found.set(key, { ...source, days: [figures] });
        else known.days.push(figures);
      }
    }
    return [...found.values()];
  }

  /** Which reporters reported which days. */
  reporters({ firstDay, lastDay }: { firstDay: number; lastDay: number }): ReporterDays[] {
    const found = new Map<string, number[]>();
    for (let day = firstDay; day < lastDay; day++) {
      for (const reporter of this.#days.get(day)?.reporters ?? []) {
        found.set(reporter, [...(found.get(reporter) ?? []), day]);
      }
    }
    return [...found].map(([reporter, days]) => ({ reporter, days }));
  }

  /** Names of sources seen on a day. */
  names(day: number): ReadonlySet<string> {
    return this.#days.get(day)?.names ?? new Set();
  }

  #add({ day, record, receiver }: ReportedRecord): void {
    const known = this.#days.get(day) ?? {
      groups: new Map(),
      sources: new Map(),
      reporters: new Set(),
      names: new Set(),
    };
    this.#days.set(day, known);
    known.reporters.add(receiver);
    const { sourceIp, disposition, dkim, spf, headerFrom, count } = record;
    const group = { sourceIp, disposition, dkim, spf, headerFrom, ...textsOfRecord(record), messages: count };
    addTo(known.groups, Object.values({ ...group, messages: 0 }).join("|"), group);
    const isAuthenticated = hasPass(group.dkimResults) || hasPass(group.spfResults);
    const source = isAuthenticated
      ? { dkimResults: group.dkimResults, spfResults: group.spfResults, sourceIp: "" }
      : { dkimResults: "", spfResults: "", sourceIp };
    known.names.add(identifySource(source, this.#domain).name);
    const key = Object.values(source).join("|");
    const sums = known.sources.get(key)?.figures ?? { day, messages: 0, passed: 0, letThrough: 0, refused: 0 };
    const isPass = passes(group);
    sums.messages += count;
    if (isPass) sums.passed += count;
    if (!isPass && group.reasons !== "") sums.letThrough += count;
    if (isRefused({ ...group, activeParts: 0, firstDay: 0, lastDay: 0 })) sums.refused += count;
    known.sources.set(key, { source, figures: sums });
  }
}

function addTo(groups: Map<string, Group>, key: string, group: Group): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, group);
  else known.messages += group.messages;
}
