/**
 * Who may receive reports: KV `dmarc:<rua in lower case>` → JSON. The only file that knows the key and the value's form.
 * An address that is not there is rejected; a value that does not validate is an operator's mistake and throws.
 */
import * as v from "valibot";
import { domainName } from "./domain-name.ts";

const KEY_PREFIX = "dmarc:";

/** The schema of a value, for whoever takes an entry from outside. */
export const registryEntry = v.object({
  /** Whose reports these are; reports are counted once per account. */
  account: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, '.', '_' or '-'")),
  /** Policy domains accepted, lower case; absent = any. A subdomain of a listed domain is accepted too. */
  domains: v.optional(v.array(v.pipe(v.string(), v.minLength(1), v.toLowerCase()))),
  /** Sources the owner has approved; kept for the dashboard. */
  approvedSources: v.optional(v.array(v.string())),
  /** Failure reports carry personal data: drop them, keep domain-level facts, or keep the mail too. */
  failureReports: v.optional(v.picklist(["off", "facts", "store"])),
});

export type RegistryEntry = v.InferOutput<typeof registryEntry>;

/** A registered address with its entry. */
export interface Registration {
  rua: string;
  entry: RegistryEntry;
}

/** The part of KVNamespace the registry needs. */
export interface RegistryStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix: string; cursor?: string | null }): Promise<{
    keys: { name: string }[];
    list_complete: boolean;
    cursor?: string;
  }>;
}

/** Thrown when a stored value is not a registry entry: a fault to be mended, never a reason to bounce mail. */
export class RegistryValueError extends Error {
  override name = "RegistryValueError";
}

/** Lower case, trimmed, without angle brackets. */
export function normalizeRua(address: string): string {
  return address.trim().replace(/^<|>$/g, "").toLowerCase();
}

/**
 * The addresses to look up for an envelope recipient: as it is, then without its `+tag` (RFC 5233 subaddress).
 *
 * @example ruaCandidates("Reports+acme@Example.com") // ["reports+acme@example.com", "reports@example.com"]
 */
export function ruaCandidates(recipient: string): string[] {
  const rua = normalizeRua(recipient);
  const at = rua.lastIndexOf("@");
  const plus = rua.indexOf("+");
  return plus > 0 && plus < at ? [rua, rua.slice(0, plus) + rua.slice(at)] : [rua];
}

/**
 * Finds the registration of an envelope recipient.
 *
 * @returns undefined when the address is not registered
 * @throws RegistryValueError when the stored value is invalid; whatever KV throws
 */
export async function findRegistration(store: RegistryStore, recipient: string): Promise<Registration | undefined> {
  for (const rua of ruaCandidates(recipient)) {
    const value = await store.get(KEY_PREFIX + rua);
    if (value !== null) return { rua, entry: parseRegistryEntry(rua, value) };
  }
  return undefined;
}

/** Stores an entry after validating it. @throws RegistryValueError when it is invalid */
export async function putRegistration(store: RegistryStore, rua: string, entry: RegistryEntry): Promise<Registration> {
  const key = normalizeRua(rua);
  if (!/^[^\s@]+@[^\s@]+$/.test(key) || new TextEncoder().encode(key).length > 400) {
    throw new RegistryValueError(`'${key}' is not a mail address.`);
  }
  const registration = { rua: key, entry: parseRegistryEntry(key, JSON.stringify(entry)) };
  await store.put(KEY_PREFIX + key, JSON.stringify(registration.entry));
  return registration;
}

/** Removes an address; removing one that is not there is no error. */
export async function removeRegistration(store: RegistryStore, rua: string): Promise<void> {
  await store.delete(KEY_PREFIX + normalizeRua(rua));
}

/** Every registered address, a page of KV keys at a time. Invalid values throw, as everywhere. */
export async function* listRegistrations(store: RegistryStore): AsyncGenerator<Registration> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ prefix: KEY_PREFIX, ...(cursor === undefined ? {} : { cursor }) });
    for (const { name } of page.keys) {
      const rua = name.slice(KEY_PREFIX.length);
      const value = await store.get(name);
      if (value !== null) yield { rua, entry: parseRegistryEntry(rua, value) };
    }
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
}

/** Whether an entry accepts reports about `domain` (A-labels): listed itself, or below a listed domain. */
export function acceptsDomain(entry: RegistryEntry, domain: string): boolean {
  return (
    entry.domains === undefined ||
    entry.domains.map(domainName).some((listed) => domain === listed || domain.endsWith(`.${listed}`))
  );
}

function parseRegistryEntry(rua: string, text: string): RegistryEntry {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), registryEntry), text);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new RegistryValueError(`Registry entry of ${rua}: ${v.getDotPath(issue) ?? "value"}: ${issue.message}`);
}
