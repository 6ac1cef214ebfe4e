/** What a page is given beyond the ledger: what its address says, Analytics Engine, and the operations of the API. */
import type { Query as EngineQuery } from "../../../shared/analytics/query.ts";
import type { DashboardOperation, Inputs } from "../../../shared/contract/operations.ts";
import { ROLES, type Role } from "../../../shared/people.ts";
import type { Result } from "../../../shared/result.ts";
import type { Access } from "../access.ts";
import type { Answered } from "../api/call.ts";
import type { LedgerRequest } from "../data/ledger-request.ts";
import { type Period, readPeriod } from "../data/period.ts";
import { ApiError } from "../errors.ts";

/** One request for a page. */
export interface PageRequest extends LedgerRequest {
  url: URL;
  parameters: URLSearchParams;
  /** First part of the names of the deployment's Workers and databases. */
  prefix: string;
  /** Rows of a statement to Analytics Engine, or why it has no answer: no figure may depend on it. */
  askEngine<Row>(query: EngineQuery<Row>): Promise<Result<Row[], string>>;
  /** Those of the accounts whose domains, decisions, channels and people the person may change. */
  administered(): Promise<readonly string[]>;
  /** What the API answers from the ledger. @throws ApiError when the person may not ask this, or there is no answer */
  read<Name extends DashboardOperation>(name: Name, input: Inputs[Name]): Promise<Answered<Name>>;
}

/** The period that the page's address names. @throws ApiError when its parameters make no sense */
export function periodOf(request: PageRequest): Period {
  const period = readPeriod(request.parameters, request.today);
  if (!period.ok) throw new ApiError("bad_request", period.error);
  return period.value;
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

/** The account that a form names. @throws ApiError if it is not one of the person's */
export async function accountOfForm(request: PageRequest, form: URLSearchParams): Promise<string> {
  const account = form.get("account") ?? "";
  if (!(await request.accounts()).includes(account)) throw new ApiError("not_found", "There is no such domain.");
  return account;
}
