/**
 * What Cloudflare allows one invocation and one statement, where workerd on one machine allows more: a binding of the ledger
 * that refuses the rest, in Cloudflare's words as far as they are known.
 */
import { ANALYTICS_LIMITS, D1_LIMITS } from "../../shared/limits.ts";

/** What is left to one invocation. */
export class InvocationLimits {
  #queries = 0;
  #points = 0;

  /** A query to D1 that is about to be made. @throws beyond what one invocation may make on the paid plan */
  takeQuery(): void {
    if (++this.#queries > D1_LIMITS.maxQueriesPerInvocation) {
      throw new Error("D1_ERROR: Too many API requests by single worker invocation.");
    }
  }

  /** A point that is about to be written. @throws beyond what one invocation may write */
  takePoint(): void {
    if (++this.#points > ANALYTICS_LIMITS.maxPointsPerInvocation) {
      throw new Error("Analytics Engine write limit exceeded.");
    }
  }
}

/** The parts of D1's database and statement that are looked at. */
interface Database {
  prepare(sql: string): Statement;
}
interface Statement {
  bind(...values: unknown[]): unknown;
}

/** A database that counts its queries, and refuses values that D1 refuses. Statements have to be bound before they are run. */
export function limitedDatabase<D extends Database>(database: D, limits: InvocationLimits): D {
  return replaced(database, "prepare", (sql: string) => {
    limits.takeQuery();
    const statement = database.prepare(sql);
    return replaced(statement, "bind", (...values: unknown[]) => {
      for (const value of values) checkSize(value);
      return statement.bind(...values);
    });
  });
}

function checkSize(value: unknown): void {
  // A character is at least one byte; encoding every parameter would cost more than the query.
  if (typeof value !== "string" || value.length <= D1_LIMITS.maxRowBytes / 3) return;
  if (new TextEncoder().encode(value).length > D1_LIMITS.maxRowBytes) {
    throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
  }
}

/** An object with another method of a name. */
function replaced<T extends object>(target: T, name: keyof T, method: unknown): T {
  return new Proxy(target, {
    get(object, property) {
      if (property === name) return method;
      const value: unknown = Reflect.get(object, property);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}
