/**
 * Registered addresses that mail came to a moment ago, kept in the memory of an isolate so that KV is not asked for each mail of
 * many. Never a refusal: an address works as soon as it is registered. One that was removed goes on receiving for the few seconds
 * that it is kept, as it does for up to a minute while KV's copy is cached; process then files the mail as a dead letter.
 */
import { INGEST_LIMITS } from "../../shared/limits.ts";

interface Kept {
  rua: string;
  untilMilliseconds: number;
}

/** Recipients and the registered addresses that receive their mail, each for a few seconds. */
export class RecentAddresses {
  readonly #kept = new Map<string, Kept>();

  /** The registered address that receives mail to a recipient, if it was looked up recently. */
  find(recipient: string, nowMilliseconds: number): string | undefined {
    const kept = this.#kept.get(recipient);
    if (kept === undefined) return undefined;
    if (nowMilliseconds < kept.untilMilliseconds) return kept.rua;
    this.#kept.delete(recipient);
    return undefined;
  }

  /** Keeps what was looked up, and forgets the oldest beyond the limit. */
  keep(recipient: string, rua: string, nowMilliseconds: number): void {
    this.#kept.delete(recipient);
    this.#kept.set(recipient, { rua, untilMilliseconds: nowMilliseconds + INGEST_LIMITS.keptAddressMilliseconds });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > INGEST_LIMITS.keptAddresses && oldest !== undefined) this.#kept.delete(oldest);
  }
}
