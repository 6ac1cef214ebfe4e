/** Checks MTA-STS: the record, the policy file, and whether it covers the domain's mail hosts (RFC 8461). Pure. */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { type Check, type CheckState, type Finding, type RecordToPublish, worstState } from "./check.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { findMailHosts, whySendsNothing } from "./mail-hosts.ts";
import { respelled, withoutSpace } from "./tag-list.ts";
import { addAliasHint, findLostRecord } from "./wrong-name.ts";

/**
 * Fetches a policy file: at most 64 KiB of text/plain with status 200, redirects not followed, the certificate checked.
 *
 * @returns a sentence as `problem` if there is no such file; `isUnanswered` if there was no answer
 */
export type FetchPolicyFile = (url: string) => Promise<{ text: string } | { problem: string; isUnanswered: boolean }>;

/** A policy (RFC 8461 section 3.2). */
export interface MtaStsPolicy {
  mode: "enforce" | "testing" | "none";
  mx: string[];
  maxAgeSeconds: number;
}

/** An MTA-STS check with the policy. */
export interface MtaStsCheck extends Check {
  kind: "mtaSts";
  id?: string;
  policy?: MtaStsPolicy;
}

const IS_RECORD = /^v=STSv1[ \t]*(;|$)/;

/** RFC 8461 section 3.2: about a year. */
const MOST_SECONDS = 31_557_600;
/** A week: a shorter-lived policy is soon forgotten, and an attacker only has to wait. */
const FEW_SECONDS = 604_800;

/** Checks a domain's MTA-STS. @param domain A-labels */
export async function checkMtaSts(
  domain: string,
  resolver: Resolver,
  fetchPolicy: FetchPolicyFile,
): Promise<MtaStsCheck> {
  const { ask, asked, explained } = startAsking(resolver);
  const name = `_mta-sts.${domain}`;
  const answer = await ask(name, "TXT");
  const records = recordsOf(answer).filter((text) => IS_RECORD.test(text));
  const finish = async (found: Finding[], summary: string, more: Pick<MtaStsCheck, "id" | "policy"> = {}) => {
    const findings = await explained(found);
    const state = worstState(findings.map((finding) => finding.state));
    return { kind: "mtaSts" as const, state, summary, findings, asked: asked(), ...more };
  };
  if (isUnanswered(answer)) return finish([unknownFinding(name)], "DNS gave no answer");
  const [text] = records;
  if (text === undefined) {
    const mistaken = recordsOf(answer).find((other) => /\bv\s*=\s*["']?sts/i.test(other));
    if (mistaken !== undefined) return finish([mistakenRecord(name, mistaken)], "The record can't be used");
    const isMeant = (one: string): boolean => IS_RECORD.test(one);
    const lost = await findLostRecord({ prefix: "_mta-sts", domain, isMeant, rule: "RFC 8461 section 3.1" }, ask);
    if (lost !== undefined) return finish([lost], "The record is at another name");
    const mail = await findMailHosts(domain, ask);
    if (mail?.hosts.length === 0) return finish([], "The domain takes no mail");
    if (mail?.isImplicit === true && (await whySendsNothing(domain, ask)) !== undefined) {
      return finish([withoutMx(domain)], "The domain has no mail server");
    }
    const missing = missingRecord(domain);
    await addAliasHint(missing, name, ask);
    return finish([missing], "Not set up");
  }
  if (records.length > 1) return finish([severalRecords(name)], "Several records: not used");
  const id = idOf(text);
  if (id === undefined) return finish([badId(name, text)], "The record can't be used");
  const file = await fetchPolicy(`https://mta-sts.${domain}/.well-known/mta-sts.txt`);
  if (!("text" in file)) {
    const problem = file.isUnanswered ? await hostProblem(domain, ask) : undefined;
    return finish([fileFinding(problem ?? file, domain)], "The policy file can't be read", { id });
  }
  const read = readPolicy(file.text);
  if ("problem" in read) return finish([invalidPolicy(read.problem)], "The policy file is invalid", { id });
  const mail = await findMailHosts(domain, ask);
  const findings = [modeFinding(read.policy, id), ...ageFindings(read.policy)];
  if (mail === undefined) findings.push(unknownFinding(domain));
  else findings.push(...uncoveredHosts(read.policy, mail.hosts), ...unusedPatterns(read.policy, mail.hosts));
  return finish(findings, `Mode ${read.policy.mode}`, { id, policy: read.policy });
}

/** The id of a record, which is written `id=`, with no space and in lower case (RFC 8461 section 3.1). */
function idOf(text: string): string | undefined {
  return /;[ \t]*id=([A-Za-z0-9]{1,32})[ \t]*(?:;|$)/.exec(text)?.[1];
}

/** Whether a file is out of reach because its host is not in DNS; undefined where it is, or nobody knows. */
async function hostProblem(domain: string, ask: Ask): Promise<{ problem: string; isUnanswered: boolean } | undefined> {
  const answers = await Promise.all([ask(`mta-sts.${domain}`, "A"), ask(`mta-sts.${domain}`, "AAAA")]);
  const isAbsent = answers.every(({ status }) => status === "nxdomain" || status === "nodata");
  return isAbsent ? { problem: `mta-sts.${domain} has no address in DNS`, isUnanswered: false } : undefined;
}

/** Parses a policy file. The first of repeated keys counts; unknown keys are ignored (RFC 8461 section 3.2). */
export function readPolicy(text: string): { policy: MtaStsPolicy } | { problem: string } {
  const values = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = withoutSpace(line.slice(0, Math.max(colon, 0)));
    const value = withoutSpace(line.slice(colon + 1));
    if (name === "mx") mx.push(value.toLowerCase());
    else if (!values.has(name)) values.set(name, value);
  }
  const mode = values.get("mode");
  const age = values.get("max_age") ?? "";
  if (/\r(?!\n)/.test(text)) return { problem: "its lines end with CR alone, and have to end with LF or CRLF" };
  if (/[^\x09\x0a\x0d\x20-\x7e]/.test(text)) {
    const begin = text.startsWith("\ufeff")
      ? "a byte order mark, which editors put before a text"
      : "a character that is not ASCII";
    return { problem: `it has ${begin}; save it as plain ASCII` };
  }
  if (values.get("version") !== "STSv1") return { problem: "it does not say version: STSv1" };
  if (mode !== "enforce" && mode !== "testing" && mode !== "none") {
    return { problem: "its mode is not enforce, testing or none" };
  }
  if (!/^\d{1,10}$/.test(age) || Number(age) > MOST_SECONDS) {
    return { problem: `its max_age is not a number from 0 to ${MOST_SECONDS}` };
  }
  if (mode !== "none" && mx.length === 0) return { problem: "it names no mx" };
  const wrong = mx.find((pattern) => !IS_PATTERN.test(pattern));
  if (wrong !== undefined) return { problem: `"mx: ${wrong.slice(0, 100)}" is not one host name or *. and a name` };
  return { policy: { mode, mx, maxAgeSeconds: Number(age) } };
}

// Section 3.2, sts-policy-mx-value; a dot at the end is not in it.
const IS_PATTERN = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Whether a policy's pattern covers a host: `*.` stands for exactly one label (RFC 8461 section 4.1). */
export function coversHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return host.slice(host.indexOf(".")) === pattern.slice(1) && host.includes(".");
}

