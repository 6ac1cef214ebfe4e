/**
 * Why a sender's mail fails that used to pass: what its failing mail shows, compared with what changed in DNS. The
 * likeliest cause comes first; it may be that nothing fits. Pure.
 */
import { readAuthResults } from "../guidance/auth-results.ts";
import { passes } from "../guidance/evidence.ts";
import type { SeenChange } from "../ledger/domain-checks.ts";
import type { Evidence } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { type Figures, failingOf, type Sender } from "./figures.ts";
import type { Cause } from "./finding.ts";
import { dayText, senderText } from "./words.ts";

/** Ours: days before mail began to fail in which a change may be behind it; a resolver may keep a record for days. */
const DAYS_BEFORE = 4;

/** The DKIM selectors of a sender's mail: those of passing mail before, and of failing mail since a day. */
interface Signing {
  /** `selector._domainkey.domain`. */
  passing: ReadonlySet<string>;
  failing: ReadonlySet<string>;
  /** Some of the failing mail has no signature of the domain. */
  isUnsigned: boolean;
}

/** What may be behind failing mail of a sender. @param sinceDay day on which it began to fail */
export function causesOf(sender: Sender, figures: Figures, sinceDay: number): Cause[] {
  const signing = signingOf(sender, figures.domain, sinceDay);
  const changes = figures.changes.filter(
    ({ seenSeconds }) => seenSeconds >= (sinceDay - DAYS_BEFORE) * SECONDS_PER_DAY,
  );
  return [
    ...keyCauses(signing, figures, changes),
    ...spfCauses(sender, figures, changes),
    ...signatureCauses(sender, signing, figures),
  ];
}

function signingOf(sender: Sender, domain: string, sinceDay: number): Signing {
  const own = organizationalDomain(domain);
  const failing = failingOf(sender.evidence).filter(({ lastDay }) => lastDay >= sinceDay);
  const keysOf = (evidence: readonly Evidence[], isPass: boolean): Set<string> =>
    new Set(
      evidence
        .flatMap(({ dkimResults }) => readAuthResults(dkimResults))
        .filter((result) => organizationalDomain(result.domain) === own && result.detail !== "")
        .filter(({ result }) => (result === "pass") === isPass)
        .map((result) => `${result.detail}._domainkey.${result.domain}`),
    );
  const isSigned = ({ dkimResults }: Evidence): boolean =>
    readAuthResults(dkimResults).some((result) => organizationalDomain(result.domain) === own);
  return {
    passing: keysOf(sender.evidence.filter(passes), true),
    failing: keysOf(failing, false),
    isUnsigned: failing.some((evidence) => !isSigned(evidence)),
  };
}

/** Keys that are gone or changed, and selectors that have none. */
function keyCauses({ passing, failing }: Signing, figures: Figures, changes: readonly SeenChange[]): Cause[] {
  const causes: Cause[] = [];
  for (const name of failing) {
    const change = changes.find((one) => one.name === name);
    const state = keyState(name, figures);
    if (change !== undefined && isGone(change.after)) {
      const sentence = `The DKIM key ${name} was removed on ${seenText(change)}. Publish it again.`;
      causes.push({ code: "dkimKeyGone", sentence });
    } else if (change !== undefined) {
      const sentence = `The DKIM key ${name} changed on ${seenText(change)}, and signatures no longer match it.`;
      causes.push({ code: "dkimKeyChanged", sentence });
    } else if (!passing.has(name)) {
      const what = state === "missing" ? "has no key" : "has never passed";
      const sentence = `Mail is signed with a new selector, ${name}, which ${what}. Publish the key that the sender gives.`;
      causes.push({ code: "newSelector", sentence });
    } else if (state === "missing") {
      causes.push({ code: "dkimKeyGone", sentence: `The DKIM key ${name} is not published. Publish it again.` });
    }
  }
  return causes.sort((a, b) => KEY_ORDER.indexOf(a.code) - KEY_ORDER.indexOf(b.code));
}

const KEY_ORDER = ["dkimKeyGone", "dkimKeyChanged", "newSelector"];

function keyState(name: string, { check }: Figures): "missing" | "published" | "unknown" {
  const key = check?.keys.find(({ selector, domain }) => `${selector}._domainkey.${domain}` === name);
  if (key === undefined || key.keyType === "unknown") return "unknown";
  return key.keyType === "missing" || key.keyType === "revoked" ? "missing" : "published";
}

/** A sender whose mail had no passing signature of the domain passed by SPF alone, so a change of SPF is the cause. */
function spfCauses(sender: Sender, { domain }: Figures, changes: readonly SeenChange[]): Cause[] {
  const passing = sender.evidence.filter(passes);
  const bySpfAlone = passing.filter(({ dkim }) => dkim !== "pass").reduce((sum, { messages }) => sum + messages, 0);
  const all = passing.reduce((sum, { messages }) => sum + messages, 0);
  if (2 * bySpfAlone < all) return [];
  return changes.flatMap((change): Cause[] => {
    const before = spfTerms(change.before);
    const after = spfTerms(change.after);
    if (change.type !== "TXT" || (before.length === 0 && after.length === 0)) return [];
    const gone = before.filter((term) => !after.includes(term));
    if (gone.length === 0 && after.length > 0) return [];
    const what = after.length === 0 ? "was removed" : `lost ${gone.join(", ")}`;
    const sentence =
      `The SPF record of ${change.name} ${what} on ${seenText(change)}; ${senderText(sender)} passed by SPF alone. ` +
      `Put it back, and sign with DKIM for ${domain}.`;
    return [{ code: "spfChanged", sentence }];
  });
}

function spfTerms(records: readonly string[]): string[] {
  const record = records.find((text) => /^v=spf1( |$)/i.test(text));
  return record === undefined ? [] : record.toLowerCase().split(/\s+/).slice(1);
}

/** What the failing mail itself shows. */
function signatureCauses(sender: Sender, { passing, failing, isUnsigned }: Signing, { domain }: Figures): Cause[] {
  const name = senderText(sender);
  const signs = sender.kind === "ownServers" ? "Your own servers no longer sign" : `${name} no longer signs`;
  if (isUnsigned && passing.size > 0) {
    return [{ code: "signingStopped", sentence: `${signs} with DKIM for ${domain}. Turn signing on again there.` }];
  }
  if ([...failing].some((key) => passing.has(key))) {
    const sentence = `Mail of ${name} is signed, and the signature does not hold: it is changed on its way, or the key does not match.`;
    return [{ code: "signatureBroken", sentence }];
  }
  if (passing.size === 0 && sender.evidence.some(passes)) {
    const sentence =
      `Mail of ${name} passed by SPF alone, and now comes from addresses or with a return path that SPF does not ` +
      `cover. Sign with DKIM for ${domain}.`;
    return [{ code: "notInSpf", sentence }];
  }
  return [];
}

/** Whether nothing is left of a key. */
export function isGone(records: readonly string[]): boolean {
  return records.length === 0 || records.every((text) => /(^|;)\s*p=\s*(;|$)/.test(text));
}

/** When a change was seen. */
export function seenText({ seenSeconds }: SeenChange): string {
  return dayText(Math.floor(seenSeconds / SECONDS_PER_DAY));
}
