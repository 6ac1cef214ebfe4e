/** What operations about incidents, notices, mutes and the worklist answer, as schemas. Pure. */
import * as v from "valibot";

import { RULE_CODES, SEVERITIES, STEPS, URGENCIES } from "../watch/finding.ts";
import { WORK_CODES } from "../watch/work.ts";

const watched = {
  id: v.string(),
  account: v.string(),
  /** "" = the pipeline itself. */
  domain: v.string(),
  rule: v.picklist(RULE_CODES),
  subject: v.string(),
  severity: v.picklist(SEVERITIES),
  title: v.string(),
  evidence: v.array(v.string()),
  /** Path of a page. */
  link: v.string(),
};

/** Something a rule found. Times in seconds since 1970 UTC, 0 for never. */
export const incident = v.object({
  ...watched,
  state: v.picklist(["open", "resolved"]),
  isEvent: v.boolean(),
  /** The likeliest first. */
  causes: v.array(v.object({ code: v.string(), sentence: v.string() })),
  openedSeconds: v.number(),
  foundSeconds: v.number(),
  remindedSeconds: v.number(),
  resolvedSeconds: v.number(),
});

/** A domain that a line of the worklist is about. */
export const workDomain = v.object({
  account: v.string(),
  domain: v.string(),
  /** Failing messages a week that receivers did not let through; of them, those that were quarantined or rejected. */
  messages: v.number(),
  refused: v.number(),
  /** How much it matters, in messages a week of the owner's (WORK_WEIGHTS, docs/limits.md). */
  weight: v.number(),
  /** Path of the page that shows it. */
  link: v.string(),
});

/** One thing to do, over all domains that need it. */
export const workLine = v.object({
  code: v.picklist(WORK_CODES),
  /** Service, organizational domain, kind of record or step of the policy; "" where the code says it all. */
  subject: v.string(),
  /** What is wrong, and what to do. */
  title: v.string(),
  action: v.string(),
  domains: v.number(),
  messages: v.number(),
  refused: v.number(),
  weight: v.number(),
  /** Path of the page: of the one domain, or of the list of all. */
  link: v.string(),
  /** The domains it weighs most in. */
  unfolded: v.array(workDomain),
});

/** A notice: one step of an incident. */
export const notice = v.object({
  ...watched,
  /** Id of the incident. */
  incident: v.string(),
  step: v.picklist(STEPS),
  cause: v.string(),
  createdSeconds: v.number(),
  urgency: v.picklist(URGENCIES),
});

/** What is muted; "" = all, 0 = for good. */
export const mute = v.object({
  account: v.string(),
  domain: v.string(),
  rule: v.picklist([...RULE_CODES, ""]),
  subject: v.string(),
  untilSeconds: v.number(),
  note: v.string(),
  mutedSeconds: v.number(),
  mutedBy: v.string(),
});

/** What a round over the domains did. */
export const watchDone = v.object({
  domains: v.number(),
  computed: v.number(),
  skipped: v.number(),
  /** Whether all domains have been looked at; where there is a `next`, those of this database. */
  isDone: v.boolean(),
  /** The database to ask for next: on the free plan one run does not reach all. */
  next: v.optional(v.number()),
});
