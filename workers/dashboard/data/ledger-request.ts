/**
 * What pages and operations of the API are given to ask the ledger with, and the questions they have in common. Every
 * question takes its scope from here, so that nobody is shown another account's figures.
 */
import type { Inputs, Outputs, ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Query } from "../../../shared/ledger/database.ts";
import type { DomainScope } from "../../../shared/ledger/sources.ts";
import type { Access } from "../access.ts";
import type { Period } from "./period.ts";

/** What pages and the API have in common: who asks, and the ledger as they may see it. */
export interface LedgerRequest {
  access: Access;
  /** When it is answered. */
  nowSeconds: number;
  /** The day of that, since 1970-01-01 UTC. */
  today: number;
  /** How many databases of the ledger a question goes to. */
  databases: number;
  /** Rows of a question to the ledger; where it is about one account, only that one's. @throws LedgerUnavailableError */
  ask<Row>(query: Query<Row>, account?: string): Promise<Row[]>;
  /** Rows of a question about accounts, people or the audit log. @throws LedgerUnavailableError */
  askDirectory<Row>(query: Query<Row>): Promise<Row[]>;
  /** Names of the accounts the person may see, or of the one that is asked about: every scope is made of them. */
  accounts(): Promise<readonly string[]>;
  /** Runs something after the answer was sent; its result is ignored. */
  later(work: Promise<unknown>): void;
  /** Asks process. @throws ApiError when it cannot be done, or process fails */
  operate<Name extends ProcessOperation>(name: Name, input: Inputs[Name]): Promise<Outputs[Name]>;
}

/** The scope of one domain over a period, of the accounts the person may see. */
export async function domainScope(request: LedgerRequest, domain: string, period?: Period): Promise<DomainScope> {
  return {
    accounts: await request.accounts(),
    domains: [domain],
    ...(period === undefined ? {} : { firstDay: period.firstDay, lastDay: period.lastDay }),
  };
}

/** The one row of a question that always has one. @throws Error when it has none: a bug */
export async function askOne<Row>(request: LedgerRequest, query: Query<Row>): Promise<Row> {
  const [row] = await request.ask(query);
  if (row === undefined) throw new Error("A question without an answer.");
  return row;
}
