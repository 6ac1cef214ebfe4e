/** What to look at first when an alert comes, and what to do: one or two sentences a rule, for docs/operations.md. Pure. */
import type { RuleCode } from "./finding.ts";

/** A first look, and a remedy. */
export interface RuleAdvice {
  look: string;
  remedy: string;
}

export const RULE_ADVICE: Record<RuleCode, RuleAdvice> = {
  ownMailRefused: {
    look: "The sender's page: since when, at which receivers, and what SPF and DKIM said.",
    remedy: "Mend the cause that the alert names; until then go back to p=none or quarantine if mail of value is lost.",
  },
  ownSenderFails: {
    look: "The sender's page, and its changes of records on that day.",
    remedy: "Publish the key or SPF entry again; ask the service if it changed its addresses or selectors.",
  },
  mtaStsBreaksMail: {
    look: "The page Inbound: mail servers beside the policy.",
    remedy: "Add the servers to the policy, or set its mode to testing, and publish a new id.",
  },
  recordBroke: {
    look: "The page Records: the text before and after.",
    remedy: "Publish the record before again, or the one that the page proposes.",
  },
  reportsStopped: {
    look: "The page Set-up: is the RUA address still in the DMARC record, registered, and does mail to it arrive?",
    remedy: "Publish the address again; or set up Email Routing again (npm run deploy).",
  },
  newSender: {
    look: "The sender's page: who it is, how much it sends, does it pass.",
    remedy: "Decide: mine (set it up with SPF or DKIM), a forwarder, or not mine.",
  },
  spoofingRises: {
    look: "Sources of the domain, those that are not yours: which countries and networks.",
    remedy: "Nothing under p=reject. Before, go on to the next record if the verdict says that it is safe.",
  },
  tlsFails: {
    look: "The page TLS: reasons by mail server.",
    remedy: "Renew or fix the certificate of the server that is named; set MTA-STS to testing meanwhile.",
  },
  passRateDrops: {
    look: "The overview: which days, which senders together.",
    remedy: "Look for what these senders share: a network, a relay, a key that is gone.",
  },
  verdictChanged: {
    look: "The overview says why.",
    remedy: "Follow its next step.",
  },
  reporterSilent: {
    look: "Reports, filtered by the reporter: when the last one came; dead letters of it.",
    remedy: "Usually the receiver's matter. Check that no dead letter and no mail filter holds its reports.",
  },
  recordChanged: {
    look: "The page Records: the text before and after.",
    remedy: "Nothing, if somebody of yours did it; else publish the text before again and ask who may change DNS.",
  },
  pipelineBehind: {
    look: "Operations: which queue, since when; the newest dead letters and their last error; /health.",
    remedy: "See the drills: stuck consumer, wrong parser. Decide conflicts, retry or discard dead letters.",
  },
};
