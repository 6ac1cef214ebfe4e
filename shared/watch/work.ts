/**
 * What is to be done about a domain: for each cause of failing mail that is or may be the owner's, and for what else needs
 * somebody, one item. Causes are named alike in all domains, so that the same one over many is one line of the worklist. Pure.
 */
import { ownSignatures, wouldBeHit } from "../guidance/evidence.ts";
import { openBelow } from "../guidance/next-record.ts";
import type { JudgedSource } from "../guidance/roles.ts";
import { stoppedKey } from "../guidance/stopped-key.ts";
import { isInTheWay, isLikelyReal, type Verdict } from "../guidance/verdict.ts";
import { WORK_LIMITS, WORK_WEIGHTS } from "../limits.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { Finding } from "./finding.ts";
import { domainLink, senderLink } from "./words.ts";

export const WORK_CODES = [
  // A known service does not sign for the domain, or signs with a key that does not verify.
  "service",
  "serviceKey",
  // The same of any other sender that authenticates as itself.
  "organization",
  // The owner's own server; the owner's own mail.
  "ownServer",
  "ownMail",
  // Nothing authenticates it.
  "server",
  // Nothing fails yet: SPF alone carries it.
  "spfOnly",
  "forwarding",
  // A few messages of a sender that passes.
  "breaks",
  // Findings of rules.
  "mtaStsBreaksMail",
  "recordBroke",
  "reportsStopped",
  "tlsFails",
  // The next record is due, of a domain that sends mail, and of one that sends none.
  "publish",
  "park",
  // Added, and no report can come.
  "setUp",
] as const;
export type WorkCode = (typeof WORK_CODES)[number];

/** The same in every domain it is found in. */
export interface WorkCause {
  code: WorkCode;
  /** Service, organizational domain, kind of record or step of the policy; "" where the code says it all. */
  subject: string;
}

/** One thing to do about one domain. */
export interface WorkItem extends WorkCause {
  /** Failing messages a week that receivers did not let through; of them, those that were quarantined or rejected. */
  messages: number;
  refused: number;
  /** How much it matters, in messages a week of the owner's that are lost or would be (`WORK_WEIGHTS`). */
  weight: number;
  /** Path of the page that shows it. */
  link: string;
}

/** What the ledger keeps of a domain: an array for each item (shared/ledger/worklist.ts reads them). */
export function workText(items: readonly WorkItem[]): string {
  return JSON.stringify(items.map((one) => [one.code, one.subject, one.messages, one.refused, one.weight, one.link]));
}

/** What is known of a domain. */
export interface WorkGround {
  verdict: Verdict;
  /** Days that the verdict's messages are of: from the first report on. */
  days: number;
  findings: readonly Pick<Finding, "rule" | "subject" | "link">[];
}

/** What is to be done about a domain, what matters most first. */
export function workOf({ verdict, days, findings }: WorkGround): WorkItem[] {
  const perWeek = (messages: number): number =>
    messages === 0 ? 0 : Math.max(1, Math.round((7 * messages) / Math.max(days, 7)));
  const items = new Map<string, WorkItem>();
  const add = (item: WorkItem): void => {
    const key = `${item.code} ${item.subject}`;
    const known = items.get(key);
    items.set(key, known === undefined ? item : together(known, item, domainLink(verdict.domain, "sources")));
  };
  for (const source of verdict.sources) {
    const cause = causeOf(source, verdict.domain);
    if (cause === undefined) continue;
    const messages = perWeek(source.hit);
    const refused = perWeek(Math.min(source.refused, source.hit));
    const share = weightOf(cause, source);
    add({
      ...cause,
      messages,
      refused,
      weight: share * (messages + refused),
      link: senderLink(verdict.domain, source),
    });
  }
  for (const item of stepsOf(verdict, perWeek)) add(item);
  for (const item of findingsOf(findings, perWeek(verdict.ownMessages))) add(item);
  return [...items.values()]
    .map((item) => ({ ...item, weight: Math.round(10 * item.weight) / 10 }))
    .sort((a, b) => b.weight - a.weight || (a.code < b.code ? -1 : 1))
    .slice(0, WORK_LIMITS.itemsPerDomain);
}

function together(a: WorkItem, b: WorkItem, link: string): WorkItem {
  const { messages, refused, weight } = a;
  return { ...a, messages: messages + b.messages, refused: refused + b.refused, weight: weight + b.weight, link };
}

