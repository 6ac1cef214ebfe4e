/**
 * The registry of RUA addresses. It is a table of the ledger (ledger/addresses.ts) with a copy in KV at the edge:
 * `dmarc:<rua in lower case>` → JSON. The only file that knows the key and the format of the value.
 */
import * as v from "valibot";
import { domainName, readDomainName } from "./domain-name.ts";

const KEY_PREFIX = "dmarc:";

/** Name of an account, for input from outside. One of dots alone could not be part of a URL. */
export const accountName = v.pipe(
  v.string(),
  v.maxLength(64, "64 characters at most"),
  v.regex(/^\.*[A-Za-z0-9_-][A-Za-z0-9._-]*$/, "letters, digits, '.', '_' or '-', and not dots alone"),
);

/** The schema of an entry, for input from outside. */
export const registryEntry = v.object({
  /** The account the reports belong to; a report is counted once per account. */
  account: accountName,
  /** Policy domains accepted, A-labels; absent = any. A subdomain of a listed domain is accepted too. */
  domains: v.optional(v.array(v.pipe(v.string(), v.minLength(1), v.toLowerCase()))),
  /** Sources the owner has approved, for the dashboard. */
  approvedSources: v.optional(v.array(v.string())),
  /** Failure reports carry personal data: drop them, keep domain-level facts, or keep the mail too. */
  failureReports: v.optional(v.picklist(["off", "facts", "store"])),
});

export type RegistryEntry = v.InferOutput<typeof registryEntry>;

/** A registered address with its entry and the database of its account. */
export interface Registration {
  rua: string;
  entry: RegistryEntry;
  shard: number;
}

/** A value of KV. */
const copy = v.object({ v: v.literal(1), shard: v.number(), ...registryEntry.entries });

/** The part of KVNamespace the registry needs. */
export interface RegistryStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * Thrown when a value is not a valid registry entry. If stored, it is a fault to be repaired, never a reason to bounce
 * mail.
 */
export class RegistryValueError extends Error {
  override name = "RegistryValueError";
}

/**
 * The normal form of an address: lower case, its domain as A-labels, without angle brackets and `mailto:`. A non-ASCII
 * local part (RFC 6531) is kept in Unicode's composed form.
 */
export function normalizeRua(address: string): string {
  const plain = address
    .trim()
    .replace(/^<|>$/g, "")
    .replace(/^mailto:/i, "")
    .toLowerCase();
  const at = plain.lastIndexOf("@");
  return at < 0 ? plain : `${plain.slice(0, at).normalize("NFC")}@${domainName(plain.slice(at + 1))}`;
}

/**
 * The addresses to look up for an envelope recipient: the address itself, then without its `+tag` (RFC 5233
 * subaddress). None that is too long to be registered: KV refuses such keys, and a refused lookup is a fault.
 *
 * @example ruaCandidates("Reports+acme@Example.com") // ["reports+acme@example.com", "reports@example.com"]
 */
export function ruaCandidates(recipient: string): string[] {
  const rua = normalizeRua(recipient);
  const at = rua.lastIndexOf("@");
  const plus = rua.indexOf("+");
  const candidates = plus > 0 && plus < at ? [rua, rua.slice(0, plus) + rua.slice(at)] : [rua];
  return candidates.filter(fitsRegistry);
}

/** Leaves room for the prefix in a key of KV, which has 512 bytes (STORAGE_LIMITS.maxKvKeyBytes). */
const MAX_RUA_BYTES = 400;

function fitsRegistry(rua: string): boolean {
  return new TextEncoder().encode(rua).length <= MAX_RUA_BYTES;
}

/**
 * The copy of a registration in KV.
 *
 * @returns undefined when there is none; the address may be registered nevertheless
 * @throws RegistryValueError when the stored value is invalid; whatever KV throws
 */
export async function findCopy(store: RegistryStore, rua: string): Promise<Registration | undefined> {
  const value = await store.get(KEY_PREFIX + rua);
  if (value === null) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), copy), value);
  if (!parsed.success) throw new RegistryValueError(`Copy of ${rua} in KV: ${firstIssue(parsed.issues)}`);
  const { v: _, shard, ...entry } = parsed.output;
  return { rua, entry, shard };
}

/**
 * Whether KV refused a write because the key was written within the last second
 * (developers.cloudflare.com/kv/api/write-key-value-pairs/#limits-to-kv-writes-to-the-same-key).
 */
export function isWrittenTooOften(error: unknown): boolean {
  return /^Error: KV (?:PUT|DELETE) failed: 429\b/.test(String(error));
}

/** Writes the copy of a registration. @throws whatever KV throws */
export async function putCopy(store: RegistryStore, { rua, entry, shard }: Registration): Promise<void> {
  await store.put(KEY_PREFIX + rua, JSON.stringify({ v: 1, shard, ...entry }));
}

/** The part of KVNamespace that a list of all copies needs. */
export interface RegistryCopies extends RegistryStore {
  list(options: { prefix: string; limit: number; cursor?: string }): Promise<{
    keys: { name: string }[];
    list_complete: boolean;
    cursor?: string;
  }>;
}

/** A page of the copies in KV. */
export interface CopiesPage {
  copies: Registration[];
  /** Where the next page begins; undefined on the last one. */
  cursor: string | undefined;
}

/** Lists copies; each is read by a separate call. @throws as `findCopy` does */
export async function listCopies(
  store: RegistryCopies,
  { cursor, limit }: { cursor: string | undefined; limit: number },
): Promise<CopiesPage> {
  const page = await store.list({ prefix: KEY_PREFIX, limit, ...(cursor === undefined ? {} : { cursor }) });
  const ruas = page.keys.map(({ name }) => name.slice(KEY_PREFIX.length));
  const copies = await Promise.all(ruas.map((rua) => findCopy(store, rua)));
  return {
    copies: copies.filter((one) => one !== undefined),
    cursor: page.list_complete ? undefined : page.cursor,
  };
}

/** Removes the copy of a registration. @throws whatever KV throws */
export async function deleteCopy(store: RegistryStore, rua: string): Promise<void> {
  await store.delete(KEY_PREFIX + rua);
}

/** Validates a registration. @throws RegistryValueError when address or entry is invalid */
export function validRegistration(rua: string, entry: unknown): { rua: string; entry: RegistryEntry } {
  const key = normalizeRua(rua);
  if (!/^[^\s@]+@[^\s@]+$/.test(key) || !fitsRegistry(key)) {
    throw new RegistryValueError(`'${key}' is not a mail address.`);
  }
  const parsed = v.safeParse(registryEntry, entry);
  if (!parsed.success) throw new RegistryValueError(`Registry entry of ${key}: ${firstIssue(parsed.issues)}`);
  const { domains, ...others } = parsed.output;
  return { rua: key, entry: domains === undefined ? others : { ...others, domains: validDomains(domains) } };
}

/** @throws RegistryValueError naming an invalid domain name */
function validDomains(typed: readonly string[]): string[] {
  const names = typed.map((text) => {
    const domain = readDomainName(text);
    if (!domain.ok) throw new RegistryValueError(domain.error);
    return domain.value.name;
  });
  return [...new Set(names)];
}

/** Whether an entry accepts reports about `domain` (A-labels): it is listed, or a subdomain of a listed domain. */
export function acceptsDomain(entry: RegistryEntry, domain: string): boolean {
  return (
    entry.domains === undefined ||
    entry.domains.map(domainName).some((listed) => domain === listed || domain.endsWith(`.${listed}`))
  );
}

function firstIssue([issue]: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  return `${v.getDotPath(issue) ?? "value"}: ${issue.message}`;
}
