/** What every request has, and how it asks process. It has no routes. */
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
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
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

/** What the dashboard answers with; the answer of Analytics Engine is handed through as it comes. */
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
  const { name: caller, authority } = c.get("access");
  return unwrap(await callProcess(c, name, input, { name: caller, authority }));
}

/** @throws ApiError when the person may not ask this */
export function requireRole(c: Call, name: OperationName, input: object): void {
  unwrap(allowed(c.get("access").authority, OPERATIONS[name], input));
}

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
    throw new ApiError("process_unavailable", `The process Worker failed: ${reason}`);
  }
}

/** The value of an answer. @throws ApiError with its problem */
export function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  const { code, message, retryAfterSeconds } = answer.error;
  throw new ApiError(code, message, retryAfterSeconds);
}

/** Where Analytics Engine is. @throws ApiError when a setting is missing */
export function readConnection(c: Call): SqlConnection {
  const connection = readSqlConnection(c.env);
  if (!("missing" in connection)) return connection;
  throw new ApiError("not_configured", `Analytics Engine is not configured: ${connection.missing} is not set.`);
}
