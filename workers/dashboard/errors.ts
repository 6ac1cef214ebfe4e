/**
 * The dashboard's one error channel: handlers throw an ApiError, `answerError` turns whatever was thrown into JSON
 * `{error: {code, message}}`. It never shows a stack, and never a token.
 */
import { AnalyticsUnavailableError } from "../../shared/analytics/sql.ts";

type ErrorStatus = 400 | 403 | 404 | 413 | 422 | 502 | 503;

export type ApiErrorCode =
  | "bad_request"
  | "forbidden"
  | "not_found"
  | "too_large"
  | "invalid_statement"
  | "no_data"
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
  not_configured: 503,
  analytics_unavailable: 502,
  process_unavailable: 502,
};

/** A request that cannot be met, with the reason for people. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error as whoever asked is told it. */
export interface ErrorAnswer {
  code: string;
  message: string;
  status: ErrorStatus | 500;
}

/** What to say of anything thrown while a request was handled; a fault of our own is logged and not shown. */
export function describeError(error: unknown): ErrorAnswer {
  if (error instanceof ApiError) return { code: error.code, message: error.message, status: STATUS[error.code] };
  if (error instanceof AnalyticsUnavailableError) {
    // Too many queries, or the engine is overloaded: come back later. All else is a setting or a network to mend.
    const status = error.status === 429 || error.status === 503 ? 503 : 502;
    return { code: "analytics_unavailable", message: error.message, status };
  }
  const message = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event: "dashboard_fault", message }));
  return { code: "internal", message: "The dashboard failed; its log has the reason.", status: 500 };
}

/** The answer to a program: JSON. */
export function answerError(error: unknown): Response {
  const { code, message, status } = describeError(error);
  return Response.json({ error: { code, message } }, { status });
}