function unknownFinding(name: string): Finding {
  const sentence = `DNS gave no answer for ${name}. Check again later.`;
  return { code: "no_answer", state: "unknown", sentence, rule: "RFC 8461 section 3.1" };
}

function missingRecord(domain: string): Finding {
  return {
    code: "no_record",
    state: "attention",
    sentence:
      `${domain} has no MTA-STS: mail to it may be sent without encryption if somebody interferes. Put a policy ` +
      `file at mta-sts.${domain} in mode testing, then publish this record.`,
    rule: "RFC 8461 section 3.1",
    publish: { name: `_mta-sts.${domain}`, type: "TXT", value: "v=STSv1; id=1;" },
  };
}

function withoutMx(domain: string): Finding {
  const sentence = `${domain} sends no mail and has no MX record, so mail to it goes to the address of its website. If it takes none, say so: publish the MX record "0 ." (a null MX).`;
  return { code: "no_null_mx", state: "attention", sentence, rule: "RFC 7505 section 3" };
}

function mistakenRecord(name: string, text: string): Finding {
  const sentence = `The TXT record "${text.slice(0, 100)}" at ${name} is not an MTA-STS record for senders: it has to begin with v=STSv1; in this spelling.`;
  const value = respelled(text, "v=STSv1");
  const publish: RecordToPublish | undefined = idOf(value) === undefined ? undefined : { name, type: "TXT", value };
  const remedy = publish === undefined ? "" : " Publish it like this.";
  return {
    code: "mistaken_record",
    state: "broken",
    sentence: `${sentence}${remedy}`,
    rule: "RFC 8461 section 3.1",
    publish,
  };
}

