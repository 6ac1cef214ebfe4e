/**
 * What a rule finds, its outcome, and its notices: the words that rules, the ledger and channels share. A finding is
 * named by its rule and its subject, so that a finding that recurs is the same incident. Pure.
 */

/** The rules by what they find, in the order in which they are asked (rules.ts). */
export const RULE_CODES = [
  "ownMailRefused",
  "ownSenderFails",
  "mtaStsBreaksMail",
  "recordBroke",
  "reportsStopped",
  "newSender",
  "spoofingRises",
  "tlsFails",
  "passRateDrops",
  "verdictChanged",
  "reporterSilent",
  "recordChanged",
  "pipelineBehind",
] as const;
export type RuleCode = (typeof RULE_CODES)[number];

/** urgent: mail is being lost; attention: somebody should look; info: good to know. */
export const SEVERITIES = ["urgent", "attention", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What may be behind a finding. */
export interface Cause {
  /** For programs; a code keeps its meaning. */
  code: string;
  sentence: string;
}

/** What a rule finds about a domain. */
export interface Finding {
  rule: RuleCode;
  /** A sender, a record, a reporter; with the rule, what makes it the same incident. */
  subject: string;
  severity: Severity;
  /** One sentence without a full stop. */
  title: string;
  /** Figures behind it, a sentence each. */
  evidence: string[];
  /** The likeliest first. */
  causes: Cause[];
  /** Path of the page that shows it. */
  link: string;
  /** An event: there is no reminder, and it ends without a notice. */
  isEvent: boolean;
}

/** An incident as it is stored in the ledger. */
export interface Incident extends Finding {
  id: string;
  account: string;
  /** "" = the pipeline itself. */
  domain: string;
  state: "open" | "resolved";
  openedSeconds: number;
  foundSeconds: number;
  /** 0 for never. */
  remindedSeconds: number;
  resolvedSeconds: number;
}

/** The steps of an incident that are announced. */
export const STEPS = ["opened", "reminded", "resolved"] as const;
export type NoticeStep = (typeof STEPS)[number];

/** immediate: on its own; digest: with the others of the day or week. */
export const URGENCIES = ["immediate", "digest"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** A notice: one step of an incident. */
export interface Notice extends Pick<Finding, "rule" | "subject" | "severity" | "title" | "evidence" | "link"> {
  /** Stable: incident and step. */
  id: string;
  /** Id of the incident. */
  incident: string;
  account: string;
  domain: string;
  step: NoticeStep;
  /** The likeliest cause in a sentence, "" where nothing is known. */
  cause: string;
  createdSeconds: number;
  urgency: Urgency;
}

/** What is muted; "" = all. */
export interface Mute {
  account: string;
  domain: string;
  rule: RuleCode | "";
  subject: string;
  /** 0 = for good. */
  untilSeconds: number;
  note: string;
  mutedSeconds: number;
  mutedBy: string;
}
