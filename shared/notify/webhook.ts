/**
 * A delivery as the JSON of a webhook, version 1: fields may be added, none is removed or changes its meaning (docs/notifications.md).
 * Signed with the channel's secret: `DMARC-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">`. Pure.
 */
import type { Incident, Notice } from "../watch/finding.ts";
import type { DigestFacts, Story } from "./story.ts";

/** What is delivered. */
export type Delivered =
  | { kind: "notice"; notice: Notice }
  | { kind: "digest"; facts: DigestFacts }
  | { kind: "test" }
  | { kind: "confirm" };

/** What a webhook's receiver gets. @param id the delivery's: the same on every attempt, so that a receiver can drop repeats */
export function webhookPayload(
  delivered: Delivered,
  { id, account, story }: { id: string; account: string; story: Story },
): object {
  return {
    version: 1,
    id,
    kind: delivered.kind,
    account,
    headline: story.headline,
    url: story.url,
    ...detailsOf(delivered),
  };
}

function detailsOf(delivered: Delivered): object {
  switch (delivered.kind) {
    case "notice":
      return { notice: noticeOf(delivered.notice) };
    case "digest":
      return {
        digest: {
          interval: delivered.facts.interval,
          day: delivered.facts.day,
          states: delivered.facts.states,
          days: delivered.facts.days,
          needed: delivered.facts.needed,
          neededCount: delivered.facts.neededCount,
          openIncidents: delivered.facts.openIncidents.map(incidentOf),
          openCount: delivered.facts.openCount,
          notices: delivered.facts.notices.map(noticeOf),
          noticeCount: delivered.facts.noticeCount,
        },
      };
    case "test":
    case "confirm":
      return {};
  }
}

function noticeOf({
  id,
  incident,
  domain,
  rule,
  subject,
  severity,
  step,
  title,
  evidence,
  cause,
  createdSeconds,
}: Notice): object {
  return { id, incident, domain, rule, subject, severity, step, title, evidence, cause, createdSeconds };
}

function incidentOf({ id, domain, rule, subject, severity, title, evidence, causes, openedSeconds }: Incident): object {
  return { id, domain, rule, subject, severity, title, evidence, causes, openedSeconds };
}

/** Name of the header with the signature, and of the one with the delivery's id. */
export const SIGNATURE_HEADER = "DMARC-Signature";
export const DELIVERY_HEADER = "DMARC-Delivery";
/** The header of a mail that has it: Cloudflare chooses the Message-ID, and takes other headers only if they begin with X-. */
export const MAIL_DELIVERY_HEADER = "X-DMARC-Delivery";

/** The text that is signed. */
export function signedText(seconds: number, body: string): string {
  return `${seconds}.${body}`;
}