function severalRecords(name: string): Finding {
  const sentence = `${name} has several records, so senders use none. Keep one.`;
  return { code: "several_records", state: "broken", sentence, rule: "RFC 8461 section 3.1" };
}

function badId(name: string, text: string): Finding {
  const sentence = `The record at ${name} has no id of 1 to 32 letters and digits (written id=… without spaces), so senders ignore it.`;
  const typed = /;[ \t]*id[ \t]*=([^;]*)/i.exec(text)?.[1] ?? "";
  const value = `v=STSv1; id=${typed.replaceAll(/[^a-z0-9]/gi, "")};`;
  const publish: RecordToPublish | undefined = idOf(value) === undefined ? undefined : { name, type: "TXT", value };
  const remedy = publish === undefined ? "" : " Publish it like this.";
  return { code: "bad_id", state: "broken", sentence: `${sentence}${remedy}`, rule: "RFC 8461 section 3.1", publish };
}

function fileFinding(file: { problem: string; isUnanswered: boolean }, domain: string): Finding {
  const state: CheckState = file.isUnanswered ? "unknown" : "broken";
  const sentence = `The policy file https://mta-sts.${domain}/.well-known/mta-sts.txt can't be used: ${file.problem}.`;
  return { code: "no_policy_file", state, sentence, rule: "RFC 8461 section 3.3" };
}

function invalidPolicy(problem: string): Finding {
  const sentence = `The policy file is invalid: ${problem}. Senders ignore it.`;
  return { code: "invalid_policy", state: "broken", sentence, rule: "RFC 8461 section 3.2" };
}

/** The day that an id begins with, as most do; undefined for others. */
function dayOf(id: string): string | undefined {
  const [, year, month, day] = /^(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])/.exec(id) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

function modeFinding({ mode }: MtaStsPolicy, id: string): Finding {
  const rule = "RFC 8461 section 5";
  if (mode === "enforce") {
    return { code: "mode_enforce", state: "good", sentence: "Senders must use a verified encrypted connection.", rule };
  }
  const day = dayOf(id);
  const sentence =
    mode === "testing"
      ? "Mode testing protects nothing yet; failures are only reported. Change to enforce once the TLS reports show none." +
        (day === undefined ? "" : ` By its id, the policy has been so since ${day}.`)
      : "Mode none switches MTA-STS off. Keep the record and the file until the max_age of the earlier policy has passed; then remove both.";
  return { code: `mode_${mode}`, state: "attention", sentence, rule };
}

function ageFindings({ maxAgeSeconds, mode }: MtaStsPolicy): Finding[] {
  if (mode === "none" || maxAgeSeconds >= FEW_SECONDS) return [];
  const sentence = `Senders forget the policy after ${maxAgeSeconds} seconds. Use weeks: 1209600 or more.`;
  return [{ code: "short_max_age", state: "attention", sentence, rule: "RFC 8461 section 3.2" }];
}

function uncoveredHosts({ mx, mode }: MtaStsPolicy, hosts: string[]): Finding[] {
  if (mode === "none") return [];
  const open = hosts.filter((host) => !mx.some((pattern) => coversHost(pattern, host)));
  if (open.length === 0) return [];
  const isDeeper = open.some((host) =>
    mx.some((pattern) => pattern.startsWith("*.") && host.endsWith(pattern.slice(1))),
  );
  const them = open.length === 1 ? "it" : "them";
  const consequence = mode === "enforce" ? "is refused" : "would be refused in mode enforce";
  const sentence = `The policy does not name ${open.slice(0, 10).join(", ")}: mail to ${them} ${consequence}. Add ${them} as mx.${isDeeper ? " *. before a name stands for one label alone." : ""}`;
  const state: CheckState = mode === "enforce" ? "broken" : "attention";
  return [{ code: "uncovered_host", state, sentence, rule: "RFC 8461 section 4.1" }];
}

/** Patterns that no host of the MX records has: who left a service may leave its hosts there. */
function unusedPatterns({ mx, mode }: MtaStsPolicy, hosts: string[]): Finding[] {
  const unused = mx.filter((pattern) => !hosts.some((host) => coversHost(pattern, host)));
  if (mode === "none" || unused.length === 0) return [];
  const sentence = `The policy names ${unused.slice(0, 10).join(", ")}, where no MX record leads. That does no harm; remove what belongs to a service that you have left.`;
  return [{ code: "unused_pattern", state: "good", sentence, rule: "RFC 8461 section 4.1" }];
}
