/** A DKIM-Signature field and the key it names, as tag lists (RFC 6376 sections 3.2, 3.5 and 3.6.1). Pure. */
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";

export type Algorithm = "rsa-sha256" | "ed25519-sha256";
export type Canonicalization = "simple" | "relaxed";

export interface DkimSignature {
  algorithm: Algorithm;
  header: Canonicalization;
  body: Canonicalization;
  /** d=, lower case. */
  domain: string;
  selector: string;
  /** Domain of i=, lower case; that of d= if i= is missing. */
  identityDomain: string;
  /** Names of the fields it covers, lower case. */
  fields: string[];
  signature: string;
  bodyHash: string;
  /** l=: bytes of the body that it covers. */
  bodyLength: number | undefined;
  /** t= and x=, seconds since 1970 UTC. */
  signedSeconds: number | undefined;
  expiresSeconds: number | undefined;
}

/** A key as published. */
export interface DkimKey {
  keyType: "rsa" | "ed25519";
  /** p=, base64; "" = revoked. */
  publicKey: string;
  /** Flag s of t=: the domain of i= must equal d=. */
  isStrict: boolean;
  /** Flag y of t=: the domain is testing DKIM, so its mail is treated as unsigned. */
  isTesting: boolean;
}

const REQUIRED = ["v", "a", "b", "bh", "d", "h", "s"] as const;
const ALGORITHMS: readonly string[] = ["rsa-sha256", "ed25519-sha256"] satisfies Algorithm[];

/** Parses a tag list; undefined if a tag is repeated or an entry has no name. */
function readTags(text: string): Map<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const entry of text.split(";")) {
    if (entry.trim() === "") continue;
    const equals = entry.indexOf("=");
    const name = entry.slice(0, Math.max(0, equals)).trim();
    if (!/^[A-Za-z]\w*$/.test(name) || tags.has(name)) return undefined;
    tags.set(name, entry.slice(equals + 1).trim());
  }
  return tags;
}

/** Parses a signature. @param value of the field, unfolded; the error says what is wrong with it */
export function readSignature(value: string): Result<DkimSignature, string> {
  const tags = readTags(value);
  if (tags === undefined) return fail("not a tag list");
  const missing = REQUIRED.find((name) => (tags.get(name) ?? "") === "");
  if (missing !== undefined) return fail(`no ${missing}=`);
  if (tags.get("v") !== "1") return fail("another version");
  const algorithm = (tags.get("a") ?? "").toLowerCase();
  if (!isAlgorithm(algorithm)) return fail("an algorithm that proves nothing");
  const [header = "", body = "simple", ...more] = (tags.get("c") ?? "simple").toLowerCase().split("/");
  if (!isCanonicalization(header) || !isCanonicalization(body) || more.length > 0) return fail("c= is unknown");
  const domain = (tags.get("d") ?? "").toLowerCase();
  const identity = (tags.get("i") ?? `@${domain}`).toLowerCase();
  const identityDomain = identity.slice(identity.lastIndexOf("@") + 1);
  if (identityDomain !== domain && !identityDomain.endsWith(`.${domain}`)) return fail("i= is not of d=");
  const fields = (tags.get("h") ?? "").split(":").map((name) => name.trim().toLowerCase());
  if (!fields.includes("from")) return fail("From is not signed");
  if (fields.length > AUTHENTICATION_LIMITS.maxSignedFields) return fail("too many fields");
  const methods = (tags.get("q") ?? "dns/txt").split(":").map((method) => method.trim().toLowerCase());
  if (!methods.includes("dns/txt")) return fail("q= is unknown");
  const [bodyLength, signedSeconds, expiresSeconds] = ["l", "t", "x"].map((name) => readNumber(tags.get(name)));
  if ([bodyLength, signedSeconds, expiresSeconds].some(Number.isNaN)) return fail("a field that should be a number");
  return ok({
    algorithm,
    header,
    body,
    domain,
    selector: tags.get("s") ?? "",
    identityDomain,
    fields,
    signature: tags.get("b") ?? "",
    bodyHash: (tags.get("bh") ?? "").replaceAll(/\s/g, ""),
    bodyLength,
    signedSeconds,
    expiresSeconds,
  });
}

/** Parses a key record; the error says why it cannot be the signature's. */
export function readKey(text: string, algorithm: Algorithm): Result<DkimKey, string> {
  const tags = readTags(text);
  if (tags === undefined) return fail("not a tag list");
  if ((tags.get("v") ?? "DKIM1") !== "DKIM1") return fail("another version");
  const publicKey = tags.get("p");
  if (publicKey === undefined) return fail("no p=");
  const keyType = tags.get("k") ?? "rsa";
  const wanted = algorithm === "ed25519-sha256" ? "ed25519" : "rsa";
  if (keyType !== wanted) return fail("a key of another type");
  const list = (name: string): string[] | undefined =>
    tags
      .get(name)
      ?.split(":")
      .map((one) => one.trim());
  if (list("h")?.includes("sha256") === false) return fail("not for SHA-256");
  const services = list("s");
  if (services !== undefined && !services.includes("*") && !services.includes("email")) return fail("not for mail");
  const flags = list("t") ?? [];
  return ok({
    keyType: wanted,
    publicKey: publicKey.replaceAll(/\s/g, ""),
    isStrict: flags.includes("s"),
    isTesting: flags.includes("y"),
  });
}

function isAlgorithm(text: string): text is Algorithm {
  return ALGORITHMS.includes(text);
}

function isCanonicalization(text: string): text is Canonicalization {
  return text === "simple" || text === "relaxed";
}

/** @returns undefined if absent, NaN if it is not a number of at most 76 digits */
function readNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,76}$/.test(text) ? Number(text) : Number.NaN;
}
