/**
 * Support: public keys as DKIM records have them, the same in each run. They are numbers of the right size and no more: nobody
 * has a private key to them, and to find primes for dozens of them took seconds.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";

let made = 0;

/** Another key of RSA each time. @param format of its bytes: as DKIM wants them, or the key alone */
export function rsaKey(bits = 2048, format: "spki" | "pkcs1" = "spki"): string {
  const modulus = numberOf(bits);
  const key = publicKey({ kty: "RSA", n: modulus.toString("base64url"), e: "AQAB" });
  return key.export({ type: format, format: "der" }).toString("base64");
}

/** Another key of Ed25519 each time. @param isWhole with the name of its algorithm, as it should not be published */
export function ed25519Key(isWhole = false): string {
  const key = publicKey({ kty: "OKP", crv: "Ed25519", x: bytes(32).toString("base64url") });
  return key
    .export({ type: "spki", format: "der" })
    .subarray(isWhole ? 0 : -32)
    .toString("base64");
}

function publicKey(key: Record<string, string>): KeyObject {
  return createPublicKey({ key, format: "jwk" });
}

/** An odd number of so many bits. */
function numberOf(bits: number): Buffer {
  const number = bytes(Math.ceil(bits / 8));
  const first = (bits - 1) % 8;
  number[0] = ((number[0] ?? 0) & ((1 << first) - 1)) | (1 << first);
  const last = number.length - 1;
  number[last] = (number[last] ?? 0) | 1;
  return number;
}

function bytes(count: number): Buffer {
  made += 1;
  const blocks = Array.from({ length: Math.ceil(count / 32) }, (_, i) =>
    createHash("sha256").update(`${made} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, count);
}
