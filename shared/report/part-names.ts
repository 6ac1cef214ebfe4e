/** What the parts of a container are called: the names that senders give, made safe to show and different from each other. */
import { cleanDetail } from "./problems.ts";

/** Longest name that is told of one part. */
const MAX_NAME_CHARS = 300;

/**
 * Names the parts of one container. Every name is told once: two attachments may be called the same, and each has its own
 * records and its own dead letter. Names are cleaned and cut, for they are shown and stored.
 */
export class PartNames {
  readonly #outer: string;
  readonly #told = new Set<string>();

  /** @param outer path of the container, "" for the file itself */
  constructor(outer: string) {
    this.#outer = outer;
  }

  /** Path of a part: its file name, or `fallback` where it has none that can be shown. */
  name(fileName: string, fallback: string): string {
    const own = cleanDetail(fileName, MAX_NAME_CHARS) || fallback;
    const path = this.#outer === "" ? own : `${this.#outer}/${own}`;
    let name = path;
    for (let copy = 2; this.#told.has(name); copy++) name = `${path} (${copy})`;
    this.#told.add(name);
    return name;
  }
}
