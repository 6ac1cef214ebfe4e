/** Collects the warnings of one report: keeps the first ones and counts the rest. */
import { READ_LIMITS } from "../limits.ts";
import { cleanDetail } from "./problems.ts";
import { detach } from "./values.ts";
import type { Warning, WarningCode } from "./vocabulary.ts";

/** The warnings of one report. */
export class WarningLog {
  readonly warnings: Warning[] = [];
  omitted = 0;
  /** Warnings so far, kept or not. */
  get count(): number {
    return this.warnings.length + this.omitted;
  }

  readonly #once = new Set<string>();

  /** Adds a warning; `path` is the location (`record[3]/row/count`), `detail` the raw value or what was done. */
  add(code: WarningCode, path: string, detail: string): void {
    if (this.warnings.length >= READ_LIMITS.maxWarnings) this.omitted++;
    else this.warnings.push({ code, path, detail: detach(cleanDetail(detail)) });
  }

  /** Adds a warning unless it was added before. */
  addOnce(code: WarningCode, path: string, detail: string): void {
    const key = `${code} ${path} ${detail.slice(0, MAX_KEY_CHARS)}`;
    if (this.#once.has(key)) return;
    // A document may need a different repair for every byte; beyond the limit they are only counted.
    if (this.#once.size < MAX_REMEMBERED) this.#once.add(detach(key));
    this.add(code, path, detail);
  }
}

/** Ours: different warnings of one report that are remembered, so that each is noted once. */
const MAX_REMEMBERED = 1000;
/** How many characters of a detail distinguish two warnings. */
const MAX_KEY_CHARS = 300;
