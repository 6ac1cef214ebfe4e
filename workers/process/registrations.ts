/** Whose address it is, asked once a batch for each address. */
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import type { Registration } from "../../shared/registry.ts";
import type { ProcessEnv } from "./env.ts";

export class Registrations {
  readonly #env: ProcessEnv;
  readonly #asked = new Map<string, Promise<Registration | undefined>>();

  constructor(env: ProcessEnv) {
    this.#env = env;
  }

  /** @returns undefined when the address is not registered; @throws whatever KV or D1 throws */
  find(rua: string): Promise<Registration | undefined> {
    const known = this.#asked.get(rua);
    if (known !== undefined) return known;
    const { KV_DMARC_REPORTS: copy, D1_DMARC_REPORTS: directory } = this.#env;
    const asked = findRegistration({ copy, directory }, rua);
    this.#asked.set(rua, asked);
    return asked;
  }
}
