/** Whose addresses they are: asked once a batch, for all its addresses together. */
import { findAddresses } from "../../shared/ledger/addresses.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import type { Registration } from "../../shared/registry.ts";

export class Registrations {
  readonly #directory: LedgerDatabase;
  readonly #ruas: readonly string[];
  #found: Promise<Map<string, Registration>> | undefined;

  /** @param ruas addresses that may be asked for */
  constructor(directory: LedgerDatabase, ruas: readonly string[]) {
    this.#directory = directory;
    this.#ruas = ruas;
  }

  /** @returns undefined when the address is not registered; @throws whatever D1 throws */
  async find(rua: string): Promise<Registration | undefined> {
    this.#found ??= this.#ask();
    return (await this.#found).get(rua);
  }

  async #ask(): Promise<Map<string, Registration>> {
    const found = await findAddresses(this.#directory, [...new Set(this.#ruas)]);
    return new Map(found.map((registration) => [registration.rua, registration]));
  }
}
