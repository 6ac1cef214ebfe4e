/** Collects the warnings of one report: the first ones whole, the rest counted. */
import { READ_LIMITS } from "../limits.ts";
import { cleanDetail } from "./problems.ts";
import { detach } from "./values.ts";
import type { Warning, WarningCode } from "./vocabulary.ts";

export class WarningLog {
  readonly warnings: Warning[] = [];
  omitted = 0;
  /** Warnings noted so far, kept or not. */
  get count(): number {
    return this.warnings.length + this.omitted;
  }

  readonly #once = new Set<string>();

  /** Notes one warning; `path` is where (`record[3]/row/count`), `detail` the raw value or what was done. */
  add(code: WarningCode, path: string, detail: string): void {
    if (this.warnings.length >= READ_LIMITS.maxWarnings) this.omitted++;
    else this.warnings.push({ code, path, detail: detach(cleanDetail(detail)) });
  }

  /** Notes a warning unless the same one was noted before. */
  addOnce(code: WarningCode, path: string, detail: string): void {
    const key = `${code} ${path} ${detail.slice(0, MAX_KEY_CHARS)}`;
    if (this.#once.has(key)) return;
    // A document can have another repair for each of its bytes; those beyond what is remembered are only counted.
    if (this.#once.size < MAX_REMEMBERED) this.#once.add(detach(key));
    this.add(code, path, detail);
  }
}

const MAX_REMEMBERED = 1000;
/** Characters of a detail that tell two warnings apart. */
const MAX_KEY_CHARS = 300;
