/** Checks where a domain asks for TLS reports (RFC 8460 section 3). Pure. */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import type { Check, Finding } from "./check.ts";
import { mailtoUri, type ReportUri, readReportUris } from "./dmarc-record.ts";
import { repairedDmarc } from "./dmarc-repair.ts";
import { type Ask, checkOf, startAsking, unanswered } from "./dns-questions.ts";
import { findMailHosts, isUnreachable, whySendsNothing } from "./mail-hosts.ts";
import { firstValue, readTagList, respelled } from "./tag-list.ts";
import { addAliasHint, findLostRecord } from "./wrong-name.ts";

const IS_TLS_RECORD = /^v=TLSRPTv1[ \t]*;/;
const RULE = "RFC 8460 section 3";

/** What a check comes to: at most one finding, and the whole in one line. */
interface Outcome {
  finding?: Finding;
  summary: string;
}

/**
 * Checks where TLS reports go.
 *
 * @param domain A-labels
 * @param ruaAddress where they should go, for the record to publish where there is none
 */
export async function checkTlsRpt(domain: string, resolver: Resolver, ruaAddress?: string): Promise<Check> {
  const asking = startAsking(resolver);
  const name = `_smtp._tls.${domain}`;
  const answer = await asking.ask(name, "TXT");
  const records = recordsOf(answer).filter((text) => IS_TLS_RECORD.test(text));
  const [text] = records;
  const mistaken = recordsOf(answer).find((other) => /\bv\s*=\s*["']?tlsrpt/i.test(other));
  const outcome = async (): Promise<Outcome> => {
    if (isUnanswered(answer)) return { finding: unanswered(name, RULE), summary: "DNS gave no answer" };
    if (records.length > 1) return severalRecords(records, name);
    if (text !== undefined) return outcomeOfRecord(text, name, asking.ask);
    if (mistaken !== undefined) return mistakenRecord(mistaken, name);
    return noRecord(domain, { name, ruaAddress }, asking.ask);
  };
  const { finding, summary } = await outcome();
  return checkOf("tlsRpt", finding === undefined ? [] : [finding], summary, asking);
}

function severalRecords(records: readonly string[], name: string): Outcome {
  const sentence = `${name} has several records, so no TLS reports come. Keep one.`;
  const finding: Finding = { code: "several_records", state: "broken", sentence, rule: RULE };
  const rua = records.flatMap((one) => firstValue(readTagList(one), "rua") ?? []).join(",");
  return { finding: withTlsRecord(finding, `v=TLSRPTv1; rua=${rua}`, name), summary: "Several records: not used" };
}

function mistakenRecord(text: string, name: string): Outcome {
  const sentence = `The TXT record "${text.slice(0, 100)}" at ${name} is not a record of TLS reports for senders: it has to begin with v=TLSRPTv1; in this spelling.`;
  const finding: Finding = { code: "mistaken_record", state: "broken", sentence, rule: RULE };
  return { finding: withTlsRecord(finding, text, name), summary: "The record can't be used" };
}

async function noRecord(
  domain: string,
  { name, ruaAddress }: { name: string; ruaAddress: string | undefined },
  ask: Ask,
): Promise<Outcome> {
  const mail = await findMailHosts(domain, ask);
  if (mail?.hosts.length === 0) return { summary: "The domain takes no mail" };
  if (mail?.isImplicit === true && (await whySendsNothing(domain, ask)) !== undefined) {
    return { summary: "The domain has no mail server" };
  }
  const isMeant = (one: string): boolean => IS_TLS_RECORD.test(one);
  const misplaced = await findLostRecord({ prefix: "_smtp._tls", domain, isMeant, rule: RULE }, ask);
  if (misplaced !== undefined) return { finding: misplaced, summary: "The record is at another name" };
  const sentence = `${domain} does not ask for TLS reports. Publish this record to learn when mail can't be delivered encrypted.`;
  const finding: Finding = { code: "no_record", state: "attention", sentence, rule: RULE };
  if (ruaAddress !== undefined) {
    finding.publish = { name, type: "TXT", value: `v=TLSRPTv1; rua=${mailtoUri(ruaAddress)}` };
  }
  await addAliasHint(finding, name, ask);
  return { finding, summary: "Not set up" };
}

async function outcomeOfRecord(text: string, name: string, ask: Ask): Promise<Outcome> {
  const uris = readReportUris(firstValue(readTagList(text), "rua") ?? "");
  const unusable = uris.filter((uri) => !isTlsAddress(uri));
  const usable = uris.filter((uri) => !unusable.includes(uri));
  const lost = await firstUnreachable(usable, ask);
  if (unusable.length === uris.length) {
    const sentence = `The record at ${name} has no mailto or https address in rua, so no reports come.`;
    const finding: Finding = { code: "no_rua", state: "broken", sentence, rule: RULE };
    return { finding: withTlsRecord(finding, text, name), summary: "No address for reports" };
  }
  if (lost !== undefined) {
    const sentence = `No reports arrive at ${lost.text.slice(0, 200)}: according to DNS, ${lost.host} takes no mail. Use an address whose domain has a mail server (MX).`;
    const rule = "RFC 5321 section 5.1";
    return {
      finding: { code: "destination_without_mail", state: "broken", sentence, rule },
      summary: "Reports can't arrive",
    };
  }
  const summary = "Reports are asked for";
  const [lostPart] = readTagList(text).malformed;
  if (lostPart !== undefined) {
    const sentence = `"${lostPart.slice(0, 100)}" in the record at ${name} is no field and is ignored; addresses have commas between them.`;
    const finding: Finding = { code: "malformed_tag", state: "attention", sentence, rule: RULE };
    return { finding: withTlsRecord(finding, text, name), summary };
  }
  if (unusable.length > 0) {
    const shown = unusable.map(({ text: uri }) => uri.slice(0, 200)).join(", ");
    const sentence = `No reports go to ${shown}: it is not a mailto or https address.`;
    const finding: Finding = { code: "unusable_address", state: "attention", sentence, rule: RULE };
    return { finding: withTlsRecord(finding, text, name), summary };
  }
  return { finding: { code: "record", state: "good", sentence: "TLS reports are asked for.", rule: RULE }, summary };
}

async function firstUnreachable(uris: readonly ReportUri[], ask: Ask): Promise<ReportUri | undefined> {
  for (const uri of uris) {
    if (uri.host !== undefined && (await isUnreachable(uri.host, ask))) return uri;
  }
  return undefined;
}

// A size after ! is DMARC's alone.
function isTlsAddress({ text, host, hasSize }: ReportUri): boolean {
  return !hasSize && (host !== undefined || /^https:\/\/[^\s]+$/i.test(text));
}

/** A finding with the record that was meant, where every address in it is recognizable. */
function withTlsRecord(finding: Finding, text: string, name: string): Finding {
  const meant = repairedDmarc(respelled(text, "v=TLSRPTv1")).replaceAll(/![0-9]+[kmgt]?(?=[,;\s]|$)/gi, "");
  const { tags, malformed } = readTagList(meant);
  const value = malformed.length === 0 ? meant : tags.map((tag) => `${tag.name}=${tag.value}`).join("; ");
  const uris = readReportUris(firstValue({ tags, malformed: [] }, "rua") ?? "");
  if (uris.length === 0 || !uris.every(isTlsAddress)) return finding;
  const remedy = finding.code === "several_records" ? "Publish this one in place of all." : "Publish it like this.";
  return {
    ...finding,
    sentence: `${finding.sentence.replace(" Keep one.", "")} ${remedy}`,
    publish: { name, type: "TXT", value },
  };
}
