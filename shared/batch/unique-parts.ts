/** Gives the parts of an object unique names: an archive may hold several files of the same name. */
export class UniqueParts {
  readonly #seen = new Map<string, number>();

  /** The name for the next part called this. */
  next(part: string): string {
    const count = (this.#seen.get(part) ?? 0) + 1;
    return count === 1 ? part : `${part}#${count}`;
  }

  /** Records that a part of this name has been used. */
  take(part: string): void {
    this.#seen.set(part, (this.#seen.get(part) ?? 0) + 1);
  }
}
