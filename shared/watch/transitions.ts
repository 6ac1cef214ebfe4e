/**
 * What follows from findings: an incident is opened, found again, reminded of and resolved, and each step makes at most
 * one notice. The same input gives the same incidents and notices, so that a repeated computation is announced once.
 * Pure.
 */
import { WATCH_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import {
  type Finding,
  type Incident,
  type Mute,
  type Notice,
  type NoticeStep,
  SEVERITIES,
  type Urgency,
} from "./finding.ts";

/** What was known about a domain's incidents before. */
export interface IncidentState {
  /** Open ones, and those resolved a short time ago. */
  incidents: readonly Incident[];
  /** Of the account. */
  mutes: readonly Mute[];
  /** Notices of the domain that were sent separately since midnight UTC. */
  immediateToday: number;
  /** Nothing was computed for this domain before: what is found may be old. */
  isFirst: boolean;
}

/** A step to announce, before its notice has an id. */
interface NewStep {
  incident: Incident;
  step: NoticeStep;
}

/** What has changed: incidents to keep, and notices to add. */
export interface Transitions {
  incidents: Incident[];
  notices: Notice[];
}

/** Whose domain, when, and the ids of new incidents. */
export interface Occasion {
  account: string;
  domain: string;
  nowSeconds: number;
  idOf(finding: Finding): string;
}

/** The steps that incidents take with what was found now. */
export function transitionsOf(findings: readonly Finding[], known: IncidentState, occasion: Occasion): Transitions {
  const { nowSeconds } = occasion;
  const heard = findings.filter((finding) => !isMuted(finding, known.mutes, occasion));
  const incidents: Incident[] = [];
  const steps: NewStep[] = [];
  const found = new Set<Incident>();
  for (const finding of heard) {
    const before = newestOf(finding, known.incidents);
    if (before !== undefined) found.add(before);
    const { incident, step } = before === undefined ? opened(finding, occasion) : again(finding, before, nowSeconds);
    incidents.push(incident);
    if (step !== undefined) steps.push({ incident, step });
  }
  for (const incident of known.incidents) {
    if (incident.state !== "open" || found.has(incident)) continue;
    const ended = endOf(incident, isMuted(incident, known.mutes, occasion), nowSeconds);
    if (ended === undefined) continue;
    incidents.push(ended.incident);
    if (ended.step !== undefined) steps.push({ incident: ended.incident, step: ended.step });
  }
  return { incidents, notices: noticesOf(steps, known, nowSeconds) };
}

interface Taken {
  incident: Incident;
  step: NoticeStep | undefined;
}

function opened(finding: Finding, { account, domain, nowSeconds, idOf }: Occasion): Taken {
  return {
    step: "opened",
    incident: {
      ...finding,
      id: idOf(finding),
      account,
      domain,
      state: "open",
      openedSeconds: nowSeconds,
      foundSeconds: nowSeconds,
      remindedSeconds: 0,
      resolvedSeconds: 0,
    },
  };
}

/** Found again: also what was resolved so short a time ago that it is the same incident still. */
function again(finding: Finding, before: Incident, nowSeconds: number): Taken {
  if (before.state === "resolved" && before.isEvent) return { incident: before, step: undefined };
  const incident: Incident = { ...before, ...finding, state: "open", foundSeconds: nowSeconds, resolvedSeconds: 0 };
  // Its end was announced: people have to hear that it goes on.
  if (before.state === "resolved") return { incident: { ...incident, remindedSeconds: nowSeconds }, step: "reminded" };
  const last = Math.max(before.openedSeconds, before.remindedSeconds);
  const isDue = nowSeconds - last >= WATCH_LIMITS.remindAfterSeconds;
  if (finding.isEvent || finding.severity === "info" || !isDue) return { incident, step: undefined };
  return { incident: { ...incident, remindedSeconds: nowSeconds }, step: "reminded" };
}

/** Not found any more: over once it has not been found for a while, and without a notice where it is muted. */
function endOf(incident: Incident, isUnheard: boolean, nowSeconds: number): Taken | undefined {
  const isQuiet = nowSeconds - incident.foundSeconds >= WATCH_LIMITS.resolveAfterSeconds;
  if (!isQuiet && !isUnheard) return undefined;
  const resolved: Incident = { ...incident, state: "resolved", resolvedSeconds: nowSeconds };
  return { incident: resolved, step: incident.isEvent || isUnheard ? undefined : "resolved" };
}

/** The incident that a finding is: the open one, or the one resolved last. */
function newestOf({ rule, subject }: Finding, incidents: readonly Incident[]): Incident | undefined {
  const same = incidents.filter((incident) => incident.rule === rule && incident.subject === subject);
  return same.find(({ state }) => state === "open") ?? same.toSorted((a, b) => b.openedSeconds - a.openedSeconds)[0];
}

function isMuted(
  { rule, subject }: Pick<Finding, "rule" | "subject">,
  mutes: readonly Mute[],
  { domain, nowSeconds }: Pick<Occasion, "domain" | "nowSeconds">,
): boolean {
  return mutes.some(
    (mute) =>
      (mute.untilSeconds === 0 || mute.untilSeconds > nowSeconds) &&
      (mute.domain === "" || mute.domain === domain) &&
      (mute.rule === "" || mute.rule === rule) &&
      (mute.subject === "" || mute.subject === subject),
  );
}

/** At most this many a day are announced separately, the most severe first; the rest waits for the digest. */
function noticesOf(steps: readonly NewStep[], known: IncidentState, nowSeconds: number): Notice[] {
  let left = known.isFirst ? 0 : WATCH_LIMITS.noticesPerDomainAndDay - known.immediateToday;
  const weight = ({ incident, step }: NewStep): number =>
    SEVERITIES.indexOf(incident.severity) * 10 + (step === "opened" ? 0 : step === "reminded" ? 1 : 2);
  return [...steps]
    .map((one, place) => ({ one, place }))
    .sort((a, b) => weight(a.one) - weight(b.one) || a.place - b.place)
    .map(({ one }) => {
      const isImmediate = left > 0 && mayInterrupt(one);
      if (isImmediate) left -= 1;
      return noticeOf(one, isImmediate ? "immediate" : "digest", nowSeconds);
    });
}

/** News interrupts, and the end of what was urgent; a reminder only of what still is. */
function mayInterrupt({ incident: { severity }, step }: NewStep): boolean {
  return severity === "urgent" || (severity === "attention" && step === "opened");
}

function noticeOf({ incident, step }: NewStep, urgency: Urgency, nowSeconds: number): Notice {
  const { id, account, domain, rule, subject, severity, title, evidence, causes, link } = incident;
  // There may be several reminders, and ends of what came back: each has its day.
  const number = step === "opened" ? "" : `.${Math.floor(nowSeconds / SECONDS_PER_DAY)}`;
  return {
    id: `${id}.${step}${number}`,
    incident: id,
    account,
    domain,
    rule,
    subject,
    severity,
    step,
    title,
    evidence,
    cause: causes[0]?.sentence ?? "",
    link,
    createdSeconds: nowSeconds,
    urgency,
  };
}
