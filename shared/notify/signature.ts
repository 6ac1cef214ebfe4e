/** Signatures with a channel's secret: of webhooks' bodies, and of links that confirm a mail address (HMAC-SHA256, hex). */
import { fromHex, toHex } from "../identity.ts";
import { DELIVERY_HEADER, SIGNATURE_HEADER, signedText } from "./webhook.ts";

/** The headers of a request that its receiver can check: which delivery it is, and that it comes from here, now. */
export async function signedHeaders(
  secret: string,
  { id, body, nowSeconds }: { id: string; body: string; nowSeconds: number },
): Promise<Record<string, string>> {
  const signature = await sign(secret, signedText(nowSeconds, body));
  return { [DELIVERY_HEADER]: id, [SIGNATURE_HEADER]: `t=${nowSeconds},v1=${signature}` };
}

/** The signature of a text. */
export async function sign(secret: string, text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(secret, "sign"), bytes(text))));
}

/** Whether a text was signed with the secret, in a time that does not depend on where a wrong signature differs. */
export async function isSigned(secret: string, text: string, signature: string): Promise<boolean> {
  if (secret === "" || !/^[0-9a-f]{64}$/.test(signature)) return false;
  return crypto.subtle.verify("HMAC", await keyOf(secret, "verify"), fromHex(signature), bytes(text));
}

/** The text of a link that confirms an address. */
export function confirmationText({ id, target }: { id: string; target: string }, untilSeconds: number): string {
  return `confirm ${id} ${target} ${untilSeconds}`;
}

function keyOf(secret: string, use: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash: "SHA-256" }, false, [use]);
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
