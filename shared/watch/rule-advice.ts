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
    remedy:
      "Fix the cause that the alert names. Until then, go back to p=none or p=quarantine if important mail is lost.",
  },
  ownSenderFails: {
    look: "The sender's page, and its changes of records on that day.",
    remedy: "Publish the key or SPF entry again; ask the service if it changed its addresses or selectors.",
  },
  mtaStsBreaksMail: {
    look: "The page Inbound: compare the mail servers with the policy.",
    remedy: "Add the servers to the policy, or set its mode to testing, and publish a new id.",
  },
  recordBroke: {
    look: "The page Records: the text before and after.",
    remedy: "Publish the previous record again, or the one that the page proposes.",
  },
  reportsStopped: {
    look: "The page Set-up: is the RUA address still in the DMARC record, registered, and does mail to it arrive?",
    remedy: "Publish the address again; or set up Email Routing again (npm run deploy).",
  },
  newSender: {
    look: "The sender's page: who it is, how much it sends, and whether it passes.",
    remedy: "Decide: mine (set it up with SPF or DKIM), a forwarder, or not mine.",
  },
  spoofingRises: {
    look: "Sources of the domain that are not yours: their countries and networks.",
    remedy: "Nothing under p=reject. Otherwise publish the next record if the verdict says that it is safe.",
  },
  tlsFails: {
    look: "The page TLS: reasons by mail server.",
    remedy: "Renew or fix the certificate of the named server; set MTA-STS to testing meanwhile.",
  },
  passRateDrops: {
    look: "The overview: the affected days and senders.",
    remedy: "Look for what these senders have in common: a network, a relay, a missing key.",
  },
  verdictChanged: {
    look: "The overview says why.",
    remedy: "Follow its next step.",
  },
  reporterSilent: {
    look: "Reports filtered by the reporter: when the last one came. Its dead letters.",
    remedy: "Usually a matter of the receiver. Check that its reports are not dead letters or stuck in a mail filter.",
  },
  recordChanged: {
    look: "The page Records: the text before and after.",
    remedy: "Nothing, if it was intended; otherwise publish the previous text again and find out who can change DNS.",
  },
  pipelineBehind: {
    look: "Operations: which queue, since when; which database is nearly full; the newest dead letters and their last error; /health.",
    remedy:
      "See the drills: stuck consumer, wrong parser. Decide conflicts, retry or discard dead letters. Databases: Is there room in D1?",
  },
};
