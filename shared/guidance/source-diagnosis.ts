/** Says in one sentence what is wrong with the mail of a source, and what to do about it. Pure. */
import type { SourceDay, SourceDetail } from "../ledger/one-source.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { type AuthResult, readAuthResults } from "./auth-results.ts";
import { knownService, type ServiceGuide, serviceGuide } from "./known-services.ts";
import type { Decision } from "./roles.ts";
import type { SourceKind } from "./sources.ts";
import { MIN_MESSAGES } from "./stopped-key.ts";
import type { StoredCheck } from "./stored-check.ts";

/** The relevant fields of each group of records. */
export type DiagnosedGroup = Pick<
  SourceDetail,
  "dkimResults" | "spfResults" | "headerFrom" | "messages" | "passed" | "dkimAligned" | "spared"
>;

/** A source and its mail over a period. */
export interface DiagnosedSource {
  /** The policy domain. */
  domain: string;
  /** Organizational domain or address. */
  name: string;
  kind: SourceKind;
  groups: readonly DiagnosedGroup[];
  /** Its mail by day. */
  days: readonly Pick<SourceDay, "day" | "dkimResults" | "messages">[];
  decision: Decision | undefined;
  /** DKIM keys as last found in DNS; none if they were not looked up. */
  keys: readonly Pick<StoredCheck["keys"][number], "domain" | "selector" | "keyType">[];
}

/** For programs; a code keeps its meaning. */
export type DiagnosisCode =
  | "noMail"
  | "notMine"
  | "forwarder"
  | "passes"
  | "passesBySpfOnly"
  | "letThrough"
  | "strictDkim"
  | "strictSpf"
  | "keyMissing"
  | "signatureChanged"
  | "signatureBroken"
  | "signsAsOther"
  | "returnPathOfOther"
  | "notListed"
  | "notAuthenticated";

export interface Diagnosis {
  code: DiagnosisCode;
  sentence: string;
  /** How to set it up at a known service, if that is the remedy. */
  guide?: ServiceGuide;
}

/** The reason a group of mail fails. */
interface Cause {
  code: DiagnosisCode;
  /** The domain or the selector that it is about. */
  about: string;
  /** The From domain. */
  from: string;
}

/** The diagnosis of a source: the reason for most of its failing mail. */
export function diagnoseSource(source: DiagnosedSource): Diagnosis {
  const { domain, kind, decision, groups } = source;
  const name = knownService(source.name) ?? source.name;
  const total = sum(groups, ({ messages }) => messages);
  const failing = total - sum(groups, ({ passed }) => passed);
  if (total === 0) return { code: "noMail", sentence: `No mail of ${name} was reported in this period.` };
  if (failing === 0) return diagnosePassing(source, name);
  if (decision === "notMine") {
    return {
      code: "notMine",
      sentence: `You said that ${name} is not yours: there is nothing to fix, and p=reject stops it.`,
    };
  }
  if (decision === "forwarder") {
    const sentence = `${name} forwards other people's mail, so SPF fails there: there is nothing to fix but DKIM on all mail of ${domain}.`;
    return { code: "forwarder", sentence };
  }
  const letThrough = sum(groups, ({ spared }) => spared);
  if (2 * letThrough > failing) {
    const sentence =
      `Receivers let most of the failing mail of ${name} through, as forwarded or from a list: there is nothing to ` +
      "fix at the source.";
    return { code: "letThrough", sentence };
  }
  const cause = mainCause(source);
  const said = sentenceOf(cause, kind === "own" ? `This mail of ${domain}` : name);
  const sentence = decision === "mine" ? said.replace("if it is yours, ", "") : said;
  const guide = kind === "other" && FIXED_AT_SERVICE.has(cause.code) ? serviceGuide(name) : undefined;
  return { code: cause.code, sentence, ...(guide === undefined ? {} : { guide }) };
}

const FIXED_AT_SERVICE: ReadonlySet<DiagnosisCode> = new Set<DiagnosisCode>([
  "signsAsOther",
  "returnPathOfOther",
  "keyMissing",
  "signatureBroken",
  "strictDkim",
  "passesBySpfOnly",
]);

function diagnosePassing({ groups, kind }: DiagnosedSource, name: string): Diagnosis {
  const total = sum(groups, ({ messages }) => messages);
  const signed = sum(groups, ({ dkimAligned }) => dkimAligned);
  if (2 * signed >= total) return { code: "passes", sentence: `All mail of ${name} passes: nothing to do.` };
  const guide = kind === "other" ? serviceGuide(name) : undefined;
  const sentence = `Mail of ${name} passes by SPF only and fails once it is forwarded: turn on DKIM there, too.`;
  return { code: "passesBySpfOnly", sentence, ...(guide === undefined ? {} : { guide }) };
}

function mainCause(source: DiagnosedSource): Cause {
  const working = new Set(
    source.groups.flatMap(({ dkimResults }) => signatures(dkimResults).filter(isPass).map(keyName)),
  );
  for (const name of stoppedKeys(source.days)) working.delete(name);
  const causes = new Map<string, { cause: Cause; messages: number }>();
  for (const group of source.groups) {
    const messages = group.messages - group.passed;
    if (messages <= 0) continue;
    const cause = causeOf(group, source, working);
    const key = JSON.stringify(cause);
    causes.set(key, { cause, messages: messages + (causes.get(key)?.messages ?? 0) });
  }
  const [first] = [...causes.values()].sort((a, b) => b.messages - a.messages);
  return first?.cause ?? { code: "notAuthenticated", about: "", from: source.domain };
}

