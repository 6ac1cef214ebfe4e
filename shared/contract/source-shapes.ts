/** What operations about the sources of a domain answer, as schemas. Days are `YYYY-MM-DD`, both included. Pure. */
import * as v from "valibot";
import { ROLES } from "../guidance/roles.ts";
import { POLICY_STEPS } from "../guidance/what-if.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";
import { cursor, known, period } from "./common-shapes.ts";
import { reportPlace } from "./report-shapes.ts";
import { decidedSender, spfAdvice } from "./sender-shapes.ts";

const figures = {
  messages: v.number(),
  passed: v.number(),
  dkimAligned: v.number(),
  spfAligned: v.number(),
  quarantined: v.number(),
  rejected: v.number(),
  /** Failing messages that receivers let through with a reason. */
  spared: v.number(),
  /** Of the messages, those only in reports that the verdict leaves out. */
  uncounted: v.number(),
  /** In all the details that are kept. */
  firstSeen: v.string(),
  lastSeen: v.string(),
};

/** How the verdict judges a source; null where it counts none of its mail. */
const judgement = v.nullable(
  v.object({
    role: v.picklist(ROLES),
    reason: v.object({ code: v.string(), sentence: v.string() }),
    /** Messages that the step would have hit. */
    hit: v.number(),
    /** Failing messages that receivers let through, and that they quarantined or rejected. */
    letThrough: v.number(),
    refused: v.number(),
  }),
);

const listedSource = v.object({
  /** Organizational domain, or address. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  /** Name of a known service, or "". */
  service: v.string(),
  ...figures,
  /** Messages with any DKIM pass, any SPF pass, aligned or not. */
  dkimPassed: v.number(),
  spfPassed: v.number(),
  /** First seen in the period, with data from before it. */
  isNew: v.boolean(),
  decision: v.picklist(SENDER_DECISIONS),
  judgement,
});

/** A page of a domain's sources, the largest first, and how many there are on all pages. */
export const sourcePage = v.object({
  domain: v.string(),
  ...period,
  ...known,
  step: v.picklist(POLICY_STEPS),
  items: v.array(listedSource),
  matching: v.number(),
  /** false: there are more than are looked at; these are of the largest. */
  isComplete: v.boolean(),
  cursor,
});

const dkimResult = v.object({ domain: v.string(), selector: v.string(), result: v.string() });

const spfResult = v.object({ domain: v.string(), scope: v.string(), result: v.string() });

/** Equal records of a source that a step of the policy would have hit. */
const hit = v.object({
  /** As `listSources` names it; "" = many small sources together. */
  source: v.string(),
  kind: v.picklist(["own", "other", "none"]),
  service: v.string(),
  role: v.picklist(ROLES),
  sourceIp: v.string(),
  messages: v.number(),
  headerFrom: v.string(),
  disposition: v.string(),
  /** Aligned results. */
  dkim: v.string(),
  spf: v.string(),
  dkimResults: v.array(dkimResult),
  spfResults: v.array(spfResult),
  reasons: v.array(v.object({ type: v.string(), comment: v.string() })),
  firstSeen: v.string(),
  lastSeen: v.string(),
});

/** A page of them, most messages first; `messages` are those of all pages, as the verdict's `wouldHit` counts them. */
export const hitPage = v.object({
  domain: v.string(),
  ...period,
  step: v.picklist(POLICY_STEPS),
  messages: v.number(),
  items: v.array(hit),
  matching: v.number(),
  /** false: there are more sources than are looked at; these are of the largest. */
  isComplete: v.boolean(),
  cursor,
});

/** The same mail put together in another way: by service, address, network or reverse domain. */
export const sourceGroupPage = v.object({
  domain: v.string(),
  ...period,
  items: v.array(
    v.object({
      name: v.string(),
      /** Distinct addresses in it; by service: sources. */
      addresses: v.number(),
      ...figures,
    }),
  ),
  matching: v.number(),
  isComplete: v.boolean(),
  cursor,
});

/** One source of a domain's mail, or one address. */
export const sourceDetails = v.object({
  domain: v.string(),
  source: v.string(),
  ...period,
  ...known,
  /** Sums of all of it; null: no mail of it was reported in the period. */
  figures: v.nullable(v.object(figures)),
  /** Days with mail, oldest first. */
  days: v.array(v.object({ day: v.string(), messages: v.number(), passed: v.number() })),
  /** The largest first; what they are called as far as it was looked up ("" and 0: not known). */
  addresses: v.array(
    v.object({
      address: v.string(),
      ...figures,
      dkimPassed: v.number(),
      spfPassed: v.number(),
      host: v.string(),
      asn: v.number(),
      holder: v.string(),
      country: v.string(),
    }),
  ),
  dkim: v.array(v.object({ ...dkimResult.entries, messages: v.number() })),
  spf: v.array(v.object({ ...spfResult.entries, messages: v.number() })),
  /** The domains in its header and envelope From. */
  fromDomains: v.array(
    v.object({ headerFrom: v.string(), envelopeFrom: v.string(), messages: v.number(), passed: v.number() }),
  ),
  /** The newest records, equal ones of a report together. */
  records: v.array(
    v.object({
      ...reportPlace,
      reporter: v.string(),
      sourceIp: v.string(),
      messages: v.number(),
      disposition: v.string(),
      dkim: v.string(),
      spf: v.string(),
      isPass: v.boolean(),
      headerFrom: v.string(),
      envelopeFrom: v.string(),
      dkimResults: v.array(dkimResult),
      spfResults: v.array(spfResult),
      reasons: v.array(v.object({ type: v.string(), comment: v.string() })),
    }),
  ),
  /** The newest reports that name it, with its sums in each. */
  reports: v.array(
    v.object({
      ...reportPlace,
      reporter: v.string(),
      beginSeconds: v.number(),
      endSeconds: v.number(),
      messages: v.number(),
      passed: v.number(),
    }),
  ),
  /** false: there is more of it than is looked at. */
  isComplete: v.boolean(),
  decision: v.object({
    /** Whose domain it is, for a decision; null where nobody has reports about it. */
    account: v.nullable(v.string()),
    /** The decision in force, and its subject. */
    holds: v.object({ decision: v.picklist(SENDER_DECISIONS), source: v.string() }),
    /** The newest first. */
    history: v.array(decidedSender),
    /** The source, then wider subjects that a decision may be about. */
    subjects: v.array(v.string()),
  }),
  /** What is the matter with it; null: no mail. `spf`: of a source that was decided to be the owner's. */
  advice: v.nullable(
    v.object({
      code: v.string(),
      sentence: v.string(),
      guide: v.nullable(v.object({ setting: v.string(), url: v.string() })),
      spf: v.nullable(spfAdvice),
    }),
  ),
});

/** Current decisions about a domain's senders, newest first. */
export const decisionList = v.object({ domain: v.string(), items: v.array(decidedSender) });
