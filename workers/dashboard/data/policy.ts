/** Reads a published policy as the ledger keeps it (`p=none; sp=…`) and describes it in words. Pure. */
import { readPolicyTags } from "../../../shared/guidance/next-record.ts";
import { ownValue } from "../../../shared/own-value.ts";

/** The tags that differ from what DMARC assumes when a record says nothing; the rest only repeats. */
export function shortPolicy(text: string): string {
  const tags = readPolicyTags(text);
  const { p = "unknown", sp = p, np = sp, adkim = "r", aspf = "r", pct = "100" } = tags;
  const shown = [`p=${p}`];
  if (sp !== p) shown.push(`sp=${sp}`);
  if (np !== sp) shown.push(`np=${np}`);
  if (adkim === "s") shown.push("adkim=s");
  if (aspf === "s") shown.push("aspf=s");
  if (pct !== "100") shown.push(`pct=${pct}`);
  if (tags.t === "y") shown.push("t=y");
  return shown.join("; ");
}

/** Whether receivers are asked to refuse all failing mail, not a part of it and not as a test. */
export function asksToReject(text: string): boolean {
  const { p, pct = "100", t } = readPolicyTags(text);
  return p === "reject" && pct === "100" && t !== "y";
}

const WORDS: Record<string, string> = {
  none: "Receivers are not asked to do anything: failing mail is delivered like any other.",
  quarantine: "Receivers are asked to treat failing mail as suspicious.",
  reject: "Receivers are asked to reject failing mail.",
};

/** What a policy asks receivers to do with failing mail, in one sentence. */
export function describePolicy(text: string): string {
  const { p = "", pct = "100", t } = readPolicyTags(text);
  const words = ownValue(WORDS, p) ?? "The reports do not say which policy was published.";
  if (t === "y") return `${words} Testing (t=y): receivers are asked to apply the policy one step weaker.`;
  return pct === "100" || p === "none" ? words : `${words} It applies to ${pct} % of failing messages only.`;
}
