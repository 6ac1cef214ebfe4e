/**
 * How many statements a run may execute, and how many a domain takes. D1 allows a number of queries an invocation (D1
 * limits page).
 */

/** Statements of one run: what is left of them. */
export class QueryBudget {
  #left: number;

  constructor(queries: number) {
    this.#left = queries;
  }

  /** Whether this number of queries is left. */
  has(queries: number): boolean {
    return this.#left >= queries;
  }

  /** Spends statements, possibly more than are left: what was begun is finished. */
  spend(queries: number): void {
    this.#left -= queries;
  }
}

/** Statements that a domain takes at most: its mail, its history, names; verdict, incidents, notices, the round's place. */
export const QUERIES_PER_DOMAIN = 7;
/** Of these, the ones for its mail, its history, and the names of its senders. */
export const QUERIES_FOR_MAIL = 3;
/** Statements for what is known about some domains: facts, records, incidents, mutes. */
export const QUERIES_FOR_FACTS = 4;
