/** Looks up an envelope recipient for ingest: in the KV copy, then in the ledger. */
import { findCopy, type Registration, type RegistryStore, ruaCandidates } from "../registry.ts";
import { findAddresses } from "./addresses.ts";
import type { LedgerDatabase } from "./database.ts";

/**
 * Finds the registration of an envelope recipient. KV may not know an address yet, and caches a miss for a minute: an
 * address is unregistered only if the ledger does not know it either.
 *
 * @returns undefined when the address is not registered
 * @throws RegistryValueError when the copy is invalid; whatever KV or D1 throws
 */
export async function findRegistration(
  { copy, directory }: { copy: RegistryStore; directory: LedgerDatabase },
  recipient: string,
): Promise<Registration | undefined> {
  const candidates = ruaCandidates(recipient);
  for (const rua of candidates) {
    const found = await findCopy(copy, rua);
    if (found !== undefined) return found;
  }
  const registered = await findAddresses(directory, candidates);
  return candidates.map((rua) => registered.find((one) => one.rua === rua)).find((one) => one !== undefined);
}
