/** Checks what protects mail to a domain (TLS reports, RFC 8460; DANE, RFC 7672), and its logo (BIMI). Pure. */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { type Ask, type Asking, startAsking } from "./asking.ts";
import { type Check, type CheckKind, type Finding, type RecordToPublish, worstState } from "./check.ts";
import { mailtoUri, type ReportUri, readReportUris } from "./dmarc-record.ts";
import { repairedDmarc } from "./dmarc-repair.ts";
import { findMailHosts, isUnreachable, whySendsNothing } from "./mail-hosts.ts";
import { firstValue, readTagList, respelled } from "./tag-list.ts";
import { aliasHint, findLostRecord } from "./wrong-name.ts";

const IS_TLS_RECORD = /^v=TLSRPTv1[ \t]*;/;

/** Checks where TLS reports go. @param ruaAddress where they should go, for the record to publish where there is none */
export async function checkTlsRpt(domain: string, resolver: Resolver, ruaAddress?: string): Promise<Check> {
  const asking = startAsking(resolver);
  const { ask } = asking;
  const name = `_smtp._tls.${domain}`;
  const rule = "RFC 8460 section 3";
  const answer = await ask(name, "TXT");
  const records = recordsOf(answer).filter((text) => IS_TLS_RECORD.test(text));
  const finish = (finding: Finding, summary: string) => checkOf("tlsRpt", [finding], summary, asking);
  if (isUnanswered(answer)) return finish(unanswered(name, rule), "DNS gave no answer");
  if (records.length > 1) {
    const sentence = `${name} has several records, so no TLS reports come. Keep one.`;
    const finding: Finding = { code: "several_records", state: "broken", sentence, rule };
    const rua = records.flatMap((one) => firstValue(readTagList(one), "rua") ?? []).join(",");
    return finish(withTlsRecord(finding, `v=TLSRPTv1; rua=${rua}`, name), "Several records: not used");
  }
  const [text] = records;
  const mistaken = recordsOf(answer).find((other) => /\bv\s*=\s*["']?tlsrpt/i.test(other));
  if (text === undefined && mistaken !== undefined) {
    const sentence = `The TXT record "${mistaken.slice(0, 100)}" at ${name} is not a record of TLS reports for senders: it has to begin with v=TLSRPTv1; in this spelling.`;
    const finding: Finding = { code: "mistaken_record", state: "broken", sentence, rule };
    return finish(withTlsRecord(finding, mistaken, name), "The record can't be used");
  }
  if (text === undefined) {
    const mail = await findMailHosts(domain, ask);
    if (mail?.hosts.length === 0) return checkOf("tlsRpt", [], "The domain takes no mail", asking);
    if (mail?.isImplicit === true && (await whySendsNothing(domain, ask)) !== undefined) {
      return checkOf("tlsRpt", [], "The domain has no mail server", asking);
    }
    const isMeant = (one: string): boolean => IS_TLS_RECORD.test(one);
    const misplaced = await findLostRecord({ prefix: "_smtp._tls", domain, isMeant, rule }, ask);
    if (misplaced !== undefined) return finish(misplaced, "The record is at another name");
    const sentence = `${domain} does not ask for TLS reports. Publish this record to learn when mail can't be delivered encrypted.${await aliasHint(name, ask)}`;
    const finding: Finding = { code: "no_record", state: "attention", sentence, rule };
    if (ruaAddress !== undefined) {
      finding.publish = { name, type: "TXT", value: `v=TLSRPTv1; rua=${mailtoUri(ruaAddress)}` };
    }
    return finish(finding, "Not set up");
  }
  const uris = readReportUris(firstValue(readTagList(text), "rua") ?? "");
  const unusable = uris.filter((uri) => !isTlsAddress(uri));
  const usable = uris.filter((uri) => !unusable.includes(uri));
  const lost = await firstUnreachable(usable, ask);
  if (unusable.length === uris.length) {
    const sentence = `The record at ${name} has no mailto or https address in rua, so no reports come.`;
    const finding: Finding = { code: "no_rua", state: "broken", sentence, rule };
    return finish(withTlsRecord(finding, text, name), "No address for reports");
  }
  if (lost !== undefined) {
    const sentence = `No reports arrive at ${lost.text.slice(0, 200)}: according to DNS, ${lost.host} takes no mail. Use an address whose domain has a mail server (MX).`;
    const finding: Finding = {
      code: "destination_without_mail",
      state: "broken",
      sentence,
      rule: "RFC 5321 section 5.1",
    };
    return finish(finding, "Reports can't arrive");
  }
  const [lostPart] = readTagList(text).malformed;
  if (lostPart !== undefined) {
    const sentence = `"${lostPart.slice(0, 100)}" in the record at ${name} is no field and is ignored; addresses have commas between them.`;
    const finding: Finding = { code: "malformed_tag", state: "attention", sentence, rule };
    return finish(withTlsRecord(finding, text, name), "Reports are asked for");
  }
  if (unusable.length > 0) {
    const shown = unusable.map(({ text: uri }) => uri.slice(0, 200)).join(", ");
    const sentence = `No reports go to ${shown}: it is not a mailto or https address.`;
    const finding: Finding = { code: "unusable_address", state: "attention", sentence, rule };
    return finish(withTlsRecord(finding, text, name), "Reports are asked for");
  }
  return finish(
    { code: "record", state: "good", sentence: "TLS reports are asked for.", rule },
    "Reports are asked for",
  );
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

/** A finding with the record that was meant, where every address in it can be told. */
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

/** Checks the TLSA records of a domain's mail hosts. Without DNSSEC senders ignore them. */
export async function checkDane(domain: string, resolver: Resolver): Promise<Check> {
  const asking = startAsking(resolver);
  const { ask } = asking;
  const rule = "RFC 7672 section 2";
  const mail = await findMailHosts(domain, ask);
  if (mail === undefined) {
    return checkOf("dane", [unanswered(domain, rule)], "DNS gave no answer", asking);
  }
  const { hosts, isAuthenticated } = mail;
  if (hosts.length === 0) return checkOf("dane", [], "The domain takes no mail", asking);
  const findings = await Promise.all(
    hosts.slice(0, GUIDANCE_LIMITS.maxMxHosts).map((host) => checkTlsa(host, { ask, rule, isAuthenticated })),
  );
  const found = findings.filter(({ code }) => code === "tlsa").length;
  const isPartly = found > 0 && found < hosts.length;
  const summary = found === 0 ? "Not set up" : `${found} of ${hosts.length} mail hosts`;
  // Most domains do well without DANE: only one that covers some of the hosts is worth a look.
  const judged = findings.map((finding) =>
    finding.code === "no_tlsa" && isPartly ? { ...finding, state: "attention" as const } : finding,
  );
  if (found > 0 && !isAuthenticated) {
    const sentence = `DNSSEC does not protect the MX records of ${domain}: whoever forges them leads mail to a host of their own, whatever the TLSA records say.`;
    judged.push({ code: "mx_without_dnssec", state: "attention", sentence, rule: "RFC 7672 section 2.2" });
  }
  return checkOf("dane", judged, summary, asking);
}

async function checkTlsa(
  host: string,
  { ask, rule, isAuthenticated }: { ask: Ask; rule: string; isAuthenticated: boolean },
): Promise<Finding> {
  const name = `_25._tcp.${host}`;
  const own = await ask(name, "TLSA");
  // RFC 7672 section 2.2.2: what an alias leads to has the records, or else the alias.
  const isAlone = own.status === "answers" || !isAuthenticated;
  const [target] = isAlone ? [] : recordsOf(await ask(host, "CNAME"));
  const answer = target === undefined ? own : await ask(`_25._tcp.${target.toLowerCase()}`, "TLSA");
  if (isUnanswered(answer)) {
    const finding = unanswered(name, rule);
    return {
      ...finding,
      sentence: `${finding.sentence} Until there is an answer, senders that use DANE may hold back their mail.`,
    };
  }
  if (answer.status !== "answers") {
    return { code: "no_tlsa", state: "good", sentence: `${host} has no TLSA record; DANE is optional.`, rule };
  }
  if (answer.isAuthenticated !== true) {
    const sentence = `${host} has TLSA records, but DNSSEC does not protect them, so senders ignore them.`;
    return { code: "tlsa_without_dnssec", state: "attention", sentence, rule: "RFC 7672 section 2.1" };
  }
  const usable = answer.records.filter(isUsableTlsa);
  if (usable.length === 0) {
    const isForMail = answer.records.some((record) => /^[23] /.test(record));
    const sentence = isForMail
      ? `The TLSA records of ${host} have a selector, a matching type or data of a length that does not exist. Make them again as 3 1 1.`
      : `The TLSA records of ${host} have a usage that is not for mail. Use 3 1 1 (or 2 1 1).`;
    return { code: "tlsa_unusable", state: "broken", sentence, rule: "RFC 7672 section 3.1" };
  }
  const count = usable.length === 1 ? "a TLSA record" : `${usable.length} TLSA records`;
  return { code: "tlsa", state: "good", sentence: `${host} has ${count}, with DNSSEC.`, rule };
}

/** Hexadecimal digits of the data by matching type (RFC 6698 section 2.1.3): SHA-256, SHA-512. */
const HASH_DIGITS = [undefined, 64, 128];

// RFC 7672 section 3.1: usages 0 and 1 rest on public authorities, which mail servers do not use.
function isUsableTlsa(record: string): boolean {
  const [, type = "", data = ""] = /^[23] [01] ([012]) ([0-9a-f]+)$/i.exec(record) ?? [];
  const digits = HASH_DIGITS[Number(type)];
  return data !== "" && (digits === undefined || data.length === digits);
}

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

function unanswered(name: string, rule: string): Finding {
  return { code: "no_answer", state: "unknown", sentence: `DNS gave no answer for ${name}. Check again later.`, rule };
}

async function checkOf(kind: CheckKind, found: Finding[], summary: string, asking: Asking): Promise<Check> {
  const findings = await asking.explained(found);
  return { kind, state: worstState(findings.map(({ state }) => state)), summary, findings, asked: asking.asked() };
}
