/** Verifies signatures against the key of a DKIM record by WebCrypto: RSA (RFC 8301) and Ed25519 (RFC 8463). */
import { decodeBase64 } from "../base64.ts";
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import type { DkimKey } from "./dkim-signature.ts";

/** The result of a verification; broken = the key or the signature is malformed. */
export type SignatureCheck = "good" | "bad" | "broken";

/** SHA-256 of bytes, in base64. */
export async function sha256Base64(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))));
}

/**
 * Verifies a signature.
 *
 * @param signature base64, white space allowed
 */
export async function checkSignature(
  { keyType, publicKey }: DkimKey,
  signature: string,
  signed: Uint8Array<ArrayBuffer>,
): Promise<SignatureCheck> {
  const key = fromBase64(publicKey);
  const made = fromBase64(signature.replaceAll(/\s/g, ""));
  if (key === undefined || made === undefined) return "broken";
  return keyType === "rsa" ? checkRsa(key, made, signed) : checkEd25519(key, made, signed);
}

type Bytes = Uint8Array<ArrayBuffer>;

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

async function checkRsa(key: Bytes, signature: Bytes, signed: Bytes): Promise<SignatureCheck> {
  const imported = (await importKey("spki", key, RSA)) ?? (await importKey("spki", asKeyInfo(key), RSA));
  if (imported === undefined) return "broken";
  const { algorithm } = imported;
  const bits = "modulusLength" in algorithm ? Number(algorithm.modulusLength) : 0;
  if (bits < AUTHENTICATION_LIMITS.minRsaBits) return "broken";
  return (await crypto.subtle.verify(RSA, imported, signature, signed)) ? "good" : "bad";
}

/** RFC 8463 section 3: Ed25519 signs the hash of what RSA would sign. */
async function checkEd25519(key: Bytes, signature: Bytes, signed: Bytes): Promise<SignatureCheck> {
  const imported = await importKey("raw", key, { name: "Ed25519" });
  if (imported === undefined) return "broken";
  const hash = await crypto.subtle.digest("SHA-256", signed);
  return (await crypto.subtle.verify("Ed25519", imported, signature, hash)) ? "good" : "bad";
}

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

async function importKey(
  format: "spki" | "raw",
  key: Bytes,
  algorithm: { name: string; hash?: string },
): Promise<Key | undefined> {
  try {
    return await crypto.subtle.importKey(format, key, algorithm, false, ["verify"]);
  } catch {
    // Bad data in a stranger's record is not a fault.
    return undefined;
  }
}

/** AlgorithmIdentifier rsaEncryption with NULL parameters (RFC 3279 section 2.3.1). */
const RSA_ENCRYPTION = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/**
 * RFC 6376 section 3.6.1 specifies RSAPublicKey, but most records have a SubjectPublicKeyInfo: this wraps the former
 * into the latter.
 */
function asKeyInfo(key: Bytes): Bytes {
  const bits = der(0x03, [0, ...key]);
  return new Uint8Array(der(0x30, [...RSA_ENCRYPTION, ...bits]));
}

function der(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...content];
}

/** The most characters of a key or signature: RSA of 16,384 bits has 2,900. */
const MAX_BASE64_CHARS = 4096;

function fromBase64(text: string): Bytes | undefined {
  return text.length > MAX_BASE64_CHARS ? undefined : decodeBase64(text);
}
