/** Checks the TLSA records of the hosts that take a domain's mail (DANE for SMTP, RFC 7672). Pure. */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { Check, Finding } from "./check.ts";
import { type Ask, checkOf, startAsking, unanswered } from "./dns-questions.ts";
import { findMailHosts } from "./mail-hosts.ts";

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
