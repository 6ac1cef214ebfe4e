/** Collects the warnings of one report: keeps the first ones and counts the rest. */
import { READ_LIMITS } from "../limits.ts";
import { cleanDetail } from "./problems.ts";
import { detach } from "./values.ts";
import type { Warning, WarningCode } from "./vocabulary.ts";

/** The warnings of one report. */
export class WarningLog {
  readonly #ofWhole: Warning[] = [];
  readonly #others: Warning[] = [];
  readonly #once = new Set<string>();
  /** Warnings so far, kept or not. */
  count = 0;

  /**
   * Those kept: of the whole document by code, then the others as they came. How a document is cut into pieces decides when
   * a repair of the whole is noted.
   */
  get warnings(): Warning[] {
    const ofWhole = this.#ofWhole.toSorted((a, b) => (a.code === b.code ? 0 : a.code < b.code ? -1 : 1));
    return [...ofWhole, ...this.#others].slice(0, READ_LIMITS.maxWarnings);
  }

  get omitted(): number {
    return Math.max(0, this.count - READ_LIMITS.maxWarnings);
  }

  /** Adds a warning; `path` is the location (`record[3]/row/count`), `detail` the raw value or what was done. */
  add(code: WarningCode, path: string, detail: string): void {
    this.#add(this.#others, { code, path, detail });
  }

  /** Adds a warning about the whole document, unless it was added before. */
  addOnce(code: WarningCode, path: string, detail: string): void {
    const key = `${code} ${path} ${detail.slice(0, MAX_KEY_CHARS)}`;
    if (this.#once.has(key)) return;
    // A document may need a different repair for every byte; beyond the limit they are only counted.
    if (this.#once.size < MAX_REMEMBERED) this.#once.add(detach(key));
    this.#add(this.#ofWhole, { code, path, detail });
  }

  #add(to: Warning[], { code, path, detail }: Warning): void {
    this.count++;
    if (to.length < READ_LIMITS.maxWarnings) to.push({ code, path, detail: detach(cleanDetail(detail)) });
  }
}

/** Ours: different warnings of one report that are remembered, so that each is noted once. */
const MAX_REMEMBERED = 1000;
/** How many characters of a detail distinguish two warnings. */
const MAX_KEY_CHARS = 300;
