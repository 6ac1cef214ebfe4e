/**
 * Profiles: deployments by name, with their tokens, in a file of the user's configuration folder that only they can read.
 * It prints nothing.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { CommandError } from "./command-error.ts";

const profile = v.object({
  /** Origin of the dashboard. */
  url: v.string(),
  token: v.string(),
  /** A service token of Cloudflare Access, sent beside the token. */
  access: v.optional(v.object({ clientId: v.string(), clientSecret: v.string() })),
});

export type Profile = v.InferOutput<typeof profile>;

const profiles = v.object({ default: v.optional(v.string()), profiles: v.record(v.string(), profile) });

export type Profiles = v.InferOutput<typeof profiles>;

/** The profile that is never in the file: the stack of this machine. */
export const LOCAL_PROFILE = "local";

/** Only the user may read or write it. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OF_OTHERS = 0o077;

/** Where the file is: the XDG base directory specification, or what Windows has in its place. */
export function profilesPath(): string {
  const { XDG_CONFIG_HOME, APPDATA, HOME } = process.env;
  const folder = XDG_CONFIG_HOME || APPDATA || join(HOME || homedir(), ".config");
  return join(folder, "dmarc", "profiles.json");
}

/** What the file holds; nothing if there is none. @throws CommandError if others can read it, or it is invalid */
export function readProfiles(path: string): Profiles {
  const text = readOwnFile(path);
  if (text === undefined) return { profiles: {} };
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), profiles), text);
  if (read.success) return read.output;
  throw new CommandError(`${path} is not a file of profiles: ${read.issues[0].message}.`);
}

/** Rewrites the file atomically: a concurrent reader sees the old one. */
export function writeProfiles(path: string, content: Profiles): void {
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const written = `${path}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify(content, null, 2)}\n`, { mode: FILE_MODE });
  chmodSync(written, FILE_MODE);
  renameSync(written, path);
}

/** A profile by name. @throws CommandError when there is none */
export function findProfile(path: string, name: string): Profile {
  const { profiles: known } = readProfiles(path);
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(known);
  const others = names.length === 0 ? "There are none yet" : `There are ${names.join(", ")}`;
  throw new CommandError(`There is no profile '${name}'. ${others}; add one with \`dmarc profile add\`.`);
}

function readOwnFile(path: string): string | undefined {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return undefined;
  if (process.platform !== "win32" && (mode & OF_OTHERS) !== 0) {
    throw new CommandError(`${path} holds tokens and can be read by others: chmod 600 ${path}`);
  }
  return readFileSync(path, "utf8");
}
