/**
 * Checks the DKIM keys of a domain for the selectors known from its reports (RFC 6376 section 3.6, RFC 8301, RFC 8463).
 * Pure.
 */
import { decodeBase64 } from "../base64.ts";
import { type Answer, isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { type Check, type Finding, worstState } from "./check.ts";
import { repairedDkim } from "./dkim-repair.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { whySendsNothing } from "./mail-hosts.ts";
import { firstValue, readTagList, repeatedNames, type TagList } from "./tag-list.ts";
import { aliasOf, findLostRecord } from "./wrong-name.ts";

/** A selector that reports name. */
export interface SeenSelector {
  selector: string;
  /** The domain that signs (d=): the one checked, or below it. */
  domain: string;
  /** Day of the last report that names it, days since 1970-01-01 UTC. */
  lastSeenDay?: number;
}

/** A selector's key. */
export interface DkimKey extends SeenSelector {
  /** "missing": there is no record. */
  keyType: "rsa" | "ed25519" | "other" | "revoked" | "missing" | "unknown";
  /** Length of an RSA key's modulus. */
  bits?: number;
  isTesting: boolean;
}

/** A DKIM check with the keys behind it. */
export interface DkimCheck extends Check {
  kind: "dkim";
  keys: DkimKey[];
}

const ED25519_BYTES = 32;
/** A record that begins as a key's does, and one that is a bare key, without its tag. */
const MEANT_AS_KEY = /^\W*v\s*=\s*DKIM|^[a-z0-9+/=\s"]{100,}$/i;
/** Fewest bits that a receiver accepts, and that a signer should use (RFC 8301 section 3.2). */
const LEAST_BITS = 1024;
const RECOMMENDED_BITS = 2048;
/** Most that every receiver has to be able to verify (RFC 8301 section 3.2). */
const MOST_SURE_BITS = 4096;

/** Checks a domain's keys. @param selectors most recently seen first, each with its signing domain */
export async function checkDkim(domain: string, selectors: SeenSelector[], resolver: Resolver): Promise<DkimCheck> {
  const { ask, asked, explained } = startAsking(resolver);
  const looked = selectors.slice(0, GUIDANCE_LIMITS.maxSelectors);
  const answers = await Promise.all(looked.map((seen) => ask(`${seen.selector}._domainkey.${seen.domain}`, "TXT")));
  const judged: JudgedKey[] = [];
  for (const [index, seen] of looked.entries()) judged.push(await judge(seen, answers[index] ?? NO_ANSWER, ask));
  const keys = judged.map(({ key }) => key);
  const isIdle = !hasKey({ keys }) && (await whySendsNothing(domain, ask)) !== undefined;
  // An empty key for every selector is how a domain says that none of its own signs.
  const found = judged.flatMap((one) =>
    isIdle && one.key.keyType === "revoked" ? [] : findingsUnlessRetired(one, judged),
  );
  if (looked.length === 0 && !isIdle) found.push(noSelector(domain));
  const findings = await explained(found);
  const state = worstState(findings.map((finding) => finding.state));
  return {
    kind: "dkim",
    state,
    summary: isIdle ? "The domain sends no mail" : summaryOf(keys),
    findings,
    asked: asked(),
    keys,
  };
}

/** Whether any of the keys may verify what the domain signs. */
export function hasKey({ keys }: Pick<DkimCheck, "keys">): boolean {
  return keys.some(({ keyType }) => keyType !== "revoked" && keyType !== "missing");
}

const NO_ANSWER: Answer = { status: "unknown" };

async function judge(seen: SeenSelector, answer: Answer, ask: Ask): Promise<JudgedKey> {
  if (isUnanswered(answer)) return unanswered(seen);
  const records = recordsOf(answer);
  const texts = records.filter((text) => /(^|;)[ \t\r\n]*p[ \t\r\n]*=/i.test(text));
  const others = texts.length === 0 ? records.filter((text) => MEANT_AS_KEY.test(text)) : [];
  if (others.length > 0 || texts.some(hasUpperKeyTag)) {
    return await withRepair(withoutKey(seen, texts.length > 0), others.length > 0 ? records : texts);
  }
  if (texts.length > 1) return severalKeys(seen);
  if (texts[0] === undefined) return (await nameAsText(seen, records, ask)) ?? (await missingKey(seen, ask));
  return await withRepair(await judgeKey(seen, texts[0]), records);
}

function summaryOf(keys: DkimKey[]): string {
  if (keys.length === 0) return "No selector known";
  const usable = keys.filter(({ keyType }) => keyType === "rsa" || keyType === "ed25519").length;
  return `${usable} of ${keys.length} ${keys.length === 1 ? "selector has" : "selectors have"} a key`;
}

interface JudgedKey {
  key: DkimKey;
  findings: Finding[];
}

function noSelector(domain: string): Finding {
  const sentence = `No DKIM selector of ${domain} is known. Reports name those that sign its mail.`;
  return { code: "no_selector", state: "attention", sentence, rule: "RFC 6376 section 3.1" };
}

function unanswered(seen: SeenSelector): JudgedKey {
  const sentence = `DNS gave no answer for the key of selector ${seen.selector}. Check again later.`;
  const finding: Finding = { code: "no_answer", state: "unknown", sentence, rule: "RFC 6376 section 6.1.2" };
  return { key: { ...seen, keyType: "unknown", isTesting: false }, findings: [finding] };
}

function severalKeys(seen: SeenSelector): JudgedKey {
  const sentence = `Selector ${seen.selector} has several keys, so receivers may use either. Keep one record.`;
  const finding: Finding = { code: "several_keys", state: "broken", sentence, rule: "RFC 6376 section 3.6.2.2" };
  return { key: { ...seen, keyType: "other", isTesting: false }, findings: [finding] };
}

/** Whether the key comes after `P`: names of tags are read as they are written (RFC 6376 section 3.2). */
function hasUpperKeyTag(text: string): boolean {
  const tags = readTagList(text, true);
  return firstValue(tags, "p") === undefined && firstValue(tags, "P") !== undefined;
}

function withoutKey(seen: SeenSelector, isUpper: boolean): JudgedKey {
  const what = isUpper ? "P, and receivers look for p, the key itself" : "no p, the key itself";
  const sentence = `The record of selector ${seen.selector} has ${what}: its signatures fail. Publish it again as your mail service gives it.`;
  const finding: Finding = { code: "unusable_key", state: "broken", sentence, rule: "RFC 6376 section 3.6.1" };
  return { key: { ...seen, keyType: "other", isTesting: false }, findings: [finding] };
}

// Escapes of a zone file, typed into a form that takes every character literally.
function escapedKey(seen: SeenSelector): JudgedKey {
  const sentence = `The record of selector ${seen.selector} has \\; instead of ;, so its signatures fail. Publish it again as your mail service gives it.`;
  const finding: Finding = { code: "escaped_record", state: "broken", sentence, rule: "RFC 6376 section 3.2" };
  return { key: { ...seen, keyType: "other", isTesting: false }, findings: [finding] };
}

/** What can be repaired where no key can be read. */
const REPAIRABLE: ReadonlySet<string> = new Set(["escaped_record", "unusable_key"]);

/** With the record that was meant, where a key is in what is there. @param texts of all records of the selector */
async function withRepair(judged: JudgedKey, texts: readonly string[]): Promise<JudgedKey> {
  const found = judged.findings.find(({ code }) => REPAIRABLE.has(code));
  if (found === undefined) return judged;
  const { selector, domain } = judged.key;
  const value = await repairedDkim(texts, async (tags) => (await readKey(tags)).keyType);
  if (value === undefined) return judged;
  const remedy = texts.length > 1 ? "Put its parts into one record" : "Publish it";
  found.sentence = `${found.sentence.replace(/ Publish it again.*$/, "")} ${remedy}, like this.`;
  found.publish = { name: `${selector}._domainkey.${domain}`, type: "TXT", value };
  return judged;
}

/** Days without it in reports, while another selector signs, after which a selector without a key is one that was given up. */
const RETIRED_DAYS = 3;

/** A key that is gone is most likely no fault where another selector of the same domain signs by now: keys are changed like that. */
function findingsUnlessRetired({ key, findings }: JudgedKey, all: readonly JudgedKey[]): Finding[] {
  const { selector, domain, lastSeenDay, keyType } = key;
  if (lastSeenDay === undefined || (keyType !== "missing" && keyType !== "revoked")) return findings;
  const successor = all.find(
    ({ key: other }) =>
      other.domain === domain &&
      (other.keyType === "rsa" || other.keyType === "ed25519") &&
      (other.lastSeenDay ?? 0) >= lastSeenDay + RETIRED_DAYS,
  );
  if (successor === undefined) return findings;
  const gone = keyType === "missing" ? "has no key any more" : "is revoked";
  const sentence = `Selector ${selector} ${gone}, and reports have not named it lately: ${successor.key.selector} signs now. Unless a service that still sends for you uses the old one, there is nothing to do.`;
  return [{ code: "retired_key", state: "good", sentence, rule: "RFC 6376 section 3.1" }];
}

/** The name of a service's key, published as a text where an alias belongs. */
async function nameAsText(seen: SeenSelector, records: readonly string[], ask: Ask): Promise<JudgedKey | undefined> {
  const [target = ""] = records.flatMap(
    (text) => /^["\s]*((?:[a-z0-9_-]+\.)+[a-z]{2,})\.?["\s]*$/i.exec(text)?.[1] ?? [],
  );
  if (target === "" || !recordsOf(await ask(target, "TXT")).some((text) => /(^|;)\s*p\s*=/i.test(text)))
    return undefined;
  const name = `${seen.selector}._domainkey.${seen.domain}`;
  const sentence = `Selector ${seen.selector} has the name ${target.slice(0, 200)} as a text (TXT), where its service wants an alias: its signatures fail. Publish a CNAME in place of it.`;
  const publish = { name, type: "CNAME" as const, value: target };
  const finding: Finding = { code: "unusable_key", state: "broken", sentence, rule: "RFC 6376 section 3.6.1", publish };
  return { key: { ...seen, keyType: "other", isTesting: false }, findings: [finding] };
}

async function missingKey(seen: SeenSelector, ask: Ask): Promise<JudgedKey> {
  const { selector, domain } = seen;
  const key: DkimKey = { ...seen, keyType: "missing", isTesting: false };
  const rule = "RFC 6376 section 6.1.2";
  const isMeant = (text: string): boolean => /(^|;)[ \t\r\n]*p[ \t\r\n]*=/i.test(text);
  const lost = await findLostRecord({ prefix: `${selector}._domainkey`, domain, isMeant, rule }, ask);
  if (lost !== undefined) return { key, findings: [lost] };
  const alias = await aliasOf(`${selector}._domainkey.${domain}`, ask);
  const sentence =
    alias === undefined
      ? `Selector ${selector} has no key in DNS: signatures that name it fail. Publish the key, or sign with another selector.`
      : `Selector ${selector} is an alias (CNAME) of ${alias.slice(0, 200)}, which has no key: signatures that name it fail. If the service that it belongs to still sends for you, turn DKIM on there again; else remove the alias.`;
  return { key, findings: [{ code: "missing_key", state: "attention", sentence, rule }] };
}

async function judgeKey(seen: SeenSelector, text: string): Promise<JudgedKey> {
  if (text.includes("\\;")) return escapedKey(seen);
  const tags = readTagList(text, true);
  const isTesting = (firstValue(tags, "t") ?? "").split(":").some((flag) => flag.trim().toLowerCase() === "y");
  const { keyType, bits } = await readKey(tags);
  const key: DkimKey = { ...seen, keyType, isTesting };
  if (bits !== undefined) key.bits = bits;
  return { key, findings: [...findingsOfKey(key, whyUnreadable(text, tags)), ...findingsOfTags(tags, key)] };
}

/** Why a key can't be read, where that is easy to say; "" elsewhere. */
function whyUnreadable(text: string, tags: TagList): string {
  const key = firstValue(tags, "p") ?? "";
  if (/["\u2018-\u201f]/.test(text)) return "quotation marks are part of the record";
  if (/-----(BEGIN|END)/.test(key)) return "the lines BEGIN and END of its file are in it";
  if (/[-_]/.test(key)) return "it has - and _ in place of + and /";
  if (/[^\x20-\x7e\t]/.test(key)) return "it has a line break or an invisible character in it";
  const encoded = key.replace(/[ \t\r\n]+/g, "");
  // Four characters are three bytes: what is left at the end of a cut key is no base64.
  const bytes = decodeBase64(encoded.slice(0, encoded.length - (encoded.length % 4)));
  if (bytes === undefined) return "";
  const isEd25519 = (firstValue(tags, "k") ?? "").toLowerCase() === "ed25519";
  if (isEd25519) return `an Ed25519 key has ${ED25519_BYTES} bytes, and this one has ${bytes.length}`;
  if (bytes.length === ED25519_BYTES) return "it is an Ed25519 key, and k=ed25519 is missing";
  const claimed = claimedBytes(bytes);
  return claimed > bytes.length ? `it is cut: ${bytes.length} of ${claimed} bytes are there` : "";
}

/** The length that DER begins with, its own octets included; 0 where there is none. */
function claimedBytes(der: Uint8Array): number {
  if (der[0] !== 0x30 || der[1] !== 0x82) return 0;
  return 4 + (der[2] ?? 0) * 256 + (der[3] ?? 0);
}

async function readKey(tags: TagList): Promise<Pick<DkimKey, "keyType" | "bits">> {
  const encoded = (firstValue(tags, "p") ?? "").replace(/[ \t\r\n]+/g, "");
  if (encoded === "") return { keyType: "revoked" };
  const bytes = decodeBase64(encoded);
  const type = (firstValue(tags, "k") ?? "rsa").toLowerCase();
  if (bytes === undefined) return { keyType: "other" };
  if (type === "ed25519") return { keyType: bytes.length === ED25519_BYTES ? "ed25519" : "other" };
  if (type !== "rsa") return { keyType: "other" };
  const bits = rsaBits(bytes);
  return bits === undefined ? { keyType: "other" } : { keyType: "rsa", bits };
}

/**
 * The length of an RSA key's modulus. The key is DER, as SubjectPublicKeyInfo or, as some publish it, RSAPublicKey alone:
 * in both the modulus is the first integer.
 */
function rsaBits(der: Uint8Array): number | undefined {
  const readHeader = (at: number): { tag: number; start: number; length: number } | undefined => {
    const tag = der[at];
    const first = der[at + 1];
    if (tag === undefined || first === undefined) return undefined;
    if (first < 0x80) return { tag, start: at + 2, length: first };
    const count = first & 0x7f;
    if (count === 0 || count > 3 || at + 2 + count > der.length) return undefined;
    const length = der.subarray(at + 2, at + 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
    return { tag, start: at + 2 + count, length };
  };
  let at = 0;
  // Into the outer sequence, over the algorithm, into the bit string (one byte of unused bits), into the key's sequence.
  for (let step = 0; step < 6; step++) {
    const header = readHeader(at);
    if (header === undefined || header.start + header.length > der.length) return undefined;
    if (header.tag === 0x02) return bitsOf(der.subarray(header.start, header.start + header.length));
    if (header.tag === 0x30) {
      const inner = readHeader(header.start);
      // The algorithm's own sequence begins with an object identifier and is skipped.
      at = inner?.tag === 0x06 ? header.start + header.length : header.start;
    } else if (header.tag === 0x03) at = header.start + 1;
    else return undefined;
  }
  return undefined;
}

function bitsOf(integer: Uint8Array): number {
  const first = integer.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (integer.length - first - 1) * 8 + (32 - Math.clz32(integer[first] ?? 0));
}

function findingsOfKey({ selector, keyType, bits }: DkimKey, why: string): Finding[] {
  switch (keyType) {
    case "revoked":
      return [
        {
          code: "revoked_key",
          state: "attention",
          sentence: `The key of selector ${selector} is revoked (p is empty): mail signed with it fails.`,
          rule: "RFC 6376 section 3.6.1",
        },
      ];
    case "other":
      return [
        {
          code: "unusable_key",
          state: "broken",
          sentence: `The key of selector ${selector} can't be read${why === "" ? "" : ` (${why})`}: its signatures fail. Publish it again as your mail service gives it.`,
          rule: "RFC 6376 section 3.6.1",
        },
      ];
    case "ed25519":
      return [{ code: "key", state: "good", sentence: `Selector ${selector}: Ed25519.`, rule: "RFC 8463 section 4" }];
    case "rsa":
      return [findingOfBits(selector, bits ?? 0)];
    default:
      return [];
  }
}

function findingOfBits(selector: string, bits: number): Finding {
  const rule = "RFC 8301 section 3.2";
  if (bits < LEAST_BITS) {
    const sentence =
      `The key of selector ${selector} has ${bits} bits; receivers refuse fewer than ${LEAST_BITS}. Use ` +
      `${RECOMMENDED_BITS}.`;
    return { code: "short_key", state: "broken", sentence, rule };
  }
  if (bits < RECOMMENDED_BITS) {
    const sentence = `The key of selector ${selector} has ${bits} bits; ${RECOMMENDED_BITS} are recommended.`;
    return { code: "weak_key", state: "attention", sentence, rule };
  }
  if (bits > MOST_SURE_BITS) {
    const sentence = `The key of selector ${selector} has ${bits} bits; receivers need not verify more than ${MOST_SURE_BITS}. Use ${RECOMMENDED_BITS}.`;
    return { code: "long_key", state: "attention", sentence, rule };
  }
  return { code: "key", state: "good", sentence: `Selector ${selector}: RSA with ${bits} bits.`, rule };
}

function findingsOfTags(tags: TagList, { selector, isTesting }: DkimKey): Finding[] {
  const findings: Finding[] = [];
  const rule = "RFC 6376 section 3.6.1";
  if (isTesting) {
    const sentence = `Selector ${selector} is marked as a test (t=y), and receivers may ignore its failures. Remove the flag.`;
    findings.push({ code: "testing_key", state: "attention", sentence, rule });
  }
  const version = firstValue(tags, "v");
  if (version !== undefined && version !== "DKIM1") {
    const sentence = `The record of selector ${selector} has v=${version.slice(0, 40)}; receivers ignore it. It must be v=DKIM1.`;
    findings.push({ code: "wrong_version", state: "broken", sentence, rule });
  }
  if (version === "DKIM1" && tags.tags[0]?.name !== "v") {
    const sentence = `In the record of selector ${selector} v=DKIM1 is not the first tag, so some receivers ignore it. Put it first, or leave it out.`;
    findings.push({ code: "version_not_first", state: "attention", sentence, rule });
  }
  const [repeated] = repeatedNames(tags);
  if (repeated !== undefined) {
    const sentence = `The record of selector ${selector} has ${repeated.slice(0, 40)} more than once, so receivers may ignore it. Keep one.`;
    findings.push({ code: "repeated_tag", state: "broken", sentence, rule: "RFC 6376 section 3.2" });
  }
  const services = firstValue(tags, "s");
  if (services !== undefined && !services.split(":").some((one) => /^(\*|email)$/i.test(one.trim()))) {
    const sentence = `The key of selector ${selector} is for ${services.slice(0, 40)} only (s), not for mail: its signatures fail.`;
    findings.push({ code: "not_for_mail", state: "broken", sentence, rule });
  }
  const hashes = firstValue(tags, "h");
  if (hashes !== undefined && !hashes.split(":").some((hash) => hash.trim().toLowerCase() === "sha256")) {
    const allowed = hashes === "" ? "no hash (h is empty)" : `only ${hashes.slice(0, 40)}`;
    const sentence = `The key of selector ${selector} allows ${allowed}; receivers need sha256.`;
    findings.push({ code: "no_sha256", state: "broken", sentence, rule: "RFC 8301 section 3.1" });
  }
  return findings;
}
