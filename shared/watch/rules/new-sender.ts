/**
 * A source sends as the domain that never did before. Why: it is a service that somebody set up and that has to sign, or
 * somebody who should not send. Known forwarders, mailboxes and what is too little are left out; of a young domain
 * everything is new.
 */
import { KNOWN_FORWARDERS, MAILBOX_PROVIDERS } from "../../guidance/known-forwarders.ts";
import { type Figures, type Rule, type Sender, sumDays } from "../figures.ts";
import type { Cause, Finding } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { dayText, messagesText, senderLink, senderText } from "../words.ts";

export const newSender: Rule = {
  code: "newSender",
  find(figures) {
    return figures.senders.filter((sender) => isNew(sender, figures)).map((sender) => findingOf(sender, figures));
  },
};

function isNew(sender: Sender, { today, dataSince, senders, verdict }: Figures): boolean {
  const rule = WATCH_RULES.newSender;
  const isForwarder = sender.role === "forwarder" || KNOWN_FORWARDERS.has(sender.name);
  if (isForwarder || sender.kind === "ownServers" || sender.reason === "decided") return false;
  if (sender.firstDay < today - rule.newDays || dataSince > sender.firstDay - rule.minHistoryDays) return false;
  const { messages, passed } = sumDays(sender.days);
  if (sender.kind === "none") {
    const isSteady = sender.days.length >= rule.minDaysOfServer && messages >= rule.minMessagesOfServer;
    return sender.role === "undecided" && isSteady && isMuch(messages, senders);
  }
  if (passed >= rule.minPassed) return true;
  if (MAILBOX_PROVIDERS.has(sender.service)) return false;
  // Where nothing passes, the verdict treats every sender that does not send steadily as foreign; a new one is still reported.
  if (messages < rule.minMessages) return false;
  // The verdict asks from 0.1 % of the mail on; a sender that has just begun is on its way there.
  const isGrowing = sender.reason === "smallSender" && messages > rule.minShare * verdict.ownMessages;
  return sender.role !== "foreign" || sender.reason === "oneOff" || isGrowing;
}

/** Enough compared with what the domain sends in as many days. */
function isMuch(messages: number, senders: readonly Sender[]): boolean {
  const all = senders.reduce((sum, sender) => sum + sumDays(sender.days).messages, 0);
  return messages >= WATCH_RULES.newSender.minShareOfServer * all;
}

function findingOf(sender: Sender, { domain }: Figures): Finding {
  const { messages, passed, refused } = sumDays(sender.days);
  const evidence = [
    `${messagesText(messages)} since ${dayText(sender.firstDay)}; ${passed.toLocaleString("en-US")} passed DMARC.`,
  ];
  if (refused > 0) evidence.push(`Receivers refused ${messagesText(refused)}.`);
  return {
    rule: "newSender",
    subject: sender.name,
    severity: "attention",
    title: `${senderText(sender)} began to send as ${domain}`,
    evidence,
    causes: [causeOf(sender, { domain, isPassing: 2 * passed >= messages })],
    link: senderLink(domain, sender),
    isEvent: true,
  };
}

function causeOf(sender: Sender, { domain, isPassing }: { domain: string; isPassing: boolean }): Cause {
  const name = senderText(sender);
  if (isPassing) {
    const sentence = `Somebody set ${name} up to sign for ${domain}. Nothing to do if that was you.`;
    return { code: "newAlignedSender", sentence };
  }
  if (sender.kind === "none") {
    const sentence = `Servers that nothing authenticates. If ${name} is yours, sign its mail with DKIM for ${domain}.`;
    return { code: "newServer", sentence };
  }
  const sentence =
    `${name} does not sign for ${domain}. If it sends for you, turn on DKIM for ${domain} there; else say that it ` +
    "is not yours.";
  return { code: "newUnalignedSender", sentence };
}
