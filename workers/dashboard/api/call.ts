/** The context of every request, and how it asks process. It has no routes. */
import type { Context } from "hono";
import type { SqlConnection } from "../../../shared/analytics/sql.ts";
import { allowed } from "../../../shared/contract/operation.ts";
import {
  type DashboardOperation,
  type Inputs,
  OPERATIONS,
  type OperationName,
  type Outputs,
  type ProcessOperation,
} from "../../../shared/contract/operations.ts";
import { type Answer, noAccountProblem } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { accountsNamedQuery } from "../../../shared/ledger/accounts.ts";
import { isFull } from "../../../shared/ledger/database.ts";
import type { Access } from "../access.ts";
import { type DashboardEnv, readSqlConnection } from "../environment.ts";
import { ApiError } from "../errors.ts";
import type { LedgerReader } from "../ledger.ts";

/** What Hono carries through a request. */
export interface ApiContext {
  Bindings: DashboardEnv & { ACCESS: CloudflareAccessContext | undefined };
  Variables: { access: Access; ledger: LedgerReader };
}

/** One request. */
export type Call = Context<ApiContext>;

/** What the dashboard answers with; the answer of Analytics Engine is passed through unchanged. */
export type Answered<Name extends DashboardOperation> = Name extends "query" ? Response : Outputs[Name];

/**
 * Asks process.
 *
 * @throws ApiError when the person may not ask this, when it cannot be done, or when process fails
 */
export async function operate<Name extends ProcessOperation>(
  c: Call,
  name: Name,
  input: Inputs[Name],
): Promise<Outputs[Name]> {
  requireRole(c, name, input);
  // The one that is narrowed to an account; others name something in it, and say themselves that it is not there.
  if (name === "exportRecords") await requireAccount(c, name, input);
  const { name: caller, authority } = c.get("access");
  return unwrap(await callProcess(c, name, input, { name: caller, authority }));
}

/** @throws ApiError when the person may not ask this, or the token may not change anything */
export function requireRole(c: Call, name: OperationName, input: object): void {
  const access = c.get("access");
  unwrap(allowed(access.authority, OPERATIONS[name], input));
  if (OPERATIONS[name].changes && access.isReadOnly) {
    throw new ApiError(
      "forbidden",
      `The token '${access.name}' can only read; this needs a token with the scope operate.`,
    );
  }
}

/**
 * Refuses an operator's question about an account that is not there, which would get an empty answer. Others are refused
 * by their role. The audit log can be asked about an account that has been forgotten.
 *
 * @throws ApiError (404)
 */
export async function requireAccount(c: Call, name: OperationName, input: object): Promise<void> {
  const account = "account" in input && typeof input.account === "string" ? input.account : "";
  if (account === "" || name === "listAudit" || c.get("access").accounts !== undefined) return;
  const ledger = c.get("ledger");
  if ((await ledger.askDirectory(accountsNamedQuery([account]))).length > 0) return;
  if ((await ledger.accounts()).includes(account)) return;
  throw ApiError.of(noAccountProblem(account));
}

/**
 * Notes that a token was used. If that fails, the next use is noted instead.
 *
 * @param id of the token
 */
export async function noteTokenUse(c: Call, id: string): Promise<void> {
  const { name, authority } = c.get("access");
  await callProcess(c, "noteTokenUse", { id }, { name, authority }).catch(() => undefined);
}

const LEDGER_IS_FULL =
  "The database of the ledger is full, and takes nothing new; what is there can be read and removed. Operations says what helps.";

/** The answer of process. Who may ask is decided before. @throws ApiError when process fails */
export async function callProcess<Name extends ProcessOperation>(
  c: Call,
  name: Name,
  input: Inputs[Name],
  caller: Caller,
): Promise<Answer<Outputs[Name]>> {
  try {
    return await c.env.PROCESS.call(name, input, caller);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isFull(error)) {
      console.error(JSON.stringify({ event: "ledger_full", message: reason }));
      throw new ApiError("ledger_unavailable", LEDGER_IS_FULL);
    }
    throw new ApiError("process_unavailable", `The process Worker failed: ${reason}`);
  }
}

/** The value of an answer. @throws ApiError with its problem */
export function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw ApiError.of(answer.error);
}

/** Where Analytics Engine is. @throws ApiError when a setting is missing */
export function readConnection(c: Call): SqlConnection {
  const connection = readSqlConnection(c.env);
  if (!("missing" in connection)) return connection;
  throw new ApiError("not_configured", `Analytics Engine is not configured: ${connection.missing} is not set.`);
}
