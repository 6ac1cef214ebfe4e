/**
 * The stages from p=none to p=reject by RFC 9989 (testing by `t=y` instead of `pct`), and the record for a stage with
 * the other tags of the published policy as seen in reports. Pure.
 */
import { mailtoUri, readDmarcRecord } from "./dmarc-record.ts";
import { repairedDmarc } from "./dmarc-repair.ts";

/** A step on the way. */
export interface Stage {
  p: "none" | "quarantine" | "reject";
  isTest: boolean;
}

export const STAGES: readonly Stage[] = [
  { p: "none", isTest: false },
  { p: "quarantine", isTest: true },
  { p: "quarantine", isTest: false },
  { p: "reject", isTest: true },
  { p: "reject", isTest: false },
];

/** `p=none; sp=…; pct=100`, the policy as seen in reports → its tags. Anything else is left out. */
export function readPolicyTags(text: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const part of text.split(";")) {
    const at = part.indexOf("=");
    if (at > 0) tags[part.slice(0, at).trim().toLowerCase()] = part.slice(at + 1).trim();
  }
  return tags;
}

/** The stage of a policy; a percentage below 100 (`pct`) counts as a test. An unknown policy counts as none. */
export function stageOf(policy: string): Stage {
  const { p = "", pct = "100", t = "n" } = readPolicyTags(policy);
  if (p !== "quarantine" && p !== "reject") return { p: "none", isTest: false };
  return { p, isTest: t === "y" || pct !== "100" };
}

/** Index in `STAGES`. */
export function stageNumber({ p, isTest }: Stage): number {
  return STAGES.findIndex((stage) => stage.p === p && stage.isTest === isTest);
}

/** Whether receivers that follow RFC 9989 quarantine or reject failing mail. */
export function isEnforcing({ p, isTest }: Stage): boolean {
  return p === "reject" || (p === "quarantine" && !isTest);
}

/** Of which mail a policy has receivers quarantine or reject what fails: mail from the domain itself, and mail from its subdomains. */
export interface Enforced {
  domain: boolean;
  below: boolean;
}

/** By `p`, and by `sp` and `np` (RFC 9989 section 4.7), of which reports don't say which one holds for a subdomain. */
export function enforcedBy(policy: string): Enforced {
  const stage = stageOf(policy);
  const { sp = stage.p, np = sp } = readPolicyTags(policy);
  const isBelow = [sp, np].some((p) => isPolicy(p) && isEnforcing({ ...stage, p }));
  return { domain: isEnforcing(stage), below: isBelow };
}

/** The tag that lets mail from subdomains through though p=reject is published: `sp=none`; undefined: there is none. */
export function openBelow(policy: string): string | undefined {
  const { p, sp = p, np = sp } = readPolicyTags(policy);
  if (p !== "reject") return undefined;
  if (sp !== "reject" && isPolicy(sp ?? "")) return `sp=${sp}`;
  return np !== "reject" && isPolicy(np ?? "") ? `np=${np}` : undefined;
}

/** The policy with another `sp`, or without one, and without `np`: mail from subdomains is treated as `sp` says, else as `p` does. */
export function withBelow(policy: string, sp?: Stage["p"]): string {
  const kept = Object.entries(readPolicyTags(policy)).filter(([tag]) => tag !== "sp" && tag !== "np");
  return [...kept, ...(sp === undefined ? [] : [["sp", sp]])].map(([tag, value]) => `${tag}=${value}`).join("; ");
}

/** A record's text. @param policy as reports saw it @param ruaAddresses where its reports arrived */
export function recordText(stage: Stage, policy: string, ruaAddresses: readonly string[]): string {
  const tags = readPolicyTags(policy);
  const { p = "none", sp = p, np = sp, adkim = "r", aspf = "r", fo = "0", psd } = tags;
  const parts = ["v=DMARC1", `p=${stage.p}`];
  if (stage.isTest) parts.push("t=y");
  // Reports also contain inherited values: only a different one was published.
  if (isPolicy(sp) && sp !== p) parts.push(`sp=${sp}`);
  if (isPolicy(np) && np !== sp) parts.push(`np=${np}`);
  if (adkim === "s") parts.push("adkim=s");
  if (aspf === "s") parts.push("aspf=s");
  if (/^[01ds](:[01ds])*$/.test(fo) && fo !== "0") parts.push(`fo=${fo}`);
  if (psd === "y" || psd === "n") parts.push(`psd=${psd}`);
  if (ruaAddresses.length > 0) parts.push(`rua=${ruaAddresses.map(mailtoUri).join(",")}`);
  return parts.join("; ");
}

/** Whether two records ask the same of receivers, whatever else is in them. */
export function haveSamePolicy(one: string, other: string): boolean {
  return policyTags(one) === policyTags(other);
}

function policyTags(record: string): string {
  const tags = readPolicyTags(record);
  const { p, isTest } = stageOf(record);
  const { sp = p, np = sp } = tags;
  return `${p} ${isTest} ${sp} ${np}`.toLowerCase();
}

/**
 * A published record at another stage: `p` and `t` change, and what stands for other receivers' tests (`pct`) is left out, since
 * the stage says it. Every other tag stays: addresses of others, `ruf`, what nobody knows.
 *
 * @param policies as reports saw it, and as it is to be: where they differ in `sp` or `np`, so does the record
 */
export function recordAtStage(
  published: string,
  { p, isTest }: Stage,
  policies: { before: string; after: string },
): string {
  const read = readDmarcRecord(repairedDmarc(published)).tags.filter(
    ({ standing, value }) => standing !== "repeated" && value !== "",
  );
  const [before, after] = [readPolicyTags(policies.before), readPolicyTags(policies.after)];
  const parts = ["v=DMARC1", `p=${p}`, ...(isTest ? ["t=y"] : [])];
  for (const { name, value } of read) {
    if (name === "v" || name === "p" || name === "t" || name === "pct") continue;
    const isBelow = name === "sp" || name === "np";
    if (isBelow && before[name] !== after[name]) continue;
    parts.push(`${name}=${value}`);
  }
  const changed = (["sp", "np"] as const).filter((name) => before[name] !== after[name]);
  const below = changed.flatMap((name) => {
    const value = after[name];
    return value !== undefined && isPolicy(value) ? [`${name}=${value}`] : [];
  });
  // Behind p and t, where people look for them.
  parts.splice(isTest ? 3 : 2, 0, ...below);
  return parts.join("; ");
}

function isPolicy(text: string): text is Stage["p"] {
  return text === "none" || text === "quarantine" || text === "reject";
}
