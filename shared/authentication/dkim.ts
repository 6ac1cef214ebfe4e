/**
 * Verifies the DKIM signatures of a mail (RFC 6376, 8301, 8463). Keys are looked up with a resolver; nothing in a mail
 * makes it throw.
 */
import type { Resolver } from "../dns/resolver.ts";
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import { canonicalBody, canonicalField, signedFields, withoutSignature } from "./canonical.ts";
import { type DkimKey, type DkimSignature, readKey, readSignature } from "./dkim-signature.ts";
import { fieldValue, type HeaderField, readHeaderFields } from "./header-fields.ts";
import { checkSignature, sha256Base64 } from "./public-key.ts";

/**
 * pass: the domain signed the mail as received; fail: it did not, or the mail was changed; neutral: the signature or
 * its key is unusable; policy: the signature is valid but does not cover the whole mail; unknown: the key could not be
 * looked up.
 */
export interface DkimResult {
  result: "pass" | "fail" | "neutral" | "policy" | "unknown";
  /** d=; "" if missing. */
  domain: string;
  selector: string;
  /** Why it did not pass; "" for a pass. */
  reason: string;
}

/**
 * Verifies the signatures of a mail from the top, up to AUTHENTICATION_LIMITS.
 *
 * @param mail the whole mail; missing carriage returns are tolerated
 * @param nowSeconds when the mail came: a signature may expire, seconds since 1970 UTC
 */
export async function verifyDkim(
  mail: Uint8Array,
  { resolver, nowSeconds }: { resolver: Resolver; nowSeconds: number },
): Promise<DkimResult[]> {
  const { fields, bodyOffset } = readHeaderFields(mail, AUTHENTICATION_LIMITS.maxHeaderBytes);
  if (mail.byteLength > AUTHENTICATION_LIMITS.maxSignedBytes || bodyOffset === undefined) return [];
  const body = new BodyHashes(mail.subarray(bodyOffset));
  const found = fields.filter(({ name }) => name === "dkim-signature");
  const results: DkimResult[] = [];
  for (const field of found.slice(0, AUTHENTICATION_LIMITS.maxSignatures)) {
    const signature = readSignature(fieldValue(field));
    if (!signature.ok) results.push({ result: "neutral", domain: "", selector: "", reason: signature.error });
    else results.push(await verifyOne({ field, signature: signature.value, fields, body }, { resolver, nowSeconds }));
  }
  return results;
}

interface Signed {
  field: HeaderField;
  signature: DkimSignature;
  /** Of the mail. */
  fields: readonly HeaderField[];
  body: BodyHashes;
}

async function verifyOne(
  { field, signature, fields, body }: Signed,
  { resolver, nowSeconds }: { resolver: Resolver; nowSeconds: number },
): Promise<DkimResult> {
  const { domain, selector, expiresSeconds, signedSeconds, bodyLength } = signature;
  const end = (result: DkimResult["result"], reason: string): DkimResult => ({ result, domain, selector, reason });
  if (expiresSeconds !== undefined && expiresSeconds < nowSeconds) return end("fail", "expired");
  if (expiresSeconds !== undefined && signedSeconds !== undefined && expiresSeconds < signedSeconds) {
    return end("neutral", "expired before it was made");
  }
  const content = body.canonical(signature.body);
  if (bodyLength !== undefined && bodyLength > content.byteLength) return end("neutral", "l= is beyond the body");
  if ((await body.hash(signature.body, bodyLength)) !== signature.bodyHash) return end("fail", "the body was changed");
  const key = await findKey(signature, resolver);
  if ("result" in key) return end(key.result, key.reason);
  if (key.publicKey === "") return end("fail", "the key was revoked");
  if (key.isStrict && signature.identityDomain !== domain) return end("neutral", "i= is below d=");
  const lines = [...signedFields(fields, signature.fields), withoutSignature(field)];
  const text = lines.map((line) => canonicalField(line, signature.header)).join("\r\n");
  const check = await checkSignature(key, signature.signature, latin1Bytes(text));
  if (check === "broken") return end("neutral", "the key cannot be used");
  if (check === "bad") return end("fail", "the signature is not of this key and header");
  if (key.isTesting) return end("policy", "the domain only tests DKIM");
  // Anybody could have added what follows, and a report is at the end of its mail.
  if (bodyLength !== undefined && bodyLength < content.byteLength)
    return end("policy", "part of the body is not signed");
  return end("pass", "");
}

type NoKey = Pick<DkimResult, "result" | "reason">;

/** The key that a signature names; if there are several records, the first usable one (RFC 6376 section 3.6.2.2). */
async function findKey({ domain, selector, algorithm }: DkimSignature, resolver: Resolver): Promise<DkimKey | NoKey> {
  const name = `${selector}._domainkey.${domain}`;
  if (!isName(name)) return { result: "neutral", reason: "no name of a key" };
  const answer = await resolver.lookup(name, "TXT");
  switch (answer.status) {
    case "answers": {
      const keys = answer.records.map((record) => readKey(record, algorithm));
      const usable = keys.find((key) => key.ok);
      const [first] = keys;
      if (usable !== undefined) return usable.value;
      return { result: "neutral", reason: first === undefined || first.ok ? "no key" : first.error };
    }
    case "nxdomain":
    case "nodata":
      // It may have existed when the mail was sent: old keys are removed.
      return { result: "neutral", reason: "there is no such key" };
    default:
      return { result: "unknown", reason: `the key was asked for: ${answer.status}` };
  }
}

function isName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label));
}

function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The body in its canonical forms, each computed once, and their hashes. */
class BodyHashes {
  readonly #body: Uint8Array;
  readonly #forms = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  canonical(how: DkimSignature["body"]): Uint8Array<ArrayBuffer> {
    const known = this.#forms.get(how) ?? canonicalBody(this.#body, how);
    this.#forms.set(how, known);
    return known;
  }

  hash(how: DkimSignature["body"], length: number | undefined): Promise<string> {
    const key = `${how} ${length ?? ""}`;
    const known = this.#hashes.get(key) ?? sha256Base64(this.canonical(how).subarray(0, length));
    this.#hashes.set(key, known);
    return known;
  }
}
