/** Collects the warnings of one report: the first ones whole, the rest counted. */
import { READ_LIMITS } from "../limits.ts";
import { cleanDetail } from "./problems.ts";
import type { Warning, WarningCode } from "./vocabulary.ts";

export class WarningLog {
  readonly warnings: Warning[] = [];
  omitted = 0;
  readonly #once = new Set<string>();

  /** Notes one warning; `path` is where (`record[3]/row/count`), `detail` the raw value or what was done. */
  add(code: WarningCode, path: string, detail: string): void {
    if (this.warnings.length >= READ_LIMITS.maxWarnings) this.omitted++;
    else this.warnings.push({ code, path, detail: cleanDetail(detail) });
  }

  /** Notes a warning unless the same one was noted before. */
  addOnce(code: WarningCode, path: string, detail: string): void {
    const key = `${code} ${path} ${detail}`;
    if (this.#once.has(key)) return;
    this.#once.add(key);
    this.add(code, path, detail);
  }
}
