/** Checks the logo that a domain publishes (BIMI, draft-brand-indicators-for-message-identification). Pure. */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import type { Check, Finding, RecordToPublish } from "./check.ts";
import { checkOf, startAsking, unanswered } from "./dns-questions.ts";
import { firstValue, readTagList, respelled } from "./tag-list.ts";

/** Checks the record of a domain's logo. @param isEnforced whether its DMARC policy is quarantine or reject, for all mail */
export async function checkBimi(domain: string, resolver: Resolver, isEnforced: boolean): Promise<Check> {
  const asking = startAsking(resolver);
  const { ask } = asking;
  const name = `default._bimi.${domain}`;
  const rule = "draft-brand-indicators-for-message-identification section 4";
  const answer = await ask(name, "TXT");
  const [text, ...others] = recordsOf(answer).filter((record) => /^v[ \t]*=[ \t]*BIMI1[ \t]*(;|$)/.test(record));
  const mistaken = recordsOf(answer).find((other) => /\bv\s*=\s*["']?bimi/i.test(other));
  const finish = (findings: Finding[], summary: string) => checkOf("bimi", findings, summary, asking);
  if (isUnanswered(answer)) return finish([unanswered(name, rule)], "DNS gave no answer");
  if (text === undefined && mistaken !== undefined) {
    const sentence = `The TXT record "${mistaken.slice(0, 100)}" at ${name} names no logo for mailbox providers: it has to begin with v=BIMI1; in this spelling. Publish it like this.`;
    const publish: RecordToPublish = { name, type: "TXT", value: respelled(mistaken, "v=BIMI1") };
    return finish([{ code: "mistaken_record", state: "broken", sentence, rule, publish }], "The record can't be used");
  }
  if (text === undefined) return finish([], "Not set up; optional");
  if (others.length > 0) {
    const sentence = `${name} has several records, so the logo is not shown. Keep one.`;
    return finish([{ code: "several_records", state: "broken", sentence, rule }], "The logo is not shown");
  }
  const tags = readTagList(text);
  const logo = firstValue(tags, "l") ?? "";
  const findings: Finding[] = [];
  if (logo === "" && firstValue(tags, "a") === undefined) return finish([], "Declined by the record");
  if (!/^https:\/\/\S+$/i.test(logo)) {
    const sentence = "The logo (l) is not an https address, so it is not shown.";
    findings.push({ code: "bad_logo", state: "broken", sentence, rule });
  }
  if (/\.(png|jpe?g|gif|webp|ico|bmp)$/i.test(logo)) {
    const sentence = `The logo (l) is ${logo.slice(logo.lastIndexOf(".") + 1).toUpperCase()}, and has to be SVG (Tiny PS), so it is not shown.`;
    findings.push({ code: "bad_logo", state: "broken", sentence, rule });
  }
  const certificate = firstValue(tags, "a") ?? "";
  if (certificate !== "" && !/^https:\/\/\S+$/i.test(certificate)) {
    const sentence =
      "The certificate (a) is not an https address, so it is not read. Publish its https address, or leave a out.";
    findings.push({ code: "bad_certificate", state: "attention", sentence, rule });
  }
  if (!isEnforced) {
    const sentence =
      "The logo is shown only once DMARC's policy is quarantine or reject for all mail: no sp=none, no pct below 100, no t=y.";
    findings.push({ code: "policy_too_weak", state: "attention", sentence, rule });
  }
  if (findings.length > 0) return finish(findings, "The logo is not shown everywhere");
  const sentence =
    certificate === ""
      ? "The record names a logo. Some mailbox providers show it only with a certificate (a), which is optional."
      : "The record names a logo and its certificate.";
  return finish([{ code: "record", state: "good", sentence, rule }], "A logo is published");
}
