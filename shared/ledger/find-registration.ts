/** What ingest asks of an envelope recipient: is the address ours? The copy in KV answers, and the ledger where it does not. */
import { findCopy, type Registration, type RegistryStore, ruaCandidates } from "../registry.ts";
import { findAddresses } from "./addresses.ts";
import type { LedgerDatabase } from "./database.ts";

/**
 * Finds the registration of an envelope recipient. KV may not know an address yet, or remember for a minute that it did
 * not: only what the ledger does not know either is not registered.
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
