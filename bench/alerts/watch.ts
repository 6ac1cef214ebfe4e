/** Watches one simulated domain for a quarter, a day at a time, by the rules and the life of incidents that process has. Pure. */

import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import type { SenderKnowledge } from "../../shared/guidance/sender-knowledge.ts";
import { judge, type Verdict, type VerdictState } from "../../shared/guidance/verdict.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { type Figures, openedSecondsOf, sendersOf } from "../../shared/watch/figures.ts";
import type { Incident, Notice } from "../../shared/watch/finding.ts";
import { announcedStateAfter } from "../../shared/watch/rules/verdict-changed.ts";
import { findAll } from "../../shared/watch/rules.ts";
import { transitionsOf } from "../../shared/watch/transitions.ts";
import { sumEvidence } from "../../test/support/evidence.ts";
import type { SimulatedDomain } from "../verdict/senders.ts";
import type { ReportedDays } from "./days.ts";
import { BENCH } from "./parameters.ts";
import { RUA, type Zone } from "./zone.ts";

/** A notice with the day it was made, and the codes of its causes. */
export interface Told {
  day: number;
  notice: Notice;
  causes: string[];
}

interface State {
  incidents: Incident[];
  state: VerdictState | "";
  since: number;
  told: VerdictState | "";
  firstDays: Map<string, number>;
  policies: { policy: string; firstDay: number; lastDay: number }[];
}

/** All notices about a domain. @param reported the records in reports; receivers that send none are left out */
export function watchDomain(domain: SimulatedDomain, { zone, knowledge }: Dns, reported: ReportedDays): Told[] {
  const known: State = { incidents: [], state: "", since: 0, told: "", firstDays: new Map(), policies: [] };
  const told: Told[] = [];
  // Reports of a day come in the morning of the next.
  for (let today = 1; today <= BENCH.learnedDays + BENCH.watchedDays; today++) {
    learn(known, { domain, reported, day: today - 1 });
    if (today < BENCH.learnedDays) continue;
    const nowSeconds = today * SECONDS_PER_DAY + 12 * 3600;
    const figures = figuresOn(today, { domain, zone, knowledge, reported }, known);
    const isFirst = known.state === "";
    const { incidents, notices } = transitionsOf(
      findAll(figures),
      { incidents: known.incidents, mutes: [], immediateToday: 0, isFirst },
      {
        account: "bench",
        domain: domain.name,
        nowSeconds,
        idOf: ({ rule, subject }) => `${today} ${rule} ${subject}`,
      },
    );
    const changed = new Map(incidents.map((incident) => [incident.id, incident]));
    known.incidents = [
      ...known.incidents.filter(({ id, state, resolvedSeconds, isEvent }) => {
        const keptDays = isEvent ? 30 : 3;
        return !changed.has(id) && (state === "open" || resolvedSeconds > nowSeconds - keptDays * SECONDS_PER_DAY);
      }),
      ...changed.values(),
    ];
    known.told = announcedStateAfter(figures, incidents);
    known.state = figures.verdict.state;
    known.since = figures.stateSinceSeconds;
    for (const notice of notices) {
      const causes = changed.get(notice.incident)?.causes.map(({ code }) => code) ?? [];
      told.push({ day: today, notice, causes });
    }
  }
  return told;
}

/** What DNS says: the domain's own records, and its senders' names. */
interface Dns {
  zone: Zone;
  knowledge: SenderKnowledge;
}

interface Watched extends Dns {
  domain: SimulatedDomain;
  reported: ReportedDays;
}

function learn(known: State, { domain, reported, day }: Pick<Watched, "domain" | "reported"> & { day: number }): void {
  const names = reported.names(day);
  for (const name of names) if (!known.firstDays.has(name)) known.firstDays.set(name, day);
  if (names.size === 0) return;
  const p = domain.policyOn?.(day) ?? domain.policy;
  const policy = `p=${p}; sp=${p}; pct=100`;
  const same = known.policies.find((one) => one.policy === policy);
  if (same === undefined) known.policies.push({ policy, firstDay: day, lastDay: day });
  else same.lastDay = day;
  known.policies.sort((a, b) => b.lastDay - a.lastDay);
}

function figuresOn(today: number, { domain, zone, knowledge, reported }: Watched, known: State): Figures {
  const period = { firstDay: today - 29, lastDay: today };
  const verdict = judgeOn(period, { domain, knowledge, reported }, known);
  return {
    domain: domain.name,
    today,
    nowSeconds: today * SECONDS_PER_DAY + 12 * 3600,
    senders: sendersOf(reported.history({ firstDay: today - 34, lastDay: today }), verdict, known.firstDays),
    dataSince: Math.min(today, ...known.firstDays.values()),
    verdict,
    stateSinceSeconds: verdict.state === known.state ? known.since : today * SECONDS_PER_DAY + 12 * 3600,
    toldState: known.told,
    policies: known.policies,
    reporters: reported.reporters({ firstDay: today - 45, lastDay: today }),
    ruaAddresses: [RUA],
    check: zone.check(today),
    changes: zone.changesSeen(today).slice(0, 50),
    refusedAddresses: zone.refusedAddresses(today),
    tlsDays: zone.tlsDays(today),
    tlsReasons: zone.tlsReasons(today),
    openedSeconds: openedSecondsOf(known.incidents),
  };
}

function judgeOn(
  period: { firstDay: number; lastDay: number },
  { domain, knowledge, reported }: Omit<Watched, "zone">,
  { policies }: State,
): Verdict {
  const evidence = reported.evidence(period);
  const days = Array.from({ length: 29 }, (_, i) => period.firstDay + i).filter((day) => reported.names(day).size > 0);
  return judge({
    domain: domain.name,
    period,
    mail: mailBySender(evidence, domain.name),
    totals: sumEvidence(evidence),
    days,
    policies,
    ruaAddresses: [RUA],
    decide: () => undefined,
    knowledge,
  });
}
