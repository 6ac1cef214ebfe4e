/**
 * What a page is given: who asks, what the link says, the ledger, and process. Every question a page asks of the ledger
 * takes its scope from here, so that nobody is shown another account's figures.
 */
import type { Query as EngineQuery } from "../../../shared/analytics/query.ts";
import type { DashboardOperation, Inputs, Outputs, ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Query } from "../../../shared/ledger/database.ts";
import type { DomainScope } from "../../../shared/ledger/sources.ts";
import { ROLES, type Role } from "../../../shared/people.ts";
import type { Result } from "../../../shared/result.ts";
import type { Access } from "../access.ts";
import type { Answered } from "../api/call.ts";
import { type Period, readPeriod } from "../data/period.ts";
import { ApiError } from "../errors.ts";

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

/** One request for a page. */
export interface PageRequest extends LedgerRequest {
  url: URL;
  parameters: URLSearchParams;
  /** Rows of a statement to Analytics Engine, or why it has no answer: no figure may depend on it. */
  askEngine<Row>(query: EngineQuery<Row>): Promise<Result<Row[], string>>;
  /** Those of the accounts whose domains, decisions, channels and people the person may change. */
  administered(): Promise<readonly string[]>;
  /** What the API answers from the ledger. @throws ApiError when the person may not ask this, or there is no answer */
  read<Name extends DashboardOperation>(name: Name, input: Inputs[Name]): Promise<Answered<Name>>;
}

/** The period of the link. @throws ApiError when its parameters make no sense */
export function periodOf(request: PageRequest): Period {
  const period = readPeriod(request.parameters, request.today);
  if (!period.ok) throw new ApiError("bad_request", period.error);
  return period.value;
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

/** @throws ApiError unless the person is an operator */
export function requireOperator({ access }: PageRequest): void {
  requirePageRole(access, "operator");
}

/** @throws ApiError unless the person has the role a page takes, administrators in any account */
export function requirePageRole({ role: highest }: Access, needed: Role): void {
  if (ROLES.indexOf(highest) <= ROLES.indexOf(needed)) return;
  throw new ApiError("forbidden", `This page is for ${needed}s${needed === "administrator" ? " of an account" : ""}.`);
}

/** The page's own link with some parameters set; undefined removes one. */
export function linkWith(url: URL, changes: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? url.pathname : `${url.pathname}?${text}`;
}

/** A link to another page that keeps the period. */
export function linkTo(request: PageRequest, path: string): string {
  const kept = new URLSearchParams();
  for (const name of ["days", "from", "to"]) {
    const value = request.parameters.get(name);
    if (value !== null && value !== "") kept.set(name, value);
  }
  const text = kept.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The account that a form names. @throws ApiError if it is not one of the person's */
export async function accountOfForm(request: PageRequest, form: URLSearchParams): Promise<string> {
  const account = form.get("account") ?? "";
  if (!(await request.accounts()).includes(account)) throw new ApiError("not_found", "There is no such domain.");
  return account;
}
