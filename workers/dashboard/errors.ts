/**
 * The dashboard's one error channel: handlers throw an ApiError, `answerError` turns whatever was thrown into JSON
 * `{error: {code, message}}`. It never shows a stack, and never a token.
 */
import { AnalyticsUnavailableError } from "../../shared/analytics/sql.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { LedgerUnavailableError } from "./ledger.ts";

type ErrorStatus = 400 | 403 | 404 | 413 | 422 | 502 | 503;

export type ApiErrorCode =
  | "bad_request"
  | "forbidden"
  | "not_found"
  | "too_large"
  | "invalid_statement"
  | "no_data"
  | "busy"
  | "not_configured"
  | "analytics_unavailable"
  | "process_unavailable";

const STATUS: Record<ApiErrorCode, ErrorStatus> = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  too_large: 413,
  invalid_statement: 422,
  no_data: 422,
  busy: 503,
  not_configured: 503,
  analytics_unavailable: 502,
  process_unavailable: 502,
};

/** A request that cannot be met, with the reason for people. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ApiErrorCode;
  /** When it may go better, for Retry-After; undefined = not by waiting alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ApiErrorCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** An error as whoever asked is told it. */
export interface ErrorAnswer {
  code: string;
  message: string;
  status: ErrorStatus | 500;
  /** For the header Retry-After. */
  retryAfterSeconds?: number | undefined;
}

/** What to say of anything thrown while a request was handled; a fault of our own is logged and not shown. */
export function describeError(error: unknown): ErrorAnswer {
  if (error instanceof ApiError) {
    const { code, message, retryAfterSeconds } = error;
    return { code, message, status: STATUS[code], retryAfterSeconds };
  }
  if (error instanceof AnalyticsUnavailableError) {
    // Too many queries, or the engine is overloaded: come back later. All else is a setting or a network to mend.
    const isBusy = error.status === 429 || error.status === 503;
    if (!isBusy) return { code: "analytics_unavailable", message: error.message, status: 502 };
    const { retryAfterSeconds = DASHBOARD_LIMITS.retryAfterSeconds } = error;
    return { code: "analytics_busy", message: error.message, status: 503, retryAfterSeconds };
  }
  if (error instanceof LedgerUnavailableError) {
    console.error(JSON.stringify({ event: "ledger_unavailable", message: error.message }));
    const message = "The database of the ledger does not answer; the dashboard's log has the reason.";
    const { retryAfterSeconds } = DASHBOARD_LIMITS;
    return { code: "ledger_unavailable", message, status: 503, retryAfterSeconds };
  }
  const message = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event: "dashboard_fault", message }));
  return { code: "internal", message: "The dashboard failed; its log has the reason.", status: 500 };
}

/** The answer to a program: JSON. */
export function answerError(error: unknown): Response {
  const answer = describeError(error);
  const { code, message, status } = answer;
  return Response.json({ error: { code, message } }, { status, headers: retryHeaders(answer) });
}

/** The header of an error that waiting may mend. */
export function retryHeaders({ retryAfterSeconds }: ErrorAnswer): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
}