/** Keys that no longer verify, as one that expired: most of what failed with them, and enough of it, is later than the last that passed. */
function stoppedKeys(days: DiagnosedSource["days"]): string[] {
  const keys = new Map<string, { lastPassed: number; failed: [day: number, messages: number][] }>();
  for (const { day, dkimResults, messages } of days) {
    for (const signature of signatures(dkimResults)) {
      const key = keys.get(keyName(signature)) ?? { lastPassed: -1, failed: [] };
      keys.set(keyName(signature), key);
      if (isPass(signature)) key.lastPassed = Math.max(key.lastPassed, day);
      else key.failed.push([day, messages]);
    }
  }
  return [...keys].flatMap(([name, { lastPassed, failed }]) => {
    const all = failed.reduce((total, [, messages]) => total + messages, 0);
    const later = failed.reduce((total, [day, messages]) => total + (day > lastPassed ? messages : 0), 0);
    return later >= MIN_MESSAGES && 2 * later > all ? [name] : [];
  });
}

function causeOf(
  { dkimResults, spfResults, headerFrom }: DiagnosedGroup,
  { domain, keys }: DiagnosedSource,
  working: ReadonlySet<string>,
): Cause {
  const own = organizationalDomain(domain);
  const isOwn = (result: AuthResult): boolean => organizationalDomain(result.domain) === own;
  const from = headerFrom === "" ? domain : headerFrom;
  const signed = signatures(dkimResults);
  const paths = readAuthResults(spfResults).filter(({ domain: path, detail }) => path !== "" && detail !== "helo");
  const because = (code: DiagnosisCode, about = ""): Cause => ({ code, about, from });
  // What passes for the organization and still fails DMARC is not exactly the From domain, and alignment is strict.
  const aligned = signed.find((result) => isPass(result) && isOwn(result));
  if (aligned !== undefined) return because("strictDkim", aligned.domain);
  const path = paths.find((result) => isPass(result) && isOwn(result));
  if (path !== undefined) return because("strictSpf", path.domain);
  const broken = signed.find(isOwn);
  if (broken !== undefined) return causeOfBroken(broken, { keys, working, from });
  const other = signed.find(isPass);
  if (other !== undefined) return because("signsAsOther", other.domain);
  const elsewhere = paths.find(isPass);
  if (elsewhere !== undefined) return because("returnPathOfOther", elsewhere.domain);
  const listed = paths.find(isOwn);
  return listed === undefined ? because("notAuthenticated") : because("notListed", listed.domain);
}

function causeOfBroken(
  signature: AuthResult,
  { keys, working, from }: { keys: DiagnosedSource["keys"]; working: ReadonlySet<string>; from: string },
): Cause {
  const about = `${signature.detail || "?"}._domainkey.${signature.domain}`;
  if (working.has(keyName(signature))) return { code: "signatureChanged", about, from };
  const key = keys.find(({ domain, selector }) => domain === signature.domain && selector === signature.detail);
  const isMissing = key?.keyType === "missing" || key?.keyType === "revoked";
  return { code: isMissing ? "keyMissing" : "signatureBroken", about, from };
}

function sentenceOf({ code, about, from }: Cause, name: string): string {
  switch (code) {
    case "strictDkim":
      return `${name} signs as ${about}, and the DMARC record asks for exactly ${from} (adkim=s): sign as ${from}, or publish adkim=r.`;
    case "strictSpf":
      return (
        `${name} uses ${about} as its return path, and the DMARC record asks for exactly ${from} (aspf=s): turn on ` +
        `DKIM for ${from} there, or publish aspf=r.`
      );
    case "keyMissing":
      return `${name} signs for ${from}, but the key is not in DNS: publish ${about} as ${name} says.`;
    case "signatureChanged":
      return (
        `The signatures of ${name} verify elsewhere and break on some routes: a forwarder or a list changes the ` +
        "mail, which you can't fix."
      );
    case "signatureBroken":
      return `${name} signs for ${from}, but the signatures do not verify: compare the key at ${about} with the one that ${name} shows.`;
    case "signsAsOther":
      return `${name} signs as ${about}, so nothing aligns: turn on DKIM for ${from} there.`;
    case "returnPathOfOther":
      return `${name} does not sign, and SPF passes for ${about} only, so nothing aligns: turn on DKIM for ${from} there.`;
    case "notListed":
      return (
        `${name} does not sign, and the SPF record of ${about} does not list it: if it is yours, turn on DKIM for ` +
        `${from} there, or add it to SPF.`
      );
    default:
      return `${name} sends without any DKIM signature or SPF pass: if it is yours, turn on DKIM for ${from} there.`;
  }
}

function signatures(dkimResults: string): AuthResult[] {
  return readAuthResults(dkimResults).filter(({ domain }) => domain !== "");
}

function isPass({ result }: AuthResult): boolean {
  return result === "pass";
}

function keyName({ domain, detail }: AuthResult): string {
  return `${domain} ${detail}`;
}

function sum(groups: readonly DiagnosedGroup[], count: (group: DiagnosedGroup) => number): number {
  return groups.reduce((total, group) => total + count(group), 0);
}
