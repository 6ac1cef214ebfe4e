/** Names the parts of a container: the sender's names, made safe to display and unique. */
import { cleanDetail } from "./problems.ts";

/** The longest name of a part. */
const MAX_NAME_CHARS = 300;

/**
 * Names the parts of one container. Every name is used once: attachments with the same name each have their own records
 * and dead letters. Names are cleaned and cut, since they are displayed and stored.
 */
export class PartNames {
  readonly #outer: string;
  readonly #taken = new Set<string>();

  /** @param outer path of the container, "" for the file itself */
  constructor(outer: string) {
    this.#outer = outer;
  }

  /** Path of a part: its file name, or `fallback` if it has none that can be displayed. */
  name(fileName: string, fallback: string): string {
    const own = cleanDetail(fileName, MAX_NAME_CHARS) || fallback;
    const path = this.#outer === "" ? own : `${this.#outer}/${own}`;
    let name = path;
    for (let copy = 2; this.#taken.has(name); copy++) name = `${path} (${copy})`;
    this.#taken.add(name);
    return name;
  }
}
