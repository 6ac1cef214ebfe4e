/** What operations about senders, SPF, MTA-STS and the verdict answer, as schemas. Days are `YYYY-MM-DD`, both included. Pure. */
import * as v from "valibot";
import { MTA_STS_ADVICE } from "../guidance/mta-sts-advice.ts";
import { MTA_STS_MODES, mtaStsPolicy } from "../guidance/mta-sts-policy.ts";
import { ROLES } from "../guidance/roles.ts";
import { SPF_ADVICE } from "../guidance/spf-advice.ts";
import { SUGGESTION_CODES } from "../guidance/suggest.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";

const holdingDecision = v.picklist(["mine", "notMine", "forwarder"]);

const sender = v.object({
  /** As a decision names it: an organizational domain, or an address. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  service: v.string(),
  role: v.picklist(ROLES),
  reason: v.object({ code: v.string(), sentence: v.string() }),
  messages: v.number(),
  passed: v.number(),
  /** Messages that p=reject would have hit. */
  hit: v.number(),
  /** `YYYY-MM-DD`, of all the details kept. */
  firstSeen: v.string(),
  lastSeen: v.string(),
  /** The decision in force, and its subject: the sender, a prefix, or a service. */
  decision: v.nullable(v.object({ source: v.string(), decision: holdingDecision })),
  suggestion: v.nullable(
    v.object({
      source: v.string(),
      decision: holdingDecision,
      code: v.picklist(SUGGESTION_CODES),
      sentence: v.string(),
    }),
  ),
});

/** The senders of a domain over a period, the largest first. */
export const senders = v.object({
  domain: v.string(),
  /** Whose domain it is, for a decision; null where nobody has reports about it. */
  account: v.nullable(v.string()),
  /** `YYYY-MM-DD`, both included. */
  from: v.string(),
  to: v.string(),
  items: v.array(sender),
  /** false: `cursor` continues the list. */
  isComplete: v.boolean(),
  cursor: v.optional(v.string()),
});

export const decidedSender = v.object({
  account: v.string(),
  domain: v.string(),
  source: v.string(),
  decision: v.picklist(SENDER_DECISIONS),
  note: v.string(),
  decidedBy: v.string(),
  decidedSeconds: v.number(),
});

/** An MTA-STS policy that is served. */
export const hostedMtaSts = v.object({
  account: v.string(),
  domain: v.string(),
  policy: mtaStsPolicy,
  /** Changes with the policy; it is in the record. */
  id: v.string(),
  changedBy: v.string(),
  changedSeconds: v.number(),
  record: v.object({ name: v.string(), type: v.picklist(["TXT", "CNAME"]), value: v.string() }),
});

/** What is known of a domain's inbound security. */
export const mtaStsState = v.object({
  account: v.string(),
  domain: v.string(),
  /** The address the domain is registered with; null: it is not, so no policy can be served. */
  registeredWith: v.nullable(v.string()),
  /** null: none of this account. */
  hosted: v.nullable(hostedMtaSts),
  /** Where senders fetch it. */
  url: v.string(),
  isServed: v.boolean(),
  /** Hosts of the MX records as last checked, and whether the policy names each; null: not known. */
  hosts: v.nullable(v.array(v.object({ host: v.string(), isCovered: v.boolean() }))),
  /** When DNS was last checked; null: never. */
  checkedSeconds: v.nullable(v.number()),
  advice: v.object({
    code: v.picklist(MTA_STS_ADVICE),
    state: v.picklist(["good", "attention", "broken", "unknown"]),
    sentence: v.string(),
    mode: v.optional(v.picklist(MTA_STS_MODES)),
    failures: v.array(
      v.object({ resultType: v.string(), receivingHost: v.string(), sessions: v.number(), lastDay: v.number() }),
    ),
  }),
  /** The newest first; policy null: switched off. */
  changes: v.array(v.object({ policy: v.nullable(mtaStsPolicy), changedBy: v.string(), changedSeconds: v.number() })),
});

const spfSide = v.object({ text: v.string(), lookups: v.number() });

/** What authorizing a source does to an SPF record. */
export const spfAdvice = v.object({
  domain: v.string(),
  source: v.string(),
  code: v.picklist(SPF_ADVICE),
  state: v.picklist(["good", "attention", "broken", "unknown"]),
  sentence: v.string(),
  before: v.optional(spfSide),
  after: v.optional(spfSide),
  term: v.optional(v.string()),
  choices: v.array(v.object({ term: v.string(), lookups: v.number(), isUsable: v.boolean() })),
});

const hitCounts = v.object({
  own: v.number(),
  undecided: v.number(),
  foreign: v.number(),
  /** Passed on by forwarders and lists that receivers make no exception for. */
  forwarder: v.number(),
});

const verdictReason = v.object({
  code: v.string(),
  sentence: v.string(),
  messages: v.number(),
  source: v.optional(v.string()),
});

/** The verdict about a domain over a period. */
export const verdict = v.object({
  domain: v.string(),
  state: v.picklist(["beingRejected", "notYet", "ready", "protected", "tooEarly", "silent", "notInUse"]),
  headline: v.string(),
  nextStep: v.string(),
  /** The reasons for the state, most important first. */
  reasons: v.array(verdictReason),
  /** Days with reports. */
  days: v.number(),
  messages: v.number(),
  /** Of own senders, forwarders and undecided ones. */
  ownMessages: v.number(),
  letThrough: v.number(),
  /** Messages that each step would have hit, by whose senders they are from. */
  wouldHit: v.object({
    quarantineTest: hitCounts,
    quarantine: hitCounts,
    rejectTest: hitCounts,
    reject: hitCounts,
    strict: hitCounts,
    subdomains: hitCounts,
  }),
  /** The published policy as the newest report saw it. */
  policy: v.string(),
  /** Text of the record to publish at `_dmarc.<domain>`; null = keep the current one. */
  nextRecord: v.nullable(v.string()),
  missing: v.array(verdictReason),
  /** Those with failing mail, the largest first. */
  sources: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(["own", "other", "none"]),
      service: v.string(),
      role: v.picklist(["own", "forwarder", "foreign", "undecided"]),
      reason: v.object({ code: v.string(), sentence: v.string() }),
      messages: v.number(),
      passed: v.number(),
      letThrough: v.number(),
      hit: v.number(),
      refused: v.number(),
    }),
  ),
});
