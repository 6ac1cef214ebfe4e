/**
 * The secrets of one local stack, kept in its state folder, readable by their owner alone. The token of programs is the
 * bearer of the dashboard's API and of the local SQL API; it is never printed or put on a command line. The key of
 * browsers is the one in the link that `npm start` prints.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

const FILE_NAME = "local-secret.json";
const text = v.pipe(v.string(), v.minLength(16));
// A state folder of an earlier version has no key of browsers.
const stored = v.object({ apiToken: text, browserKey: v.optional(text) });

export interface LocalSecret {
  apiToken: string;
  browserKey: string;
}

/** Path of the secrets of a state folder. */
export function secretPath(stateDir: string): string {
  return join(stateDir, FILE_NAME);
}

/**
 * Reads the secrets of a state folder.
 *
 * @returns undefined when there are none: nothing was started with this folder yet
 * @throws Error when the file cannot be read or does not hold them; the message is for people
 */
export function readLocalSecret(stateDir: string): v.InferOutput<typeof stored> | undefined {
  const path = secretPath(stateDir);
  let json: string;
  try {
    json = readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    if (code === "EACCES") throw new Error(`${path} can only be read by the user who started the stack.`);
    throw error;
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stored), json);
  if (parsed.success) return parsed.output;
  throw new Error(`${path} does not hold the secrets of a local stack; delete it and start again.`);
}

/** Reads the secrets; those that are missing are made now. The folder exists. @throws Error as `readLocalSecret` does */
export function ensureLocalSecret(stateDir: string): LocalSecret {
  const known = readLocalSecret(stateDir);
  const apiToken = known?.apiToken ?? makeSecret();
  const browserKey = known?.browserKey ?? makeSecret();
  const secret = { apiToken, browserKey };
  if (known?.browserKey === undefined) {
    writeFileSync(secretPath(stateDir), `${JSON.stringify(secret)}\n`, { mode: 0o600 });
  }
  return secret;
}

/** A new secret, for whatever has to prove itself to another part of the stack. */
export function makeSecret(): string {
  return randomBytes(24).toString("base64url");
}
