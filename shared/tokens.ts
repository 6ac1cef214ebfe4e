/** Tokens of programs: their form, their scopes, and how a secret is kept. Pure. */
import * as v from "valibot";
import { sha256Text } from "./identity.ts";
import { TOKEN_LIMITS } from "./limits.ts";

/** read: asks; operate: asks and changes. */
export const TOKEN_SCOPES = ["read", "operate"] as const;

export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** active: opens; expired and revoked: no longer do. */
export const TOKEN_STATES = ["active", "expired", "revoked"] as const;

export type TokenState = (typeof TOKEN_STATES)[number];

/** A token as it is kept: everything but its secret. Times in seconds since 1970 UTC, 0 for never. */
export interface Token {
  id: string;
  /** "" = all accounts, as an operator. */
  account: string;
  /** Recorded as who did what the token was used for. */
  name: string;
  scope: TokenScope;
  createdSeconds: number;
  createdBy: string;
  expiresSeconds: number;
  revokedSeconds: number;
  /** At most an hour behind. */
  lastUsedSeconds: number;
}

/** Without "@", so that no token is taken for a person. */
export const tokenName = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(TOKEN_LIMITS.nameChars),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9 ._-]*$/,
    "letters, digits, ' ', '.', '_' or '-', and the first of them a letter or digit",
  ),
);

/** Lets a person, and programs that search for secrets, recognise one. */
const PREFIX = "dmarc_";
const SECRET = new RegExp(`^${PREFIX}[0-9A-Za-z_-]{43}$`);

/** The secret of a new token. @param random 32 random bytes */
export function tokenSecret(random: Uint8Array): string {
  if (random.length !== TOKEN_LIMITS.secretBytes) throw new Error("A token is made of 32 bytes.");
  const base64 = btoa(String.fromCharCode(...random));
  return PREFIX + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Whether a bearer has the form of such a secret. */
export function isTokenSecret(text: string): boolean {
  return SECRET.test(text);
}

/** What is kept of a secret: 64 hex digits. A secret of 256 random bits needs neither salt nor a slow hash. */
export function tokenHash(secret: string): Promise<string> {
  return sha256Text(secret);
}

/** Whether a token opens anything at a time. */
export function tokenState({ revokedSeconds, expiresSeconds }: Token, nowSeconds: number): TokenState {
  if (revokedSeconds > 0) return "revoked";
  return expiresSeconds > 0 && expiresSeconds <= nowSeconds ? "expired" : "active";
}
