/** Whose address it is, asked once a batch for each address. */
import { findRegistration, type Registration } from "../../shared/registry.ts";
import type { ProcessEnv } from "./env.ts";

export class Registrations {
  readonly #env: ProcessEnv;
  readonly #asked = new Map<string, Promise<Registration | undefined>>();

  constructor(env: ProcessEnv) {
    this.#env = env;
  }

  /** @returns undefined when the address is not registered; @throws whatever KV throws */
  find(rua: string): Promise<Registration | undefined> {
    const known = this.#asked.get(rua);
    if (known !== undefined) return known;
    const asked = findRegistration(this.#env.KV_DMARC_REPORTS, rua);
    this.#asked.set(rua, asked);
    return asked;
  }
}