/** Why mail of a source fails, in the words that all domains share; undefined where nothing of it stands in the way. */
export function causeOf(source: JudgedSource, policyDomain: string): WorkCause | undefined {
  const { hit, messages, role, kind, service, name } = source;
  if (hit === 0 || name === "" || !isInTheWay(source)) return undefined;
  if (role === "forwarder") return { code: "forwarding", subject: service };
  if (role === "own" && hit <= WORK_LIMITS.breaksShare * messages) return { code: "breaks", subject: "" };
  if (kind === "own") return { code: "ownMail", subject: "" };
  if (kind === "none") return { code: role === "own" ? "ownServer" : "server", subject: "" };
  if (service !== "") {
    return { code: signsInVain(source, policyDomain) ? "serviceKey" : "service", subject: service };
  }
  // Of a stranger a broken signature may as well be a forwarder's work.
  const isKey = role === "own" && stoppedKey(source, policyDomain) !== undefined;
  return { code: isKey ? "serviceKey" : "organization", subject: name };
}

/** Whether most failing mail has a signature of the domain that does not verify. */
function signsInVain({ evidence, hit }: JudgedSource, policyDomain: string): boolean {
  const ownDomain = organizationalDomain(policyDomain);
  let broken = 0;
  for (const group of evidence) {
    if (wouldBeHit(group) && ownSignatures(group, ownDomain).broken.length > 0) broken += group.messages;
  }
  return 2 * broken > hit;
}

function weightOf({ code }: WorkCause, source: JudgedSource): number {
  if (code === "forwarding" || code === "breaks") return WORK_WEIGHTS.notMended;
  return source.role === "own" || isLikelyReal(source) ? WORK_WEIGHTS.own : WORK_WEIGHTS.undecided;
}

/** What the verdict itself asks for. */
function stepsOf(verdict: Verdict, perWeek: (messages: number) => number): WorkItem[] {
  const { domain, state, nextRecord = "", missing, reasons, ownMessages } = verdict;
  const quiet = { messages: 0, refused: 0 };
  const items = [...reasons, ...missing]
    .filter(({ code }, i, all) => code === "spfOnly" && all.findIndex((one) => one.source === all[i]?.source) === i)
    .map(({ source, messages }): WorkItem => {
      const link = source === undefined ? domainLink(domain) : senderLink(domain, source);
      const weight = WORK_WEIGHTS.spfOnly * perWeek(messages);
      return { ...quiet, code: "spfOnly", subject: source?.service ?? "", weight, link };
    });
  const isDue = nextRecord !== "" && !missing.some(({ code }) => code === "stageTooShort");
  if (isDue && state === "notInUse") {
    items.push({ ...quiet, code: "park", subject: "", weight: WORK_WEIGHTS.park, link: domainLink(domain) });
  }
  if (isDue && (state === "ready" || state === "notYet")) {
    const subject = /p=\w+(; t=y)?/.exec(nextRecord)?.[0] ?? "";
    const weight = Math.max(WORK_WEIGHTS.park, WORK_WEIGHTS.publish * perWeek(ownMessages));
    items.push({ ...quiet, code: "publish", subject, weight, link: domainLink(domain) });
  }
  if (isDue && state === "protected") {
    const subject = `${openBelow(verdict.policy)?.split("=")[0] ?? "p"}=reject`;
    items.push({ ...quiet, code: "publish", subject, weight: WORK_WEIGHTS.park, link: domainLink(domain) });
  }
  return items;
}

/** Rules whose findings are separate work; findings of the others are already in the sources. */
const FINDINGS = {
  mtaStsBreaksMail: { share: WORK_WEIGHTS.mailLost, least: WORK_WEIGHTS.mailLostLeast },
  reportsStopped: { share: WORK_WEIGHTS.reportsStopped, least: WORK_WEIGHTS.reportsStoppedLeast },
  recordBroke: { share: WORK_WEIGHTS.broken, least: WORK_WEIGHTS.brokenLeast },
  tlsFails: { share: WORK_WEIGHTS.broken, least: WORK_WEIGHTS.brokenLeast },
} as const;

function isWork(rule: string): rule is keyof typeof FINDINGS {
  return Object.hasOwn(FINDINGS, rule);
}

function findingsOf(findings: WorkGround["findings"], messages: number): WorkItem[] {
  return findings.flatMap(({ rule, subject, link }): WorkItem[] => {
    if (!isWork(rule)) return [];
    const { share, least } = FINDINGS[rule];
    // Of a record, its kind: what exactly is broken is on the page.
    const kind = rule === "recordBroke" ? (subject.split(" ")[0] ?? "") : "";
    return [{ code: rule, subject: kind, messages: 0, refused: 0, weight: Math.max(least, share * messages), link }];
  });
}
