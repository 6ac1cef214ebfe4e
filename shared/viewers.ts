/**
 * Who may look at what: KV `identity:<mail address in lower case>` → JSON `{ role, accounts }`. The only file that knows
 * the key and the value's form. A person who is not there may see nothing; a value that does not validate throws.
 */
import * as v from "valibot";
import type { RegistryStore } from "./registry.ts";

const KEY_PREFIX = "identity:";

/** The schema of a value, for whoever takes one from outside. */
export const viewerEntry = v.object({
  /** operator: everything of every account, and operations. owner: the reports of the accounts named. */
  role: v.picklist(["owner", "operator"]),
  /** Accounts an owner may see; an operator sees all, whatever is here. */
  accounts: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, '.', '_' or '-'"))),
    v.maxLength(100),
  ),
});

export type ViewerEntry = v.InferOutput<typeof viewerEntry>;

/** A person with what they may see. */
export interface Viewer {
  email: string;
  entry: ViewerEntry;
}

/** Thrown when an address or a stored value is not valid. */
export class ViewerValueError extends Error {
  override name = "ViewerValueError";
}

/** undefined when the person is not there. @throws ViewerValueError when the stored value is invalid */
export async function findViewer(store: RegistryStore, email: string): Promise<Viewer | undefined> {
  const key = normalizeEmail(email);
  if (!isAddress(key)) return undefined;
  const value = await store.get(KEY_PREFIX + key);
  return value === null ? undefined : { email: key, entry: parseEntry(key, value) };
}

/** Stores what a person may see. @throws ViewerValueError when address or entry is invalid */
export async function putViewer(store: RegistryStore, email: string, entry: ViewerEntry): Promise<Viewer> {
  const key = normalizeEmail(email);
  if (!isAddress(key)) throw new ViewerValueError(`'${key}' is not a mail address.`);
  const viewer = { email: key, entry: parseEntry(key, JSON.stringify(entry)) };
  await store.put(KEY_PREFIX + key, JSON.stringify(viewer.entry));
  return viewer;
}

/** Removes a person; removing one that is not there is no error. */
export async function removeViewer(store: RegistryStore, email: string): Promise<void> {
  await store.delete(KEY_PREFIX + normalizeEmail(email));
}

/** Every person, a page of KV keys at a time. */
export async function* listViewers(store: RegistryStore): AsyncGenerator<Viewer> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ prefix: KEY_PREFIX, ...(cursor === undefined ? {} : { cursor }) });
    for (const { name } of page.keys) {
      const email = name.slice(KEY_PREFIX.length);
      const value = await store.get(name);
      if (value !== null) yield { email, entry: parseEntry(email, value) };
    }
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
}

function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

function isAddress(email: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(email) && new TextEncoder().encode(email).length <= 400;
}

function parseEntry(email: string, text: string): ViewerEntry {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), viewerEntry), text);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new ViewerValueError(`Identity ${email}: ${v.getDotPath(issue) ?? "value"}: ${issue.message}`);
}
