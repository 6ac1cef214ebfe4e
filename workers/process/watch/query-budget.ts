/** How many statements a run may ask, and what a domain takes of them. D1 allows a number of queries an invocation (D1 limits page). */

/** Statements of one run: what is left of them. */
export class QueryBudget {
  #left: number;

  constructor(queries: number) {
    this.#left = queries;
  }

  /** Whether so many are left. */
  has(queries: number): boolean {
    return this.#left >= queries;
  }

  /** Takes so many, which may be more than are left: what was begun is done. */
  spend(queries: number): void {
    this.#left -= queries;
  }
}

/** Statements that a domain takes at most: its mail, its history; verdict, incidents, notices, the round's place. */
export const QUERIES_PER_DOMAIN = 6;
/** Of them those for its mail and history. */
export const QUERIES_FOR_MAIL = 2;
/** And for what is known of some domains: facts, records, incidents, mutes. */
export const QUERIES_FOR_FACTS = 4;
