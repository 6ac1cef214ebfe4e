/** The lines of the worklist in words: what is, and what to do. Plain texts; names in them are strangers'. Pure. */
import { CHECK_TITLES } from "../guidance/check.ts";
import { MAILBOX_PROVIDERS } from "../guidance/known-forwarders.ts";
import type { WorkCause } from "./work.ts";

interface WorkWords {
  /** What is the matter, a few words. */
  title: string;
  /** What to do, a sentence. */
  action: string;
}

/** What a cause is called, and what to do about it. */
export function workWords({ code, subject }: WorkCause): WorkWords {
  switch (code) {
    case "service":
      if (MAILBOX_PROVIDERS.has(subject)) {
        return {
          title: `Mail from ${subject} mailboxes fails`,
          action: "Decide whether people of the domain write from there; if so, have them use its own servers.",
        };
      }
      return {
        title: `${subject} without DKIM`,
        action: `Where it is yours, turn on DKIM for the domain at ${subject}.`,
      };
    case "serviceKey":
      return {
        title: `${subject} signs with a key that doesn't verify`,
        action: `Publish the DKIM key that ${subject} shows for the domain.`,
      };
    case "organization":
      return {
        title: subject === "" ? "Other senders without DKIM" : `${subject} without DKIM`,
        action: "Decide whether it sends for you; if so, turn on DKIM for the domain there.",
      };
    case "ownServer":
      return { title: "Your servers send mail unsigned", action: "Sign all their mail with DKIM for the domain." };
    case "ownMail":
      return {
        title: "Mail of the domain itself fails",
        action: "Sign it with DKIM for exactly the From domain, or relax the alignment.",
      };
    case "server":
      return {
        title: "Unknown servers without authentication",
        action: "Decide which are yours; sign the mail of those with DKIM.",
      };
    case "spfOnly":
      return {
        title: subject === "" ? "Mail that passes by SPF alone" : `${subject} passes by SPF alone`,
        action: "Sign it with DKIM: SPF breaks when mail is forwarded.",
      };
    case "forwarding":
      return {
        title: subject === "" ? "Forwarded mail that breaks" : `Mail that ${subject} forwards breaks`,
        action: "You can't fix that: go no further than p=quarantine, or accept the loss.",
      };
    case "breaks":
      return {
        title: "A few messages of senders that pass",
        action: "Mostly broken on the way; look where it is more than now and then.",
      };
    default:
      return stepWords({ code, subject });
  }
}

type Step = Exclude<
  WorkCause["code"],
  "service" | "serviceKey" | "organization" | "ownServer" | "ownMail" | "server" | "spfOnly" | "forwarding" | "breaks"
>;

function stepWords({ code, subject }: { code: Step; subject: string }): WorkWords {
  switch (code) {
    case "mtaStsBreaksMail":
      return { title: "MTA-STS policy keeps mail away", action: "Correct the policy, or set its mode to testing." };
    case "recordBroke":
      return { title: `${checkTitle(subject)} broken`, action: "Publish the text that the page of its records shows." };
    case "reportsStopped":
      return {
        title: "Reports have stopped",
        action: "Check that the DMARC record still names your RUA address, and that its mail arrives.",
      };
    case "tlsFails":
      return { title: "TLS to the mail servers fails", action: "Look at the failures: certificates, mostly." };
    case "publish":
      return { title: `Ready for ${subject}`, action: "Publish the record on the domain's page." };
    case "park":
      return {
        title: "Sends nothing, and anybody may use it",
        action: "Publish p=reject and the SPF record v=spf1 -all.",
      };
    case "setUp":
      return {
        title: SETUP_TITLES.get(subject) ?? "Set-up not finished",
        action: "Publish what its set-up page shows.",
      };
  }
}

const SETUP_TITLES = new Map([
  ["recordNotFound", "Added, but no DMARC record"],
  ["wrongAddress", "Added, but the DMARC record names another address"],
  ["notPermitted", "Added, but the address doesn't take its reports"],
]);

function checkTitle(kind: string): string {
  return new Map<string, string>(Object.entries(CHECK_TITLES)).get(kind) ?? kind;
}
