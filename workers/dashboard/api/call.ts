/** What every route of the API needs: the request's context, process by RPC, SQL, and checked input. It has no routes. */
import type { Context } from "hono";
import * as v from "valibot";
import type { SqlConnection } from "../../../shared/analytics/sql.ts";
import type { OperationRefused, OperationsApi, RecordsApi } from "../../../shared/operations.ts";
import type { Access } from "../access.ts";
import { type DashboardEnv, readSqlConnection } from "../environment.ts";
import { ApiError, type ApiErrorCode } from "../errors.ts";
import type { LedgerReader } from "../ledger.ts";

/** What Hono carries through a request. */
export interface ApiContext {
  Bindings: DashboardEnv & { ACCESS: CloudflareAccessContext | undefined };
  Variables: { access: Access; ledger: LedgerReader };
}

/** One request. */
export type Call = Context<ApiContext>;

/** A day as the listings and jobs take it; whether it is one of the calendar is for process to say. */
export const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "not a day; it has to be YYYY-MM-DD"));
export const cursor = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
export const domain = v.pipe(v.string(), v.trim(), v.toLowerCase(), v.minLength(1), v.maxLength(253));
export const account = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
/** R2 keys have at most 1,024 bytes. */
export const objectKey = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

/** Asks process. @throws ApiError when it fails */
export async function operate<T>(
  c: Call,
  operation: (operations: OperationsApi & RecordsApi) => Promise<T>,
): Promise<T> {
  try {
    return await operation(c.env.PROCESS);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError("process_unavailable", `The process Worker failed: ${reason}`);
  }
}

/** An operation's answer, unless it refused. @throws ApiError with the refusal's sentence */
export function unlessRefused<T extends object>(
  answer: T | OperationRefused,
  code: ApiErrorCode = "bad_request",
): Exclude<T, OperationRefused> {
  if ("refused" in answer) throw new ApiError(code, answer.refused);
  return answer as Exclude<T, OperationRefused>;
}

/** Where Analytics Engine is. @throws ApiError when a setting is missing */
export function readConnection(c: Call): SqlConnection {
  const connection = readSqlConnection(c.env);
  if (!("missing" in connection)) return connection;
  throw new ApiError("not_configured", `Analytics Engine is not configured: ${connection.missing} is not set.`);
}

/** The body as JSON. @throws ApiError when it is none */
export async function readJson(c: Call): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    throw new ApiError("bad_request", "The body is not JSON.");
  }
}

/** The body as JSON, `{}` when there is no body. @throws ApiError when it is none */
export async function readOptionalJson(c: Call): Promise<unknown> {
  return (await c.req.text()).trim() === "" ? {} : readJson(c);
}

/** Input of the agreed form. @throws ApiError that names the field */
export function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new ApiError("bad_request", path === null ? issue.message : `${path}: ${issue.message}`);
}
