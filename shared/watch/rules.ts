/**
 * The rules, in the order in which they are asked: what one has found may explain what a later one would say. A new rule is a
 * file of its own in rules/, a code (finding.ts) and a line here. Pure.
 */
import type { Figures, Rule } from "./figures.ts";
import type { Finding, RuleCode } from "./finding.ts";
import { newSender } from "./rules/new-sender.ts";
import { ownMailRefused } from "./rules/own-mail-refused.ts";
import { ownSenderFails } from "./rules/own-sender-fails.ts";
import { passRateDrops } from "./rules/pass-rate-drops.ts";
import { mtaStsBreaksMail, recordBroke, recordChanged } from "./rules/records.ts";
import { reporterSilent, reportsStopped } from "./rules/reports-stop.ts";
import { spoofingRises } from "./rules/spoofing-rises.ts";
import { tlsFails } from "./rules/tls-fails.ts";
import { verdictChanged } from "./rules/verdict-changed.ts";

/** Code → rule. pipelineBehind is about no domain, and is asked apart (rules/pipeline-behind.ts). */
const RULE_OF: Record<Exclude<RuleCode, "pipelineBehind">, Rule> = {
  ownMailRefused,
  ownSenderFails,
  mtaStsBreaksMail,
  recordBroke,
  reportsStopped,
  newSender,
  spoofingRises,
  tlsFails,
  passRateDrops,
  verdictChanged,
  reporterSilent,
  recordChanged,
};

/** What all rules find in the figures of a domain. */
export function findAll(figures: Figures): Finding[] {
  const found: Finding[] = [];
  for (const rule of Object.values(RULE_OF)) found.push(...rule.find(figures, found));
  return found;
}
