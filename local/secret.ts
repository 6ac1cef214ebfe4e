/**
 * The secret of one local stack, kept in its state folder: the bearer token of the dashboard's API and of the local SQL
 * API. It never leaves the machine and is never printed or put on a command line.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

const FILE_NAME = "local-secret.json";
const secret = v.object({ apiToken: v.pipe(v.string(), v.minLength(16)) });

export type LocalSecret = v.InferOutput<typeof secret>;

/** Path of the secret of a state folder. */
export function secretPath(stateDir: string): string {
  return join(stateDir, FILE_NAME);
}

/**
 * Reads the secret of a state folder.
 *
 * @returns undefined when there is none: nothing was started with this folder yet
 * @throws Error when the file cannot be read or is not a secret
 */
export function readLocalSecret(stateDir: string): LocalSecret | undefined {
  let text: string;
  try {
    text = readFileSync(secretPath(stateDir), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), secret), text);
  if (parsed.success) return parsed.output;
  throw new Error(`${secretPath(stateDir)} is not a local secret; delete it and start again.`);
}

/** Reads the secret, made now if there is none; readable by its owner only. */
export function ensureLocalSecret(stateDir: string): LocalSecret {
  const known = readLocalSecret(stateDir);
  if (known !== undefined) return known;
  const made = { apiToken: randomBytes(24).toString("base64url") };
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(secretPath(stateDir), `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}
