/** Names parts of an object so that each is told from all others: an archive may hold several files of one name. */
export class UniqueParts {
  readonly #seen = new Map<string, number>();

  /** The name of the part that comes next under this one. */
  next(part: string): string {
    const count = (this.#seen.get(part) ?? 0) + 1;
    return count === 1 ? part : `${part}#${count}`;
  }

  /** Notes that a part of this name has ended. */
  take(part: string): void {
    this.#seen.set(part, (this.#seen.get(part) ?? 0) + 1);
  }
}
